using System.Text.Json;

namespace Gateway.Edge.Providers.Bedrock;

/// <summary>One of Bedrock's models, by its name: what Converse has no word for is each maker's own, and said in the maker's words.</summary>
/// <param name="name">The provider's name of it.</param>
internal readonly struct BedrockModel(string name)
{
    public bool IsClaude => Has("claude");

    public bool IsOpenAi => Has("openai.");

    public bool IsNova => Has("amazon.nova");

    public bool IsCohere => Has("cohere.");

    /// <summary>Whether it can be told how much to think.</summary>
    public bool TakesEffort => IsClaude || IsOpenAi || IsThinkingNova;

    /// <summary>Whether it refuses temperature, top_p and stops: OpenAI's from GPT-5 on do, while those that are open take them.</summary>
    public bool RefusesSampling => IsOpenAi && !IsOpen;

    private bool IsThinkingNova => Has("amazon.nova-2");

    private bool IsOpen => Has("gpt-oss");

    /// <summary>Whether it takes no bound and no sampling when it is told so: Nova 2 that is to think as much as it can.</summary>
    /// <param name="effort">In the model's word.</param>
    public bool IsUnbounded(string? effort) => IsThinkingNova && effort == "high";

    /// <summary>How much it is to think, in the model's own word; null where there is nothing to say. Claude's is not one word.</summary>
    /// <param name="effort">OpenAI's word.</param>
    public string? EffortOf(string? effort) =>
        IsThinkingNova ? LevelOf(effort)
        : !IsOpenAi || effort is null ? null
        : IsOpen ? LevelOf(effort) ?? "low" : effort;

    /// <summary>Writes how much it is to think.</summary>
    /// <param name="writer">Takes the member.</param>
    /// <param name="effort">In the model's word.</param>
    public void WriteEffort(Utf8JsonWriter writer, string effort)
    {
        if (IsThinkingNova)
        {
            writer.WriteStartObject("reasoningConfig"u8);
            writer.WriteString("type"u8, "enabled"u8);
            writer.WriteString("maxReasoningEffort"u8, effort);
            writer.WriteEndObject();
        }
        else if (IsOpen)
        {
            writer.WriteString("reasoning_effort"u8, effort);
        }
        else
        {
            writer.WriteStartObject("reasoning"u8);
            writer.WriteString("effort"u8, effort);
            writer.WriteEndObject();
        }
    }

    /// <summary>One of three levels; null for no thinking, which is Nova's default.</summary>
    private static string? LevelOf(string? effort) => effort switch
    {
        null or "none" => null,
        "minimal" or "low" => "low",
        "medium" => "medium",
        _ => "high",
    };

    private bool Has(string part) => name.Contains(part, StringComparison.OrdinalIgnoreCase);
}
