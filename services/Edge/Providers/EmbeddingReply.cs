using System.Buffers;
using System.Runtime.InteropServices;
using System.Text.Json;
using Gateway.Edge.Metering;

namespace Gateway.Edge.Providers;

/// <summary>Writes OpenAI's list of embeddings for vectors that came in another form.</summary>
internal static class EmbeddingReply
{
    /// <summary>Writes it, in the encoding that the caller asked for.</summary>
    /// <param name="vectors">Lists of numbers, in the order of the texts.</param>
    /// <param name="tokens">What the provider reports; null when it reports nothing.</param>
    /// <param name="call">The call.</param>
    /// <param name="output">Takes the reply.</param>
    /// <returns>Whether the tokens are the provider's.</returns>
    public static bool Write(IEnumerable<JsonElement> vectors, long? tokens, in OperationCall call, IBufferWriter<byte> output)
    {
        var base64 = AsksForBase64(call.Request);
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteString("object"u8, "list"u8);
        json.WriteStartArray("data"u8);
        var index = 0;
        foreach (var vector in vectors)
        {
            if (vector.ValueKind != JsonValueKind.Array)
            {
                throw new MalformedReplyException("An embedding in the provider's reply is no list of numbers.");
            }

            json.WriteStartObject();
            json.WriteString("object"u8, "embedding"u8);
            json.WriteNumber("index"u8, index++);
            if (base64)
            {
                json.WriteBase64String("embedding"u8, Bytes(vector));
            }
            else
            {
                json.WriteCopy("embedding"u8, vector);
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("model"u8, call.Call.PublicModel);
        var used = tokens ?? TokenCounter.CountPrompt(call.Request);
        json.WriteStartObject("usage"u8);
        json.WriteNumber("prompt_tokens"u8, used);
        json.WriteNumber("total_tokens"u8, used);
        json.WriteEndObject();
        json.WriteEndObject();
        return index > 0 ? tokens is not null : throw new MalformedReplyException("The provider's reply has no embedding.");
    }

    private static bool AsksForBase64(ReadOnlyMemory<byte> request)
    {
        using var asked = JsonDocument.Parse(request);
        return asked.RootElement.Field("encoding_format"u8).Is("base64"u8);
    }

    /// <summary>What OpenAI and Cohere give in base64: 32-bit numbers, the lowest byte first, which is how they stand in memory wherever .NET runs.</summary>
    public static ReadOnlySpan<byte> Bytes(JsonElement vector) => MemoryMarshal.AsBytes<float>(Floats(vector));

    private static float[] Floats(JsonElement vector)
    {
        var numbers = new float[vector.GetArrayLength()];
        var i = 0;
        foreach (var number in vector.EnumerateArray())
        {
            numbers[i++] = number.ValueKind == JsonValueKind.Number && number.TryGetSingle(out var single) ? single : 0;
        }

        return numbers;
    }
}
