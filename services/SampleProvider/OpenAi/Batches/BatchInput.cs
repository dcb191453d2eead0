using System.Text;
using System.Text.Json;

namespace Gateway.SampleProvider.OpenAi.Batches;

/// <summary>One request of a batch.</summary>
internal sealed record BatchLine(string CustomId, string Model, byte[] Body);

/// <summary>
/// Reads a batch's input file (https://platform.openai.com/docs/api-reference/batch/request-input). One line that is no request fails the whole batch, as
/// the real one does it; a request that its route refuses does not.
/// </summary>
internal sealed class BatchInput
{
    public const int LinesMax = 50_000;

    // The real one does not list every line of a file that is wrong from end to end either.
    private const int ErrorsMax = 50;

    private readonly string endpoint;
    private readonly HashSet<string> customIds = new(StringComparer.Ordinal);

    private BatchInput(string endpoint) => this.endpoint = endpoint;

    public List<BatchLine> Lines { get; } = [];

    public List<BatchError> Errors { get; } = [];

    public string? Model => Lines.Count == 0 ? null : Lines[0].Model;

    public static BatchInput Read(ReadOnlySpan<byte> file, string endpoint)
    {
        var input = new BatchInput(endpoint);
        var number = 0;
        foreach (var range in file.Split((byte)'\n'))
        {
            number++;
            var line = file[range].Trim(" \r\t"u8);
            if (!line.IsEmpty && input.Errors.Count < ErrorsMax)
            {
                input.Add(number, line);
            }
        }

        if (input.Lines.Count + input.Errors.Count == 0)
        {
            input.Errors.Add(new("empty_file", "The input file has no requests."));
        }
        else if (input.Lines.Count > LinesMax)
        {
            input.Errors.Add(new("too_many_tasks", $"The input file has {input.Lines.Count} requests. A batch takes at most {LinesMax}."));
        }

        return input;
    }

    private void Add(int number, ReadOnlySpan<byte> line)
    {
        JsonElement root;
        try
        {
            root = JsonElement.Parse(line);
        }
        catch (JsonException)
        {
            Errors.Add(new("invalid_json_line", "This line is not parseable as valid JSON.", null, number));
            return;
        }

        var customId = Text(root, "custom_id");
        var hasBody = root.ValueKind == JsonValueKind.Object && root.TryGetProperty("body", out var given) && given.ValueKind == JsonValueKind.Object;
        var missing = customId is null ? "custom_id" : Text(root, "method") is null ? "method" : Text(root, "url") is null ? "url" : hasBody ? null : "body";
        if (missing is not null)
        {
            Errors.Add(new("missing_required_parameter", $"Missing required parameter: '{missing}'.", missing, number));
            return;
        }

        var body = root.GetProperty("body");
        var model = Text(body, "model") ?? "";
        var plus = model.IndexOf('+', StringComparison.Ordinal);
        model = plus < 0 ? model : model[..plus];
        var error = !customIds.Add(customId!)
                ? new BatchError("duplicate_custom_id", $"The custom_id '{customId}' stands in more than one line.", "custom_id", number)
            : Text(root, "method") != "POST" ? new BatchError("invalid_method", "The only method of a batch's requests is 'POST'.", "method", number)
            : Text(root, "url") != endpoint ? new BatchError("url_mismatch", $"The url of every request must be the batch's endpoint '{endpoint}'.", "url", number)
            : Model is { } first && model != first ? new BatchError("model_mismatch", $"All requests of a batch ask one model; the first asks '{first}'.", "body.model", number)
            : null;
        if (error is not null)
        {
            Errors.Add(error);
            return;
        }

        Lines.Add(new(customId!, model, Encoding.UTF8.GetBytes(body.GetRawText())));
    }

    private static string? Text(JsonElement root, string name) =>
        root.ValueKind == JsonValueKind.Object && root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
