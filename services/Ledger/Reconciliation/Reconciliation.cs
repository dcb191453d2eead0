using System.Text.Json;
using Gateway.Ledger.Duties;
using Gateway.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace Gateway.Ledger.Reconciliation;

/// <summary>The comparison of the books, every few minutes and on demand.</summary>
internal static class Reconciliation
{
    public static WebApplicationBuilder AddReconciliation(this WebApplicationBuilder builder)
    {
        builder.Services.AddHttpClient(Reconciler.MeteringClient, client =>
        {
            client.BaseAddress = new Uri("http://metering");
            // One try: the next run is a few minutes away.
            client.Timeout = TimeSpan.FromSeconds(10);
        }).AddServiceSecret();
        builder.Services.AddSingleton<Reconciler>();
        builder.Services.AddSingleton<ReconciliationRuns>();
        builder.Services.AddSingleton<ProviderUsage.ProviderUsage>();
        builder.Services.AddHostedService<ReconciliationJob>();
        return builder;
    }

    public static WebApplication MapReconciliation(this WebApplication app)
    {
        var reconciliation = app.MapGroup("/budget/reconciliation").RequireAdmin();
        reconciliation.MapGet("", async (Reconciler reconciler, CancellationToken cancellation) =>
            await reconciler.LastAsync(cancellation) is { } last
                ? TypedResults.Content(last.Json, "application/json")
                : Problems.Result(404, "not_found", "The books have not been compared yet: POST /budget/reconciliation/run.") as IResult);
        reconciliation.MapPost("/run", async (ReconciliationRuns runs, bool? full, CancellationToken cancellation) =>
            await runs.RunAsync(full ?? false, cancellation) is { } report
                ? TypedResults.Ok(report)
                : TypedResults.Accepted("/budget/reconciliation", new { message = "The comparison goes on. GET /budget/reconciliation gives its report when it is done; until then, the one before." }) as IResult);
        return ProviderUsage.ProviderUsage.MapProviderUsage(app);
    }
}

/// <summary>Compares on the Ledger process on duty (T-27); the others show its result.</summary>
internal sealed class ReconciliationJob(
    Duty duty, Reconciler reconciler, LedgerMetrics metrics, IOptions<LedgerOptions> options, TimeProvider clock, ILogger<ReconciliationJob> logger)
    : BackgroundJob(clock, logger)
{
    private readonly DateTimeOffset began = clock.GetUtcNow();
    private DateTimeOffset? last;

    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        metrics.ReconciledAgo = () => (Clock.GetUtcNow() - (last ?? began)).TotalSeconds;
        if (last is null && await reconciler.LastAsync(stoppingToken) is { } found)
        {
            Show(found);
        }

        await Task.Delay(options.Value.ReconcileEvery, Clock, stoppingToken);
        await RunOrShowAsync(stoppingToken);
    }

    private async Task RunOrShowAsync(CancellationToken cancellation)
    {
        var known = await reconciler.LastAsync(cancellation);
        // Another process may have done it a moment ago: its result is then ours.
        if (duty.IsMine && (known is null || Clock.GetUtcNow() - known.Value.StartedAt > options.Value.ReconcileEvery * 0.8))
        {
            last = (await reconciler.RunAsync(full: false, cancellation)).StartedAt;
        }
        else if (known is { } found)
        {
            Show(found);
        }
    }

    private void Show((DateTimeOffset StartedAt, string Json) found)
    {
        last = found.StartedAt;
        var report = JsonSerializer.Deserialize<ReconciliationReport>(found.Json)!;
        (metrics.Differences, metrics.OpenAtEdges) = (report.ByKind(), ((double)report.OpenAtEdges, report.OpenForSeconds));
    }
}
