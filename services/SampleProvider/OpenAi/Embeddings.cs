using System.Runtime.InteropServices;
using System.Text.Json;
using Gateway.SampleProvider.Answers;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.OpenAi;

/// <summary><c>POST /v1/embeddings</c>.</summary>
internal sealed class Embeddings() : JsonSurface("/v1/embeddings", OpenAiDialect.Instance)
{
    private const int InputsMax = 2048;
    private const int DimensionsMax = 4096;

    protected override PreparedReply Prepare(ChatAsk ask, JsonElement root)
    {
        var inputs = root.TryGetProperty("input", out var input) ? TextInputs.Read(input) : null;
        var format = root.TryGetProperty("encoding_format", out var given) ? given.ToString() : "float";
        var dimensions = ask.Model.Contains("large", StringComparison.Ordinal) ? 3072 : 1536;
        var dimensionsFit = !root.TryGetProperty("dimensions", out var asked) || asked.ValueKind == JsonValueKind.Null
            || (asked.ValueKind == JsonValueKind.Number && asked.TryGetInt32(out dimensions) && dimensions is >= 1 and <= DimensionsMax);
        var fault = ask.Model.Length == 0 ? new Fault(400, "you must provide a model parameter")
            : inputs is null or { Count: 0 or > InputsMax } ? new Fault(400, "'$.input' is invalid. Please check the API reference: "
                + "https://platform.openai.com/docs/api-reference.")
            : !dimensionsFit ? new Fault(400, $"Invalid 'dimensions': expected an integer from 1 to {DimensionsMax}.", "dimensions")
            : format is not ("float" or "base64") ? new Fault(400, "Invalid 'encoding_format': expected 'float' or 'base64'.", "encoding_format")
            : null;
        if (fault is not null || inputs is null)
        {
            return Dialect.Refuse(fault!, ask.Model, Script.None);
        }

        var writer = new FrameWriter().Raw("{\"object\":\"list\",\"data\":["u8);
        for (var index = 0; index < inputs.Count; index++)
        {
            writer.Raw(index == 0 ? "{\"object\":\"embedding\",\"index\":"u8 : ",{\"object\":\"embedding\",\"index\":"u8).Number(index)
                .Raw(",\"embedding\":"u8);
            var vector = Vectors.Unit(ask.Model, inputs[index].Text, dimensions);
            _ = format == "base64"
                ? writer.Raw("\""u8).Document(Convert.ToBase64String(MemoryMarshal.AsBytes<float>(vector))).Raw("\"}"u8)
                : writer.Numbers(vector).Raw("}"u8);
        }

        writer.Raw("],\"model\":"u8).Text(ask.Model);
        if (Usage.Reported(inputs.Sum(text => text.Tokens), 0, ask.Script with { ReasoningTokens = 0 }) is { } usage)
        {
            writer.Raw(",\"usage\":{\"prompt_tokens\":"u8).Number(usage.Input).Raw(",\"total_tokens\":"u8).Number(usage.Input).Raw("}"u8);
        }

        return writer.Raw("}"u8).Json(ask.Model, ask.Script);
    }
}
