using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.OpenAi.Batches;
using Gateway.SampleProvider.OpenAi.Files;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.OpenAi;

/// <summary>The JSON of what OpenAI keeps: files and batches.</summary>
[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.SnakeCaseLower)]
[JsonSerializable(typeof(FileObject))]
[JsonSerializable(typeof(DeletedFile))]
[JsonSerializable(typeof(ListPage<FileObject>))]
[JsonSerializable(typeof(BatchObject))]
[JsonSerializable(typeof(ListPage<BatchObject>))]
internal sealed partial class OpenAiObjects : JsonSerializerContext
{
    public static PreparedReply Reply<T>(T value, JsonTypeInfo<T> type, Script script) =>
        new FrameWriter().Raw(JsonSerializer.SerializeToUtf8Bytes(value, type)).Json("", script);
}
