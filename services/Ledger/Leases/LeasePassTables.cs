using Gateway.Contracts;
using Gateway.Ledger.Duties;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Ledger.Leases;

/// <summary>A window that is open, or closed so lately that records of it may still come.</summary>
/// <param name="Id">The window.</param>
/// <param name="Version">The version of its total.</param>
/// <param name="End">When it is over; the last instant there is for one that never is.</param>
internal readonly record struct PassWindow(string Id, long Version, DateTime End);

/// <summary>What a pass over all windows begins with.</summary>
/// <param name="Windows">The windows to look at: see <see cref="LeasePassTables.ReadAsync"/>.</param>
/// <param name="Closed">Edges of which the queue was read to its end.</param>
/// <param name="ClosedLater">Whether there are closed edges whose records may still be on their way.</param>
/// <param name="Left">What is left of the budgets closest to their limit.</param>
internal sealed record PassInput(IReadOnlyList<PassWindow> Windows, IReadOnlyList<ClosedEdge> Closed, bool ClosedLater, IReadOnlyList<BudgetLeft> Left)
{
    public static PassInput Empty { get; } = new([], [], false, []);
}

/// <summary>The statements of <see cref="LeasePass"/>. Each call is one transaction.</summary>
internal sealed class LeasePassTables(NpgsqlDataSource database, LeaseStore store, LedgerProcesses processes, IOptions<LedgerOptions> options, ILogger<LeasePass> logger)
{
    // Windows beside those that were touched lately, in one pass: so many that a hundred thousand have their turn in less time than a silent
    // edge is waited for.
    private const int IdleMax = 2_000;
    private static readonly TimeSpan TouchedFor = TimeSpan.FromHours(1);
    private static readonly PassWindow s_begin = new("", 0, DateTime.SpecifyKind(DateTime.MinValue, DateTimeKind.Utc));

    private PassWindow after = s_begin;

    /// <summary>
    /// What a pass begins with. All windows that were ever put into Redis and are not over for long are looked at when
    /// <paramref name="all"/>, or when an edge was closed: its leases may be anywhere. Else those touched lately, those of which something is
    /// leased, and a piece of the others in turn: an idle budget has nothing that could be taken back, but for what an edge leased and never used.
    /// </summary>
    public async Task<PassInput> ReadAsync(bool all, IReadOnlyCollection<string> leased, CancellationToken cancellation)
    {
        // Where there is no other process, or each has said that its hands were empty, nobody else has records of a closed edge in hand.
        const string isOver = """
            settled_at < now() - case
                when exists (select from ledger_processes where process_id <> $1) and exists (select from ledger_processes where emptied_at <= settled_at) then $2 else interval '0' end
            """;
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new($"select edge_id, {isOver}, settled_at < now() - $3 from closed_edges where reclaimed_at is null")
        {
            Parameters = { new() { Value = processes.Own }, new() { Value = options.Value.ClosedEdgeGrace }, new() { Value = options.Value.GoneEdgeAfter } },
        });
        // A window that is over takes late records for two days, as long as it stays in Redis.
        const string open = "select window_id, version, coalesce(ends_at, 'infinity') from windows where installed_at is not null and coalesce(ends_at, 'infinity') > now() - interval '2 days'";
        batch.BatchCommands.Add(new($"{open} and ($3 or exists (select from closed_edges where reclaimed_at is null and {isOver}))")
        {
            Parameters = { new() { Value = processes.Own }, new() { Value = options.Value.ClosedEdgeGrace }, new() { Value = all } },
        });
        batch.BatchCommands.Add(new($"({open} and touched_at > now() - $1) union ({open} and window_id = any($2))")
        {
            Parameters = { new() { Value = TouchedFor }, new() { Value = leased.ToArray() } },
        });
        batch.BatchCommands.Add(new($"{open} and (coalesce(ends_at, 'infinity'), window_id) > ($1, $2) order by coalesce(ends_at, 'infinity'), window_id limit {IdleMax}")
        {
            Parameters = { new() { Value = after.End }, new() { Value = after.Id } },
        });
        batch.BatchCommands.Add(new("""
            select b.budget_id, 1 - w.spent_nano::float8 / nullif(b.limit_now, 0)
            from windows w join budgets b using (budget_id, period)
            where coalesce(w.ends_at, 'infinity') > now() and (w.starts_at is null or w.starts_at <= now()) and b.limit_now > 0
            order by 2 limit $1
            """)
        {
            Parameters = { new() { Value = options.Value.BudgetsInMetrics, NpgsqlDbType = NpgsqlDbType.Integer } },
        });

        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        var (closed, closedLater) = (new List<ClosedEdge>(), false);
        while (await reader.ReadAsync(cancellation))
        {
            if (!reader.IsDBNull(1) && reader.GetBoolean(1))
            {
                closed.Add(new(reader.GetString(0), reader.GetBoolean(2)));
            }
            else
            {
                closedLater |= !reader.IsDBNull(1);
            }
        }

        var whole = await WindowsAsync(reader, cancellation);
        var lately = await WindowsAsync(reader, cancellation);
        var idle = await WindowsAsync(reader, cancellation);
        after = idle.Count < IdleMax ? s_begin : idle[^1];

