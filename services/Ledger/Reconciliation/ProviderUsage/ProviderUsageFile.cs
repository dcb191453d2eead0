using System.Globalization;
using System.Text.Json;

namespace Gateway.Ledger.Reconciliation.ProviderUsage;

/// <summary>A file that cannot be compared; the message says what is wrong and how to get one that can.</summary>
internal sealed class ProviderFileException(string message) : Exception(message);

/// <summary>
/// Reads a provider's usage: OpenAI's <c>/v1/organization/usage/completions</c> and <c>/costs</c>, Anthropic's
/// <c>/v1/organizations/usage_report/messages</c> and <c>/cost_report</c> (their JSON pages, one or several in a list), their CSV exports, and a
/// plain schema of ours, as CSV or a list of JSON objects: <c>date, model, requests, input_tokens, cached_input_tokens, cache_write_tokens,
/// output_tokens, cost</c>, where <c>input_tokens</c> has the cached ones in it and <c>cost</c> is dollars.
/// </summary>
internal static class ProviderUsageFile
{
    /// <summary>The end of the year 9999, and of what a date can say.</summary>
    private const long UnixSecondsMax = 253_402_300_799;

    private const int LinesMax = 200_000;
    private static readonly string[] s_dates = ["date", "usage_date_utc", "start_time_iso", "start_time"];
    private static readonly string[] s_models = ["model", "model_version", "line_item"];

    /// <exception cref="ProviderFileException">It is none of these, or is not by day and model.</exception>
    public static List<ProviderLine> Read(string text)
    {
        var lines = text.AsSpan().TrimStart(['\uFEFF', ' ', '\r', '\n', '\t']) is ['{' or '[', ..] ? ReadJson(text) : ReadCsv(text);
        return lines.Count switch
        {
            0 => throw new ProviderFileException("The file has no usage in it."),
            > LinesMax => throw new ProviderFileException($"The file has more than {LinesMax} lines: group it by day and model."),
            _ => [.. lines.GroupBy(line => (line.Day, line.Model)).Select(same => same.Aggregate((left, right) => left.Plus(right)))],
        };
    }

    private static List<ProviderLine> ReadJson(string text)
    {
        try
        {
            using var document = JsonDocument.Parse(text.TrimStart('\uFEFF'), new JsonDocumentOptions { MaxDepth = 16 });
            var root = document.RootElement;
            var pages = root.ValueKind == JsonValueKind.Array ? [.. root.EnumerateArray()] : new[] { root };
            return [.. pages.SelectMany(page => page.TryGetProperty("data", out var buckets) ? buckets.EnumerateArray().SelectMany(Bucket) : [Plain(page)])];
        }
        catch (Exception wrong) when (wrong is JsonException or InvalidOperationException or FormatException or KeyNotFoundException or OverflowException)
        {
            throw new ProviderFileException($"The file is not the JSON of a usage or cost report: {wrong.Message}");
        }
    }

    private static IEnumerable<ProviderLine> Bucket(JsonElement bucket, int index)
    {
        var day = bucket.TryGetProperty("start_time", out var unix)
            ? DayOf(unix.GetInt64()) ?? throw new ProviderFileException($"Bucket {index + 1} of data cannot be read: start_time must be seconds since 1970, and no later than the year 9999.")
            : DateOnly.FromDateTime(bucket.GetProperty("starting_at").GetDateTimeOffset().UtcDateTime);
        return bucket.GetProperty("results").EnumerateArray().Select(result => Result(day, result));
    }

    private static ProviderLine Result(DateOnly day, JsonElement result)
    {
        var line = new ProviderLine(day, "", null, null, null, null, null, null);
        if (result.TryGetProperty("amount", out var amount))
        {
            // OpenAI: dollars, and the model in front of a comma in line_item. Anthropic: cents, as text.
            var openAi = amount.ValueKind == JsonValueKind.Object;
            var model = openAi ? Text(result, "line_item")?.Split(',')[0].Trim() : Text(result, "model") ?? Text(result, "description");
            return line with
            {
                Model = Named(model, openAi ? "line_item" : "description"),
                Cost = openAi ? amount.GetProperty("value").GetDecimal() : decimal.Parse(amount.GetString()!, CultureInfo.InvariantCulture) / 100,
            };
        }

        line = line with { Model = Named(Text(result, "model"), "model"), Completion = Number(result, "output_tokens") };
        if (result.TryGetProperty("uncached_input_tokens", out var uncached))
        {
            var written = result.TryGetProperty("cache_creation", out var creation)
                ? (Number(creation, "ephemeral_5m_input_tokens") ?? 0) + (Number(creation, "ephemeral_1h_input_tokens") ?? 0)
                : 0;
            var read = Number(result, "cache_read_input_tokens") ?? 0;
            return line with { Prompt = uncached.GetInt64() + written + read, Cached = read, CacheWrite = written };
        }

        return line with { Prompt = Number(result, "input_tokens"), Cached = Number(result, "input_cached_tokens"), Requests = Number(result, "num_model_requests") };
    }

