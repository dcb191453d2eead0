using Gateway.Contracts;
using Gateway.Ledger.Budgets;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using StackExchange.Redis;

namespace Gateway.Ledger.Leases;

/// <summary>
/// Goes over all open windows every few seconds, on one Ledger process at a time (T-27): takes back what silent edges hold, tells Redis
/// totals that it missed, and measures what is left.
/// </summary>
internal sealed class LeasePass(
    NpgsqlDataSource database, LeaseStore store, LedgerMetrics metrics, IOptions<LedgerOptions> options, TimeProvider clock, ILogger<LeasePass> logger)
    : BackgroundService
{
    private const long Lock = 0x6c65_6173_6573;

    // Windows in one pipelined round: bounds what is under way in Redis.
    private const int RoundSize = 256;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(options.Value.ReclaimEvery, clock);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await RunOnceAsync(stoppingToken);
                await timer.WaitForNextTickAsync(stoppingToken);
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is NpgsqlException or RedisException or TimeoutException or System.Net.Sockets.SocketException)
            {
                logger.PassFailed(error.GetType().Name);
                await Task.Delay(options.Value.ReclaimEvery, clock, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
        }
    }

    /// <summary>One pass; false when another process is at it.</summary>
    public async Task<bool> RunOnceAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (!await AdvisoryLock.TryTakeAsync(connection, Lock, cancellation))
        {
            return false;
        }

        try
        {
            var closed = await ClosedAsync(connection, cancellation);
            var windows = await WindowsAsync(connection, cancellation);
            foreach (var round in windows.Chunk(RoundSize))
            {
                var reclaimed = await Task.WhenAll(round.Select(async window =>
                    (Window: window, Result: await store.ReclaimAsync(window.Id, options.Value.LeaseTimeToLive, options.Value.ForgetEdgeAfter, options.Value.GoneEdgeAfter, closed))));
                foreach (var (window, result) in reclaimed)
                {
                    if (result is null)
                    {
                        continue;
                    }

                    if (result.GivenBack > 0)
                    {
                        metrics.Reclaimed(result.GivenBack);
                        logger.LeasesReclaimed(result.GivenBack, window.Id);
                    }

                    if (result.SpentVersion < window.Version)
                    {
                        await TellAgainAsync(connection, window.Id, cancellation);
                    }
                }

                await NoteHeldAsync(
                    connection,
                    [.. reclaimed.Where(pair => pair.Result is not null).Select(pair => pair.Window.Id)],
                    [.. reclaimed.Where(pair => pair.Result is not null).SelectMany(pair => pair.Result!.StillHeld.Select(held => (pair.Window.Id, held.EdgeId, held.Granted)))],
                    cancellation);
            }

            if (closed.Length > 0)
            {
                await SettledAsync(connection, closed, cancellation);
            }

            metrics.Budgets = await RemainingAsync(connection, cancellation);
        }
        finally
        {
            await AdvisoryLock.ReleaseAsync(connection, Lock);
        }

        return true;
    }

    private async Task<string[]> ClosedAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            "select coalesce(array_agg(edge_id), '{}') from closed_edges where reclaimed_at is null and settled_at < now() - $1", connection)
        {
            Parameters = { new() { Value = options.Value.ClosedEdgeGrace } },
        };
        return (string[])(await command.ExecuteScalarAsync(cancellation))!;
    }

    private static async Task<List<(string Id, long Version)>> WindowsAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        // A window that is over takes late records for two days, as long as it stays in Redis.
        await using var command = new NpgsqlCommand(
            "select window_id, version from windows where installed_at is not null and (ends_at is null or ends_at > now() - interval '2 days')", connection);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var windows = new List<(string, long)>();
        while (await reader.ReadAsync(cancellation))
        {
            windows.Add((reader.GetString(0), reader.GetInt64(1)));
        }

        return windows;
    }

    // Redis missed totals: it was away, or the process that was to tell it died. All of the window's edges, because it is not known whose.
    private async Task TellAgainAsync(NpgsqlConnection connection, string windowId, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            """
            select w.spent_nano, w.version, e.edge_id, e.posted_nano
            from windows w left join window_edges e using (window_id) where w.window_id = $1
            """, connection)
        {
            Parameters = { new() { Value = windowId } },
        };
        var (spent, version, posted) = (0L, 0L, new Dictionary<string, long>(StringComparer.Ordinal));
        await using (var reader = await command.ExecuteReaderAsync(cancellation))
        {
            while (await reader.ReadAsync(cancellation))
            {
                (spent, version) = (reader.GetInt64(0), reader.GetInt64(1));
                if (!reader.IsDBNull(2))
                {
                    posted[reader.GetString(2)] = reader.GetInt64(3);
                }
            }
        }

        await store.PostAsync(windowId, spent, version, posted);
    }

    private static async Task NoteHeldAsync(
        NpgsqlConnection connection, string[] windows, (string Window, string Edge, long Granted)[] held, CancellationToken cancellation)
    {
        var names = held.Select(item => item.Window).ToArray();
        var edges = held.Select(item => item.Edge).ToArray();
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("""
                    delete from held_by_silent_edges h where window_id = any($1)
                        and not exists (select from unnest($2, $3) as t (w, e) where t.w = h.window_id and t.e = h.edge_id)
                    """)
                {
                    Parameters = { new() { Value = windows }, new() { Value = names }, new() { Value = edges } },
                },
                new("""
                    insert into held_by_silent_edges (window_id, edge_id, granted_nano) select * from unnest($1, $2, $3)
                    on conflict (window_id, edge_id) do update set granted_nano = excluded.granted_nano
                    """)
                {
                    Parameters = { new() { Value = names }, new() { Value = edges }, new() { Value = held.Select(item => item.Granted).ToArray() } },
                },
            },
        };
        await batch.ExecuteNonQueryAsync(cancellation);
    }

    private async Task SettledAsync(NpgsqlConnection connection, string[] edges, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("update closed_edges set reclaimed_at = now() where edge_id = any($1)") { Parameters = { new() { Value = edges } } },
                new("delete from held_by_silent_edges where edge_id = any($1)") { Parameters = { new() { Value = edges } } },
            },
        };
        await batch.ExecuteNonQueryAsync(cancellation);
        foreach (var edge in edges)
        {
            logger.EdgeSettled(edge);
        }
    }

    private async Task<List<BudgetLeft>> RemainingAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            """
            select b.budget_id, 1 - w.spent_nano::float8 / nullif(b.limit_now, 0)
            from windows w join budgets b using (budget_id, period)
            where (w.ends_at is null or w.ends_at > now()) and (w.starts_at is null or w.starts_at <= now()) and b.limit_now > 0
            order by 2 limit $1
            """, connection)
        {
            Parameters = { new() { Value = options.Value.BudgetsInMetrics, NpgsqlDbType = NpgsqlDbType.Integer } },
        };
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var left = new Dictionary<string, BudgetLeft>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellation))
        {
            // Several windows of one owner: the tightest one is the metric, and comes first.
            var id = reader.GetString(0);
            left.TryAdd(id, new(BudgetId.ScopeOf(id), BudgetId.OwnerOf(id), reader.GetDouble(1)));
        }

        return [.. left.Values];
    }
}
