using System.Runtime.InteropServices;
using System.Text.Json;
using Gateway.SampleProvider.Answers;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.Cohere;

/// <summary><c>POST /v2/embed</c>.</summary>
internal sealed class CohereEmbed() : JsonSurface("/v2/embed", CohereDialect.Instance)
{
    private const int TextsMax = 96;
    private const int DimensionsDefault = 1024;
    private const int DimensionsMax = 4096;

    private static readonly string[] Types = ["float", "int8", "uint8", "binary", "ubinary", "base64"];

    protected override PreparedReply Prepare(ChatAsk ask, JsonElement root)
    {
        var texts = root.TryGetProperty("texts", out var given) && given.ValueKind == JsonValueKind.Array ? TextInputs.Read(given) : null;
        string[] types = root.TryGetProperty("embedding_types", out var asked) && asked.ValueKind == JsonValueKind.Array
            ? [.. asked.EnumerateArray().Select(type => type.ToString())]
            : ["float"];
        var dimensions = root.TryGetProperty("output_dimension", out var size) && size.TryGetInt32(out var number) ? number : DimensionsDefault;
        var fault = ask.Model.Length == 0 ? new Fault(400, "invalid request: model is required")
            : texts is null or { Count: 0 or > TextsMax } ? new Fault(400, $"invalid request: texts must have 1 to {TextsMax} items")
            : !root.TryGetProperty("input_type", out _) ? new Fault(400, "invalid request: input_type is required")
            : dimensions is < 8 or > DimensionsMax || dimensions % 8 != 0 ? new Fault(400, "invalid request: output_dimension is not supported")
            : Array.Find(types, type => !Types.Contains(type)) is { } unknown ? new Fault(400, $"invalid request: embedding type {unknown} is not supported")
            : null;
        if (fault is not null || texts is null)
        {
            return Dialect.Refuse(fault!, ask.Model, Script.None);
        }

        var vectors = texts.ConvertAll(text => Vectors.Unit(ask.Model, text.Text, dimensions));
        var writer = new FrameWriter().Raw("{\"id\":\""u8).Uuid().Raw("\",\"embeddings\":{"u8);
        for (var i = 0; i < types.Length; i++)
        {
            writer.Raw(i == 0 ? ""u8 : ","u8).Text(types[i]).Raw(":["u8);
            for (var vector = 0; vector < vectors.Count; vector++)
            {
                Write(writer.Raw(vector == 0 ? ""u8 : ","u8), types[i], vectors[vector]);
            }

            writer.Raw("]"u8);
        }

        writer.Raw("},\"texts\":["u8);
        for (var i = 0; i < texts.Count; i++)
        {
            writer.Raw(i == 0 ? ""u8 : ","u8).Text(texts[i].Text);
        }

        writer.Raw("],\"meta\":{\"api_version\":{\"version\":\"2\"}"u8);
        if (Usage.Reported(texts.Sum(text => text.Tokens), 0, ask.Script with { ReasoningTokens = 0 }) is { } usage)
        {
            writer.Raw(",\"billed_units\":{\"input_tokens\":"u8).Number(usage.Input).Raw("}"u8);
        }

        return writer.Raw("},\"response_type\":\"embeddings_by_type\"}"u8).Json(ask.Model, ask.Script);
    }

    private static void Write(FrameWriter writer, string type, float[] vector)
    {
        switch (type)
        {
            case "float": writer.Numbers(vector); break;
            case "base64": writer.Raw("\""u8).Document(Convert.ToBase64String(MemoryMarshal.AsBytes<float>(vector))).Raw("\""u8); break;
            case "int8": writer.Numbers([.. vector.Select(value => MathF.Round(value * 127))]); break;
            case "uint8": writer.Numbers([.. vector.Select(value => MathF.Round(value * 127) + 128)]); break;
            case "binary": writer.Numbers([.. Bits(vector).Select(bits => bits - 128f)]); break;
            default: writer.Numbers([.. Bits(vector).Select(bits => (float)bits)]); break;
        }
    }

    /// <summary>One bit for each dimension, eight to a number, the first dimension highest.</summary>
    private static IEnumerable<int> Bits(float[] vector) =>
        vector.Chunk(8).Select(eight => eight.Aggregate(0, (bits, value) => (bits << 1) | (value > 0 ? 1 : 0)));
}