        await reader.NextResultAsync(cancellation);
        var left = new Dictionary<string, BudgetLeft>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellation))
        {
            // Several windows of one owner: the tightest one is the metric, and comes first.
            var id = reader.GetString(0);
            left.TryAdd(id, new(BudgetId.ScopeOf(id), BudgetId.OwnerOf(id), reader.GetDouble(1)));
        }

        return new(whole.Count > 0 ? whole : [.. lately.Concat(idle).DistinctBy(window => window.Id)], closed, closedLater, [.. left.Values]);
    }

    private static async Task<List<PassWindow>> WindowsAsync(NpgsqlDataReader reader, CancellationToken cancellation)
    {
        await reader.NextResultAsync(cancellation);
        var windows = new List<PassWindow>();
        while (await reader.ReadAsync(cancellation))
        {
            windows.Add(new(reader.GetString(0), reader.GetInt64(1), DateTime.SpecifyKind(reader.GetDateTime(2), DateTimeKind.Utc)));
        }

        return windows;
    }

    /// <summary>What is written down of silent edges in all windows.</summary>
    public async Task<Dictionary<string, IReadOnlyList<(string EdgeId, long Granted)>>> NotedAsync(CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("select window_id, edge_id, granted_nano from held_by_silent_edges");
        var held = new List<(string Window, string EdgeId, long Granted)>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            held.Add((reader.GetString(0), reader.GetString(1), reader.GetInt64(2)));
        }

        return held.GroupBy(holding => holding.Window, StringComparer.Ordinal).ToDictionary(
            window => window.Key, window => (IReadOnlyList<(string, long)>)[.. window.Select(holding => (holding.EdgeId, holding.Granted))], StringComparer.Ordinal);
    }

    /// <summary>Tells Redis the totals of a window, and of all of its edges, because it is not known whose it missed.</summary>
    public async Task TellAgainAsync(string windowId, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("""
            select w.spent_nano, w.version, e.edge_id, e.posted_nano
            from windows w left join window_edges e using (window_id) where w.window_id = $1
            """);
        command.Parameters.AddWithValue(windowId);
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

    /// <summary>
    /// Writes down what silent edges hold in these windows now, in place of what was written before. What was written of those in
    /// <paramref name="closed"/> that nobody waits for any more stays for <see cref="SettleAsync"/>, which tells by it whether something is missing.
    /// </summary>
    public async Task NoteHeldAsync(
        IReadOnlyCollection<(string Window, IReadOnlyList<(string EdgeId, long Granted)> Held)> windows, IReadOnlyList<ClosedEdge> closed, CancellationToken cancellation)
    {
        var held = windows.SelectMany(window => window.Held.Select(holding => (window.Window, holding.EdgeId, holding.Granted))).ToArray();
        var (names, edges) = (held.Select(item => item.Window).ToArray(), held.Select(item => item.EdgeId).ToArray());
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new("""
            delete from held_by_silent_edges h where window_id = any($1) and edge_id <> all($4)
                and not exists (select from unnest($2, $3) as t (w, e) where t.w = h.window_id and t.e = h.edge_id)
            """)
        {
            Parameters =
            {
                new() { Value = windows.Select(window => window.Window).ToArray() }, new() { Value = names }, new() { Value = edges },
                new() { Value = closed.Where(edge => edge.ForGood).Select(edge => edge.EdgeId).ToArray() },
            },
        });
        batch.BatchCommands.Add(new("""
            insert into held_by_silent_edges (window_id, edge_id, granted_nano) select * from unnest($1, $2, $3)
            on conflict (window_id, edge_id) do update set granted_nano = excluded.granted_nano
            """)
        {
            Parameters = { new() { Value = names }, new() { Value = edges }, new() { Value = held.Select(item => item.Granted).ToArray() } },
        });
        await batch.ExecuteNonQueryAsync(cancellation);
    }

    /// <summary>Notes of which closed edges the leases are back for good: of those that hold nothing any more, and of those that nobody waits for any more.</summary>
    public async Task SettleAsync(IReadOnlyList<ClosedEdge> edges, CancellationToken cancellation)
    {
        await using var settle = database.CreateCommand("""
            with settled as (
                update closed_edges c set reclaimed_at = now()
                from (
                    select edge, for_good, exists (
                        select from held_by_silent_edges h left join window_edges e using (window_id, edge_id)
                        where h.edge_id = edge and h.granted_nano > coalesce(e.posted_nano, 0)) as lacks
                    from unnest($1, $2) as t (edge, for_good)) asked
                where c.edge_id = asked.edge and (asked.for_good or not asked.lacks)
                returning c.edge_id, asked.lacks),
            notes as (delete from held_by_silent_edges where edge_id in (select edge_id from settled))
            select edge_id, lacks from settled
            """);
        settle.Parameters.Add(new() { Value = edges.Select(edge => edge.EdgeId).ToArray() });
        settle.Parameters.Add(new() { Value = edges.Select(edge => edge.ForGood).ToArray() });
        await using var reader = await settle.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            if (reader.GetBoolean(1))
            {
                logger.EdgeSettledWithoutAll(reader.GetString(0));
            }
            else
            {
                logger.EdgeSettled(reader.GetString(0));
            }
        }
    }
}
