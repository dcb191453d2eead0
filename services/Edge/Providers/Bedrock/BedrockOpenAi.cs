using System.Text.Json;

namespace Gateway.Edge.Providers.Bedrock;

/// <summary>OpenAI's models on Bedrock: what Converse has no word for, in theirs.</summary>
internal static class BedrockOpenAi
{
    /// <summary>Whether the model is one of OpenAI's.</summary>
    public static bool Is(string model) => model.Contains("openai.", StringComparison.OrdinalIgnoreCase);

    /// <summary>Refuses temperature, top_p and stops: GPT-5 and later, while those that are open take them.</summary>
    public static bool RefusesSampling(string model) => Is(model) && !IsOpen(model);

    /// <summary>Writes how much it is to think: the open ones have three levels and another name for them.</summary>
    public static void WriteEffort(Utf8JsonWriter writer, string model, string effort)
    {
        if (IsOpen(model))
        {
            writer.WriteString("reasoning_effort"u8, effort is "none" or "minimal" or "low" ? "low" : effort == "medium" ? "medium" : "high");
            return;
        }

        writer.WriteStartObject("reasoning"u8);
        writer.WriteString("effort"u8, effort);
        writer.WriteEndObject();
    }

    private static bool IsOpen(string model) => model.Contains("gpt-oss", StringComparison.OrdinalIgnoreCase);
}
