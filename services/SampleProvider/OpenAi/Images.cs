using System.Text.Json;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.OpenAi;

/// <summary><c>POST /v1/images/generations</c>: one white pixel for each picture. A <c>gpt-image</c> model reports tokens, the older ones do not.</summary>
internal sealed class Images() : JsonSurface("/v1/images/generations", OpenAiDialect.Instance)
{
    private const int TokensOfOne = 1056;

    // A PNG of one white pixel.
    private const string Pixel = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8/x8AAwMCAO+ip1sAAAAASUVORK5CYII=";

    protected override PreparedReply Prepare(ChatAsk ask, JsonElement root)
    {
        if (!root.TryGetProperty("prompt", out var prompt) || prompt.ValueKind != JsonValueKind.String)
        {
            return Dialect.Refuse(new Fault(400, "Missing required parameter: 'prompt'.", "prompt", "missing_required_parameter"), ask.Model, Script.None);
        }

        var reportsTokens = ask.Model.StartsWith("gpt-image", StringComparison.Ordinal);
        var asUrl = !reportsTokens && !(root.TryGetProperty("response_format", out var format) && format.ToString() == "b64_json");
        var writer = new FrameWriter().Raw("{\"created\":"u8).UnixSeconds().Raw(",\"data\":["u8);
        for (var i = 0; i < ask.Choices; i++)
        {
            writer.Raw(i == 0 ? ""u8 : ","u8).Raw(asUrl ? "{\"url\":"u8 : "{\"b64_json\":"u8).Text(asUrl ? $"https://images.example/{i}.png" : Pixel).Raw("}"u8);
        }

        writer.Raw("]"u8);
        var input = Answers.Tokens.Count(prompt.GetString()!);
        if (reportsTokens && Answers.Usage.Reported(input, TokensOfOne * ask.Choices, ask.Script with { ReasoningTokens = 0 }) is { } usage)
        {
            writer.Raw(",\"usage\":{\"input_tokens\":"u8).Number(usage.Input).Raw(",\"output_tokens\":"u8).Number(usage.Output)
                .Raw(",\"total_tokens\":"u8).Number(usage.Total).Raw(",\"input_tokens_details\":{\"text_tokens\":"u8).Number(usage.Input).Raw(",\"image_tokens\":0}}"u8);
        }

        return writer.Raw("}"u8).Json(ask.Model, ask.Script);
    }
}
