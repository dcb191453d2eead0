using Gateway.Contracts;
using Gateway.Ledger.Journal;
using Gateway.Ledger.Leases;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Ledger.Budgets;

/// <summary>
/// Puts windows into Redis from the journal's totals: the answer to an edge that found a window unknown, newer or lost. The rows of the
/// windows stay locked until Redis has them, so that several Ledger processes, and the writer of the journal, take turns: what is
/// installed is never older than what is posted next.
/// </summary>
internal sealed class WindowInstaller(NpgsqlDataSource database, LeaseStore store, IOptions<LedgerOptions> options, LedgerMetrics metrics, TimeProvider clock, ILogger<WindowInstaller> logger)
    : IDisposable
{
    // How long after its end a window stays in Redis: requests that began before the reset settle there.
    private static readonly TimeSpan KeptAfterEnd = TimeSpan.FromDays(2);

    // Each ensure holds a connection while Redis answers; the writer of the journal must always find one.
    private readonly SemaphoreSlim turns = new(8);

    /// <summary>Upserts the definitions, opens the windows, installs them, and answers with their state, in the order asked.</summary>
    public async Task<EnsuredBudgets> EnsureAsync(EnsureBudgets asked, string source, CancellationToken cancellation)
    {
        // One edge may ask for a window twice in one call; the rows are locked in sorted order (T-52).
        var budgets = asked.Budgets
            .GroupBy(budget => budget.Window.Id, StringComparer.Ordinal)
            .Select(same => same.OrderByDescending(budget => budget.Definition.Revision).ThenByDescending(budget => budget.Granted).First())
            .OrderBy(budget => budget.Window.Id, StringComparer.Ordinal)
            .ToArray();
        await turns.WaitAsync(cancellation);
        try
        {
            var states = await InTransactionAsync(asked.EdgeId, budgets, source, cancellation);
            return new([.. asked.Budgets.Select(budget => states[budget.Window.Id])]);
        }
        finally
        {
            turns.Release();
        }
    }

    public void Dispose() => turns.Dispose();

    private async Task<Dictionary<string, WindowState>> InTransactionAsync(string edgeId, EnsureBudget[] budgets, string source, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var rows = await LockAsync(connection, edgeId, budgets, source, cancellation);
        var installs = await Task.WhenAll(rows.Select(row => InstallAsync(row, budgets, edgeId)));

        // Redis before the commit: a crash in between leaves a window that was opened and is not marked so. The next ensure marks it; only
        // a loss of Redis before that would open it without waiting for what edges hold.
        await using var mark = new NpgsqlCommand(
            "update windows set installed_at = coalesce(installed_at, now()), parked_at = null, touched_at = now() where window_id = any($1)", connection)
        {
            Parameters = { new() { Value = rows.Select(row => row.WindowId).ToArray() } },
        };
        await mark.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
        return installs.ToDictionary(state => state.WindowId, StringComparer.Ordinal);
    }

    private async Task<WindowState> InstallAsync(WindowRow row, EnsureBudget[] budgets, string edgeId)
    {
        var asked = budgets.First(budget => budget.Window.Id == row.WindowId);
        // A window that was open before and is new to Redis was lost there: live edges get a time to live to say what they hold, dead
        // ones do not speak; until then nothing is granted. A new window opens at once, and so does one that was parked (WindowParking).
        var opensIn = row.WasOpen ? options.Value.LeaseTimeToLive : TimeSpan.Zero;
        var holdings = row.Held.Where(held => held.EdgeId != edgeId).Append(new(edgeId, asked.Granted.NanoDollars, row.Posted, WrittenDown: false));
        var installed = await store.InstallAsync(
            row.WindowId, LimitInForce.Of(row.Definition, clock.GetUtcNow()), row.Spent, row.Version, opensIn, asked.Window.End + KeptAfterEnd, holdings);
        if (installed.Created)
        {
            metrics.Installed(row.WasOpen);
            if (row.WasOpen)
            {
                logger.WindowRebuilt(row.WindowId, row.Spent, installed.OpensInMs);
            }
        }

        return new(row.WindowId, new(installed.Limit), new(installed.Spent), new(installed.Leased));
    }

    private static async Task<List<WindowRow>> LockAsync(
        NpgsqlConnection connection, string edgeId, EnsureBudget[] budgets, string source, CancellationToken cancellation)
    {
        // 1. Definitions: only a higher revision changes one; what administrators made here is not an edge's to change.
        var define = new NpgsqlBatchCommand("""
            insert into budgets as b (budget_id, period, limit_nano, time_zone, soft_limit_nano, revision, source, increase_nano, increase_until)
            select distinct on (id, period) * from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9) as t (id, period, amount, zone, soft, revision, source, more, until)
            order by id, period, revision desc
            on conflict (budget_id, period) do update
            set limit_nano = excluded.limit_nano, time_zone = excluded.time_zone, soft_limit_nano = excluded.soft_limit_nano,
                increase_nano = excluded.increase_nano, increase_until = excluded.increase_until, revision = excluded.revision, updated_at = now()
            where excluded.revision > b.revision and (b.source = 'auth' or excluded.source = 'admin')
            """);
        define.Parameters.AddRange(new[]
        {
            Column.Of(budgets, budget => budget.Definition.Id, NpgsqlDbType.Text),
            Column.Of(budgets, budget => budget.Definition.Period ?? "", NpgsqlDbType.Text),
            Column.Of(budgets, budget => budget.Definition.Limit.NanoDollars, NpgsqlDbType.Bigint),
            Column.Of(budgets, budget => budget.Definition.TimeZone, NpgsqlDbType.Text),
            Column.Of(budgets, budget => budget.Definition.SoftLimit?.NanoDollars, NpgsqlDbType.Bigint),
            Column.Of(budgets, budget => budget.Definition.Revision, NpgsqlDbType.Bigint),
            Column.Of(budgets, _ => source, NpgsqlDbType.Text),
            Column.Of(budgets, budget => budget.Definition.Increase?.NanoDollars, NpgsqlDbType.Bigint),
            Column.Of(budgets, budget => budget.Definition.IncreaseUntil?.UtcDateTime, NpgsqlDbType.TimestampTz),
        });

        // 2. Windows: made where they are missing. One that another process is making is waited for.
        var open = new NpgsqlBatchCommand("""
            insert into windows as w (window_id, budget_id, period, starts_at, ends_at)
            select * from unnest($1, $2, $3, $4, $5)
            on conflict (window_id) do update set ends_at = coalesce(w.ends_at, excluded.ends_at)
            """);
        open.Parameters.AddRange(new[]
        {
            Column.Of(budgets, budget => budget.Window.Id, NpgsqlDbType.Text),
            Column.Of(budgets, budget => budget.Window.BudgetId, NpgsqlDbType.Text),
            Column.Of(budgets, budget => budget.Window.Period ?? "", NpgsqlDbType.Text),
            Column.Of(budgets, budget => budget.Window.Start?.UtcDateTime, NpgsqlDbType.TimestampTz),
            Column.Of(budgets, budget => budget.Window.End?.UtcDateTime, NpgsqlDbType.TimestampTz),
        });

        // 3. What is in force, with the rows locked until Redis has it.
        var ids = Column.Of(budgets, budget => budget.Window.Id, NpgsqlDbType.Text);
        var read = new NpgsqlBatchCommand("""
            select w.window_id, b.limit_nano, b.revision, w.spent_nano, w.version, w.parked_at is null and (w.installed_at is not null or w.entries > 0), coalesce(e.posted_nano, 0),
                b.increase_nano, b.increase_until
            from windows w
            join budgets b on b.budget_id = w.budget_id and b.period = w.period
            left join window_edges e on e.window_id = w.window_id and e.edge_id = $2
            where w.window_id = any($1) order by w.window_id for update of w
            """)
        {
            Parameters = { ids, new() { Value = edgeId } },
        };
        var held = new NpgsqlBatchCommand("""
            select h.window_id, h.edge_id, h.granted_nano, coalesce(e.posted_nano, 0)
            from held_by_silent_edges h left join window_edges e using (window_id, edge_id) where h.window_id = any($1)
            """)
        {
            Parameters = { ids.Clone() },
        };

        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { define, open, read, held } };
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        var rows = new List<WindowRow>(budgets.Length);
        while (await reader.ReadAsync(cancellation))
        {
            var inForce = new BudgetDefinition
            {
                Id = reader.GetString(0), Limit = new(reader.GetInt64(1)), Revision = reader.GetInt64(2),
                Increase = reader.IsDBNull(7) ? null : new Money(reader.GetInt64(7)), IncreaseUntil = reader.IsDBNull(8) ? null : new DateTimeOffset(reader.GetDateTime(8)),
            };
            rows.Add(new(reader.GetString(0), inForce, reader.GetInt64(3), reader.GetInt64(4), reader.GetBoolean(5), reader.GetInt64(6), []));
        }

        await reader.NextResultAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            rows.First(row => row.WindowId == reader.GetString(0)).Held.Add(new(reader.GetString(1), reader.GetInt64(2), reader.GetInt64(3), WrittenDown: true));
        }

        return rows;
    }

    private sealed record WindowRow(
        string WindowId, BudgetDefinition Definition, long Spent, long Version, bool WasOpen, long Posted, List<DeclaredHolding> Held);
}