    private static ProviderLine Plain(JsonElement line) => new(
        DateOnly.Parse(line.GetProperty("date").GetString()!, CultureInfo.InvariantCulture), Named(Text(line, "model"), "model"), Number(line, "requests"),
        Number(line, "input_tokens"), Number(line, "cached_input_tokens"), Number(line, "cache_write_tokens"), Number(line, "output_tokens"),
        line.TryGetProperty("cost", out var cost) && cost.ValueKind == JsonValueKind.Number ? cost.GetDecimal() : null);

    private static List<ProviderLine> ReadCsv(string text)
    {
        var rows = Csv.Rows(text);
        if (rows.Count == 0)
        {
            return [];
        }

        var columns = rows[0].Select((name, index) => (Name: name.Trim().ToLowerInvariant(), index)).DistinctBy(column => column.Name).ToDictionary(column => column.Name, column => column.index);
        string? Of(string[] row, params string[] names) =>
            names.Where(columns.ContainsKey).Select(name => columns[name] < row.Length ? row[columns[name]] : "").FirstOrDefault(value => value.Length > 0);
        long? Sum(string[] row, params string[] names) => names.Any(columns.ContainsKey)
            ? names.Where(columns.ContainsKey).Sum(name => Of(row, name) is { } number ? (long)decimal.Parse(number, NumberStyles.Float, CultureInfo.InvariantCulture) : 0)
            : null;

        if (!s_dates.Any(columns.ContainsKey) || !s_models.Any(columns.ContainsKey))
        {
            throw new ProviderFileException(
                $"The CSV has the columns {string.Join(", ", rows[0].Take(20))}: a date (date, usage_date_utc, start_time_iso or start_time) and a model (model, model_version or line_item) are needed.");
        }

        var anthropic = columns.ContainsKey("usage_input_tokens_no_cache");
        return [.. rows.Skip(1).Select((row, index) =>
        {
            try
            {
                return new ProviderLine(
                    Day(Of(row, s_dates)!), Named(Of(row, s_models)?.Split(',')[0].Trim(), "model"),
                    Sum(row, "requests", "num_model_requests"),
                    anthropic
                        ? Sum(row, "usage_input_tokens_no_cache", "usage_input_tokens_cache_write_5m", "usage_input_tokens_cache_write_1h", "usage_input_tokens_cache_read")
                        : Sum(row, "input_tokens"),
                    Sum(row, "cached_input_tokens", "input_cached_tokens", "usage_input_tokens_cache_read"),
                    Sum(row, "cache_write_tokens", "usage_input_tokens_cache_write_5m", "usage_input_tokens_cache_write_1h"),
                    Sum(row, "output_tokens", "usage_output_tokens"),
                    Of(row, "cost", "cost_usd", "amount_value") is { } cost ? decimal.Parse(cost, NumberStyles.Float, CultureInfo.InvariantCulture) : null);
            }
            catch (Exception wrong) when (wrong is FormatException or OverflowException or ArgumentException)
            {
                throw new ProviderFileException($"Line {index + 2} of the CSV cannot be read: {wrong.Message}");
            }
        })];
    }

    private static DateOnly Day(string text) => long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds)
        ? DayOf(seconds) ?? throw new FormatException("a date in digits must be seconds since 1970, and no later than the year 9999.")
        : DateOnly.FromDateTime(DateTimeOffset.Parse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).UtcDateTime);

    private static DateOnly? DayOf(long unixSeconds) => unixSeconds is >= 0 and <= UnixSecondsMax ? DateOnly.FromDateTime(DateTimeOffset.FromUnixTimeSeconds(unixSeconds).UtcDateTime) : null;

    private static string Named(string? model, string where) => model is { Length: > 0 }
        ? model
        : throw new ProviderFileException($"A line has no model: fetch the report grouped by it (group_by={where}).");

    private static string? Text(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private static long? Number(JsonElement element, string name) => element.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.Number ? value.GetInt64() : null;
}
