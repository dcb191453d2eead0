using System.Buffers;
using System.Text.Json;

namespace Gateway.Edge.Providers.Gemini;

/// <summary>Google's Imagen, on Gemini's API and on Vertex AI alike: <c>:predict</c> with a prompt, pictures in base64.</summary>
/// <param name="address">The address of a verb on the model.</param>
internal sealed class ImagenImages(Func<ProviderTarget, string, Uri> address) : IUpstreamOperation
{
    /// <inheritdoc/>
    public bool Passes => false;

    /// <inheritdoc/>
    public Uri Address(ProviderTarget target) => address(target, ":predict");

    /// <inheritdoc/>
    public void WriteRequest(JsonElement request, in ChatCall call, IBufferWriter<byte> output, DroppedFields dropped)
    {
        if (request.Field("prompt"u8) is not { ValueKind: JsonValueKind.String } prompt)
        {
            throw new UntranslatableRequestException("The field prompt must be a string.", "prompt");
        }

        if (request.Field("response_format"u8).Is("url"u8))
        {
            throw new UntranslatableRequestException("Imagen gives pictures and no addresses of pictures: ask for response_format b64_json.", "response_format");
        }

        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteStartArray("instances"u8);
        json.WriteStartObject();
        json.WriteCopy("prompt"u8, prompt);
        json.WriteEndObject();
        json.WriteEndArray();
        json.WriteStartObject("parameters"u8);
        json.WriteNumber("sampleCount"u8, request.Field("n"u8).Int() ?? 1);
        if (AspectRatio(request.Field("size"u8).Text(), dropped) is { } ratio)
        {
            json.WriteString("aspectRatio"u8, ratio);
        }

        json.WriteEndObject();
        json.WriteEndObject();
        dropped.AddUnknown(request, ["model", "prompt", "n", "size", "response_format", "user"]);
    }

    /// <inheritdoc/>
    public bool ReadReply(ReadOnlyMemory<byte> reply, in OperationCall call, IBufferWriter<byte> output)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        using var json = new Utf8JsonWriter(output);
        json.WriteStartObject();
        json.WriteNumber("created"u8, call.Call.Created);
        json.WriteStartArray("data"u8);
        var images = 0;
        foreach (var prediction in document.RootElement.Field("predictions"u8).Items())
        {
            if (prediction.Field("bytesBase64Encoded"u8) is { ValueKind: JsonValueKind.String } image)
            {
                images++;
                json.WriteStartObject();
                json.WriteCopy("b64_json"u8, image);
                if (prediction.Field("prompt"u8) is { ValueKind: JsonValueKind.String } revised)
                {
                    json.WriteCopy("revised_prompt"u8, revised);
                }

                json.WriteEndObject();
            }
        }

        json.WriteEndArray();
        json.WriteEndObject();
        return images > 0 ? true : throw new MalformedReplyException("The provider's reply has no picture.");
    }

    /// <summary>OpenAI's sizes as the ratio that they have; another size is dropped by name.</summary>
    private static string? AspectRatio(string? size, DroppedFields dropped)
    {
        switch (size)
        {
            case null or "auto":
                return null;
            case "256x256" or "512x512" or "1024x1024":
                return "1:1";
            case "1792x1024":
                return "16:9";
            case "1024x1792":
                return "9:16";
            case "1536x1024":
                return "4:3";
            case "1024x1536":
                return "3:4";
            default:
                dropped.Add("size");
                return null;
        }
    }
}
