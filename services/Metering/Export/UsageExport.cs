using System.Buffers;
using System.Globalization;
using System.IO.Pipelines;
using System.Text;
using System.Text.Json;
using Gateway.Metering.Reports;
using Gateway.ServiceDefaults;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Metering.Export;

/// <summary>
/// <c>/usage/export</c>: every request of a range, as CSV or as one JSON object a line. Rows go from the database to the client as they come,
/// so ten million need no more memory than ten; a client that reads slowly slows the query, and one that leaves ends it.
/// </summary>
internal sealed class UsageExport(NpgsqlDataSource database, IOptions<MeteringOptions> options) : IDisposable
{
    private const int FlushAt = 64 * 1024;

    private readonly SemaphoreSlim slots = new(options.Value.ConcurrentExports);

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/usage/export", static (HttpContext http, UsageExport export, KeyLookup keys) => export.Answer(http, keys));

    public void Dispose() => slots.Dispose();

    private async Task<IResult> Answer(HttpContext http, KeyLookup keys)
    {
        var (filter, refusal) = ReportFilter.Read(http.Request.Query);
        if (refusal is null)
        {
            (filter, refusal) = await keys.ResolveAsync(filter, http.RequestAborted);
        }

        if (refusal is not null)
        {
            return refusal;
        }

        var format = http.Request.Query["format"] is [{ Length: > 0 } given] ? given : "csv";
        if (format is not ("csv" or "ndjson"))
        {
            return Problems.Result(422, "invalid_request", "format must be csv or ndjson.", "format");
        }

        if (!await slots.WaitAsync(TimeSpan.Zero, http.RequestAborted))
        {
            http.Response.Headers.RetryAfter = "30";
            return Problems.Result(503, "temporarily_unavailable", "Too many exports are under way. Try again when one has ended.");
        }

        try
        {
            await WriteAsync(http, filter, Visibility.Of(CallerIdentity.From(http)!), format == "csv", http.RequestAborted);
            return TypedResults.Empty;
        }
        finally
        {
            slots.Release();
        }
    }

    private async Task WriteAsync(HttpContext http, ReportFilter filter, Visibility visibility, bool csv, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var where = filter.OnRecords(visibility);
        // No end of its own: a long export is bounded by its client, and holds one of few slots. The order is the primary key's, newest first.
        await using var command = new NpgsqlCommand(SpendLog.Select($"select * from usage_records {where}"), connection) { CommandTimeout = 0 };
        where.Bind(command);
        await using var reader = await command.ExecuteReaderAsync(cancellation);

        // From here on the answer has begun: a failure cuts the connection, so a client never takes a part for the whole.
        http.Response.ContentType = csv ? "text/csv; charset=utf-8" : "application/x-ndjson";
        http.Response.Headers.ContentDisposition = $"attachment; filename=\"usage.{(csv ? "csv" : "ndjson")}\"";
        var output = http.Response.BodyWriter;
        if (csv)
        {
            Text(output, CsvRow.Header);
        }

        try
        {
            while (await reader.ReadAsync(cancellation))
            {
                var row = SpendLog.Read(reader);
                if (csv)
                {
                    Text(output, CsvRow.Of(row));
                }
                else
                {
                    Json(output, row);
                }

                if (output.UnflushedBytes >= FlushAt)
                {
                    var flushed = await output.FlushAsync(cancellation);
                    if (flushed.IsCompleted)
                    {
                        return;
                    }
                }
            }

            await output.FlushAsync(cancellation);
        }
        catch (NpgsqlException)
        {
            http.Abort();
        }
    }

    private static void Text(PipeWriter output, string line) => Encoding.UTF8.GetBytes(line, output);

    private static void Json(PipeWriter output, SpendLog row)
    {
        using (var writer = new Utf8JsonWriter((IBufferWriter<byte>)output))
        {
            JsonSerializer.Serialize(writer, row, ReportsJson.Default.SpendLog);
        }

        output.Write("\n"u8);
    }
}

/// <summary>A request as a line of CSV (RFC 4180).</summary>
internal static class CsvRow
{
    public const string Header =
        "request_id,start_time,end_time,call_type,api_key,key_alias,user,team_id,organization_id,end_user,model_group,model,model_id,provider,status,http_status," +
        "outcome,stream,input_tokens,cached_input_tokens,cache_write_5m_tokens,cache_write_1h_tokens,input_audio_tokens,output_tokens,reasoning_tokens," +
        "output_audio_tokens,images,total_tokens,spend,usage_estimated,unpriced,price,attempted_retries,request_tags,credential,corrects,written_off\r\n";

    public static string Of(SpendLog row)
    {
        var usage = row.Metadata.Usage;
        return string.Join(',',
        [
            row.RequestId, Time(row.StartTime), Time(row.EndTime), Field(row.CallType), Field(row.ApiKey), Field(row.Metadata.KeyAlias), Field(row.User),
            Field(row.TeamId), Field(row.OrganizationId), Field(row.EndUser), Field(row.ModelGroup), Field(row.Model), Field(row.ModelId),
            Field(row.CustomLlmProvider), row.Status, Number(row.Metadata.HttpStatus), row.Metadata.GatewayOutcome, Flag(row.Metadata.Stream),
            Number(usage.Input), Number(usage.CachedInput), Number(usage.CacheWrite5m), Number(usage.CacheWrite1h), Number(usage.InputAudio),
            Number(usage.Output), Number(usage.Reasoning), Number(usage.OutputAudio), Number(usage.Images), Number(row.TotalTokens),
            row.Spend.ToString(CultureInfo.InvariantCulture), Flag(row.Metadata.UsageEstimated), Flag(row.Metadata.Unpriced), Field(row.Metadata.Price),
            Number(row.Metadata.AttemptedRetries), Field(string.Join(';', row.RequestTags)), Field(row.Metadata.Credential),
            row.Metadata.Corrects?.ToString() ?? "", row.Metadata.WrittenOff.ToString(CultureInfo.InvariantCulture),
        ]) + "\r\n";
    }

    /// <summary>
    /// A field that holds no line of its own making. Callers choose their tags and end users, and a spreadsheet runs a cell that begins like a
    /// formula: such a cell gets an apostrophe in front.
    /// </summary>
    internal static string Field(string? text)
    {
        if (string.IsNullOrEmpty(text))
        {
            return "";
        }

        if (text[0] is '=' or '+' or '-' or '@' or '\t' or '\r')
        {
            text = "'" + text;
        }

        return text.AsSpan().IndexOfAny(",\"\r\n") < 0 ? text : $"\"{text.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";
    }

    private static string Number(long number) => number.ToString(CultureInfo.InvariantCulture);

    private static string Flag(bool flag) => flag ? "true" : "false";

    private static string Time(DateTime time) => time.ToString("yyyy-MM-ddTHH:mm:ss.ffffffZ", CultureInfo.InvariantCulture);
}
