using System.Globalization;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Contracts;
using Gateway.Ledger.Alerts;
using Gateway.Ledger.Budgets;
using Gateway.ServiceDefaults;
using Npgsql;

namespace Gateway.Ledger.Reconciliation.ProviderUsage;

/// <summary>A provider's usage beside the gateway's. Nothing is changed by it.</summary>
internal sealed record ProviderReport
{
    public required string Provider { get; init; }

    public required DateOnly From { get; init; }

    public required DateOnly To { get; init; }

    /// <summary>Days and models compared.</summary>
    public required int Compared { get; init; }

    public required decimal Tolerance { get; init; }

    public bool Balanced => Differences.Count == 0;

    /// <summary>Sum of the differences of cost without their signs, in dollars; 0 where the file has no costs.</summary>
    public decimal CostDifference => Differences.SelectMany(difference => difference.Figures).Where(figure => figure.What == "cost").Sum(figure => Math.Abs(figure.Difference));

    public required IReadOnlyList<ProviderDifference> Differences { get; init; }
}

/// <summary><c>/budget/reconciliation/provider</c>: takes a provider's own usage and says what differs, by day and model.</summary>
internal sealed class ProviderUsage(NpgsqlDataSource database, IHttpClientFactory clients, AlertOutbox alerts, LedgerMetrics metrics)
{
    private const int BytesMax = 32 << 20;
    private const int DaysMax = 400;
    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web) { PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };

    public static WebApplication MapProviderUsage(WebApplication app)
    {
        var provider = app.MapGroup("/budget/reconciliation/provider").RequireAdmin();
        provider.MapPost("", async (HttpContext context, ProviderUsage usage, string? provider, decimal? tolerance, CancellationToken cancellation) =>
            await usage.CompareAsync(context, provider, tolerance ?? 0, cancellation));
        provider.MapGet("", async (ProviderUsage usage, string? provider, CancellationToken cancellation) => await usage.ListAsync(provider, cancellation));
        return app;
    }

    private async Task<IResult> CompareAsync(HttpContext context, string? provider, decimal tolerance, CancellationToken cancellation)
    {
        if (provider is not { Length: > 0 and <= 100 })
        {
            return Problems.Result(422, "invalid_request", "provider is missing: whose file it is, by the name that stands before the slash in config.yaml: ?provider=openai.", "provider");
        }

        if (tolerance is < 0 or > 1)
        {
            return Problems.Result(422, "invalid_request", "tolerance is a part between 0 and 1: 0.01 is one percent.", "tolerance");
        }

        if (await ReadBodyAsync(context, cancellation) is not { } text)
        {
            return Problems.Result(413, "request_too_large", $"The file is larger than {BytesMax >> 20} MiB: send it by months.");
        }

        List<ProviderLine> theirs;
        try
        {
            theirs = ProviderUsageFile.Read(text);
        }
        catch (ProviderFileException wrong)
        {
            return Problems.Result(422, "invalid_request", wrong.Message);
        }

        var (from, to) = (theirs.Min(line => line.Day), theirs.Max(line => line.Day));
        if (to.DayNumber - from.DayNumber > DaysMax)
        {
            return Problems.Result(422, "invalid_request", $"The file is about {from:yyyy-MM-dd} to {to:yyyy-MM-dd}: at most {DaysMax} days are compared at once.");
        }

        List<DailyUsage> ours;
        try
        {
            using var client = clients.CreateClient(Reconciler.MeteringClient);
            ours = (await client.GetFromJsonAsync(
                $"/internal/usage/daily?provider={Uri.EscapeDataString(provider)}&from={from:yyyy-MM-dd}&to={to:yyyy-MM-dd}", MeteringJson.Default.ListDailyUsage, cancellation))!;
        }
        catch (Exception error) when (error is HttpRequestException or JsonException || (error is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return Problems.Result(503, "temporarily_unavailable", "Metering does not answer, and the gateway's usage is there. Try again in a moment.");
        }

        var differences = ProviderComparison.Of(ours, theirs, tolerance);
        var report = new ProviderReport
        {
            Provider = provider,
            From = from,
            To = to,
            Compared = ours.Select(usage => (usage.Day, ProviderComparison.Stem(usage.Model))).Union(theirs.Select(line => (line.Day, ProviderComparison.Stem(line.Model)))).Count(),
            Tolerance = tolerance,
            Differences = differences,
        };
        await KeepAsync(provider, text, report, BudgetAdmin.AuthorOf(context), cancellation);
        return TypedResults.Json(report, s_json);
    }

    private static async Task<string?> ReadBodyAsync(HttpContext context, CancellationToken cancellation)
    {
        if (context.Features.Get<Microsoft.AspNetCore.Http.Features.IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = BytesMax;
        }

        try
        {
            using var reader = new StreamReader(context.Request.Body, Encoding.UTF8);
            return await reader.ReadToEndAsync(cancellation);
        }
        catch (BadHttpRequestException tooLarge) when (tooLarge.StatusCode == 413)
        {
            return null;
        }
    }

    private async Task KeepAsync(string provider, string text, ProviderReport report, string author, CancellationToken cancellation)
    {
        // The same file again is one report, with what is true now: usage may have come since.
        await using var save = database.CreateCommand("""
            insert into provider_usage_reports (provider, digest, author, report) values ($1, $2, $3, $4::jsonb)
            on conflict (provider, digest) do update set report = excluded.report, author = excluded.author, imported_at = now()
            """);
        save.Parameters.AddWithValue(provider);
        save.Parameters.AddWithValue(SHA256.HashData(Encoding.UTF8.GetBytes(text)));
        save.Parameters.AddWithValue(author);
        save.Parameters.AddWithValue(JsonSerializer.Serialize(report, s_json));
        await save.ExecuteNonQueryAsync(cancellation);
        metrics.ProviderDifference = (double)report.CostDifference;
        if (!report.Balanced)
        {
            await alerts.RaiseAsync(string.Create(CultureInfo.InvariantCulture, $"reconciliation/provider/{provider}@{report.From:yyyy-MM-dd}/{report.To:yyyy-MM-dd}"), "reconciliation_difference", new()
            {
                Event = "reconciliation_difference",
                EventGroup = "proxy",
                EventMessage = $"{provider}'s own usage from {report.From:yyyy-MM-dd} to {report.To:yyyy-MM-dd} differs from the gateway's on {report.Differences.Count} days and models. See GET /budget/reconciliation/provider.",
            }, cancellation);
        }
    }

    private async Task<IResult> ListAsync(string? provider, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("select imported_at, author, report::text from provider_usage_reports where $1::text is null or provider = $1 order by imported_at desc limit 50");
        command.Parameters.Add(new() { Value = (object?)provider ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var reports = new List<object>();
        while (await reader.ReadAsync(cancellation))
        {
            reports.Add(new { imported_at = new DateTimeOffset(reader.GetDateTime(0)), author = reader.GetString(1), report = JsonSerializer.Deserialize<JsonElement>(reader.GetString(2)) });
        }

        return TypedResults.Ok(reports);
    }
}
