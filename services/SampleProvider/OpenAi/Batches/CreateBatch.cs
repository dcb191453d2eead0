using System.Globalization;
using System.Text.Json;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.OpenAi.Files;
using Gateway.SampleProvider.Scripts;
using Microsoft.AspNetCore.Http;

namespace Gateway.SampleProvider.OpenAi.Batches;

/// <summary><c>POST /v1/batches</c>.</summary>
internal sealed class CreateBatch(BatchStore batches, FileStore files) : KeepingRoute("/v1/batches", OpenAiDialect.Instance)
{
    private const int MetadataMax = 16;
    private static readonly long WindowSeconds = (long)TimeSpan.FromHours(24).TotalSeconds;

    public override PreparedReply Reply(HttpRequest request, ReadOnlySpan<byte> body, Script script)
    {
        JsonElement root;
        try
        {
            root = JsonElement.Parse(body);
        }
        catch (JsonException)
        {
            return Refuse(new(400, "We could not parse the JSON body of your request."));
        }

        if (root.ValueKind != JsonValueKind.Object)
        {
            return Refuse(new(400, "We could not parse the JSON body of your request."));
        }

        var missing = Array.Find(["input_file_id", "endpoint", "completion_window"], name => Text(root, name) is null);
        if (missing is not null)
        {
            return Refuse(new(400, $"Missing required parameter: '{missing}'.", missing, "missing_required_parameter"));
        }

        var (endpoint, fileId) = (Text(root, "endpoint")!, Text(root, "input_file_id")!);
        var file = files.Find(fileId);
        var metadata = Metadata(root, out var metadataFit);
        var behaviour = BatchScript.Read(metadata, out var problem);
        var fault = !batches.Endpoints.Contains(endpoint)
                ? new Fault(400, $"Invalid value: '{endpoint}'. Supported values are: {string.Join(", ", batches.Endpoints)}.", "endpoint", "invalid_value")
            : Text(root, "completion_window") != "24h" ? new Fault(400, "Invalid value for 'completion_window'. Supported is: '24h'.", "completion_window", "invalid_value")
            : !metadataFit ? new Fault(400, $"Invalid 'metadata': expected at most {MetadataMax} texts by name.", "metadata", "invalid_type")
            : problem is not null ? new Fault(400, problem, "metadata", "invalid_sample_script")
            : file is null ? new Fault(400, $"No such File object: {fileId}", "input_file_id")
            : file.Object.Purpose != "batch" ? new Fault(400, $"The file {fileId} was not uploaded with the purpose 'batch'.", "input_file_id", "invalid_purpose")
            : null;
        if (fault is not null)
        {
            return Refuse(fault);
        }

        var now = Batch.Now;
        var batch = new BatchObject
        {
            Id = string.Create(CultureInfo.InvariantCulture, $"batch_sAmPlE{Delivery.Delivery.NextId():x16}"),
            Endpoint = endpoint,
            InputFileId = fileId,
            CreatedAt = now,
            ExpiresAt = now + WindowSeconds,
            Metadata = metadata,
        };
        return OpenAiObjects.Reply(batches.Start(new(batch, behaviour, file!.Content, OutputLifetime(root))), OpenAiObjects.Default.BatchObject, script);
    }

    private PreparedReply Refuse(Fault fault) => Dialect.Refuse(fault, "", Script.None);

    private static Dictionary<string, string>? Metadata(JsonElement root, out bool fits)
    {
        fits = true;
        if (!root.TryGetProperty("metadata", out var given) || given.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        fits = given.ValueKind == JsonValueKind.Object && given.GetPropertyCount() <= MetadataMax
            && given.EnumerateObject().All(static pair => pair.Value.ValueKind == JsonValueKind.String);
        return fits ? given.EnumerateObject().ToDictionary(static pair => pair.Name, static pair => pair.Value.GetString()!) : null;
    }

    private static TimeSpan? OutputLifetime(JsonElement root) =>
        root.TryGetProperty("output_expires_after", out var after) && after.ValueKind == JsonValueKind.Object
        && after.TryGetProperty("seconds", out var seconds) && seconds.TryGetInt64(out var asked)
            ? TimeSpan.FromSeconds(asked)
            : null;

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
