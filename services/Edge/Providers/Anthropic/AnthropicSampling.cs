using System.Text.Json;

namespace Gateway.Edge.Providers.Anthropic;

/// <summary>What a Claude model takes of <c>temperature</c> and <c>top_p</c>, whoever serves it. 1 is what both are anyway: of it nothing is lost.</summary>
internal static class AnthropicSampling
{
    /// <summary>Writes both.</summary>
    /// <param name="request">The request in OpenAI's words.</param>
    /// <param name="model">What the model takes.</param>
    /// <param name="thinks">Whether it thinks: then it wants temperature 1, and top_p near it.</param>
    /// <param name="topPName">What the second one is called there.</param>
    /// <param name="dropped">Takes what cannot be said.</param>
    /// <param name="writer">Takes the members.</param>
    public static void Write(JsonElement request, AnthropicModel model, bool thinks, ReadOnlySpan<byte> topPName, DroppedFields dropped, Utf8JsonWriter writer)
    {
        var refuses = thinks || model.RefusesSampling;
        var (temperature, heat) = NumberIn(request.Field("temperature"u8));
        var (topP, share) = NumberIn(request.Field("top_p"u8));
        if (refuses ? heat is not (null or 1) : heat > 1)
        {
            // OpenAI's range ends at 2, Anthropic's at 1.
            dropped.Add("temperature");
        }

        var takesBoth = !model.TakesOneOfSampling || heat is null;
        var saysTopP = !refuses && share is not null && (takesBoth || (heat >= 1 && share != 1));
        if (!saysTopP && share is not (null or 1))
        {
            dropped.Add("top_p");
        }

        if (!refuses && heat is not null && (takesBoth || !saysTopP))
        {
            writer.WritePropertyName("temperature"u8);
            writer.WriteRawValue(heat > 1 ? "1"u8 : temperature.Raw(), skipInputValidation: true);
        }

        if (saysTopP)
        {
            writer.WriteCopy(topPName, topP);
        }
    }

    private static (JsonElement Element, double? Value) NumberIn(JsonElement element) =>
        (element, element.ValueKind == JsonValueKind.Number ? element.GetDouble() : null);
}
