using Gateway.Ledger.Duties;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Ledger.Budgets;

/// <summary>What one run forgot: rows of each.</summary>
internal readonly record struct ForgottenRows(int Windows, int EdgesInWindows, int Edges, int Alerts, int Reports);

/// <summary>
/// Forgets what a gateway with a window for each end user and day would keep without end, and nobody asks for any more: windows that are over
/// and that nothing touched for <see cref="LedgerOptions.WindowsKeptFor"/>, with their alerts; what closed edges were booked in each window, which
/// Redis alone asks for, and only while they hold something; old reports of comparisons. What was spent stays in the journal and in the days
/// of its accounts. A window of a budget without a period is never over: it is what was spent.
/// </summary>
internal sealed class WindowRetention(NpgsqlDataSource database, Duty duty, IOptions<LedgerOptions> options, TimeProvider clock, ILogger<WindowRetention> logger) : HourlyDuty(clock, logger)
{
    // A closed edge's leases are back for good by then, and nobody compares what it was granted with what it was booked.
    private static readonly TimeSpan ClosedEdgesKeptFor = TimeSpan.FromDays(2);

    // Where nobody ever opened the window, a record alone made its row: its end is not known, but it began before.
    private const string Windows = """
        with gone as (
            delete from windows where window_id in (
                select window_id from windows
                where touched_at < $1 and (coalesce(ends_at, 'infinity') < $1 or (coalesce(ends_at, 'infinity') = 'infinity' and starts_at < $1)) limit $2 for update skip locked)
            returning window_id),
        edges as (delete from window_edges where window_id in (select window_id from gone)),
        held as (delete from held_by_silent_edges where window_id in (select window_id from gone)),
        seals as (delete from window_seals where window_id in (select window_id from gone))
        """;

    private const string EdgesInWindows = """
        with gone as (
            delete from window_edges where (window_id, edge_id) in (
                select e.window_id, e.edge_id from closed_edges c join window_edges e using (edge_id) where c.reclaimed_at < $1 limit $2)
            returning 1)
        """;

    private const string Edges = """
        with gone as (delete from closed_edges where edge_id in (select edge_id from closed_edges where reclaimed_at < $1 limit $2) returning 1)
        """;

    // While its window is there it says that the alert was raised. What is not delivered by then was given up long ago.
    private const string Alerts = """
        with gone as (
            delete from alerts where id in (
                select id from alerts a where raised_at < $1 and not exists (select from windows w where w.window_id = a.subject) order by id limit $2)
            returning id),
        deliveries as (delete from alert_deliveries where alert_id in (select id from gone))
        """;

    private const string Reports = """
        with gone as (
            delete from reconciliations where id in (
                select id from reconciliations where started_at < $1 and id < (select max(id) from reconciliations) order by id limit $2)
            returning 1)
        """;

    /// <summary>How long a window is kept that is over.</summary>
    public static TimeSpan KeptFor(LedgerOptions options) => options.WindowsKeptFor > options.RecordAgeMax ? options.WindowsKeptFor : options.RecordAgeMax;

    /// <summary>One run.</summary>
    public async Task<ForgottenRows> RunAsync(CancellationToken cancellation)
    {
        if (!duty.IsMine)
        {
            return default;
        }

        var now = Clock.GetUtcNow();
        var old = now - KeptFor(options.Value);
        // An edge after its rows, and an alert after its window: what is cut short is found again.
        var forgotten = new ForgottenRows(
            await DeleteAsync(Windows, old, cancellation), await DeleteAsync(EdgesInWindows, now - ClosedEdgesKeptFor, cancellation), await DeleteAsync(Edges, now - ClosedEdgesKeptFor, cancellation),
            await DeleteAsync(Alerts, old, cancellation), await DeleteAsync(Reports, now - options.Value.ReportsKeptFor, cancellation));
        if (forgotten != default)
        {
            Logger.WindowsForgotten(forgotten.Windows, forgotten.EdgesInWindows, forgotten.Edges, forgotten.Alerts, forgotten.Reports);
        }

        return forgotten;
    }

    protected override Task LookAsync(CancellationToken cancellation) => RunAsync(cancellation);

    private Task<int> DeleteAsync(string piece, DateTimeOffset before, CancellationToken cancellation) => ForgottenPieces.DeleteAsync(database, piece, before, cancellation);
}
