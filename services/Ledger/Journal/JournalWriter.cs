using Gateway.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Ledger.Journal;

/// <summary>A window after a transaction: what Redis is told.</summary>
/// <param name="WindowId">The window.</param>
/// <param name="Spent">Its total.</param>
/// <param name="Version">The version of that total.</param>
/// <param name="Posted">The totals of the edges that the transaction posted for.</param>
internal sealed record PostedWindow(string WindowId, long Spent, long Version, IReadOnlyDictionary<string, long> Posted);

/// <summary>What a transaction did.</summary>
/// <param name="Added">Entries that are new.</param>
/// <param name="AddedAmount">What they count, in nano-dollars.</param>
/// <param name="Repeated">Entries that were in the journal already.</param>
/// <param name="Conflicts">Repeated ids whose amount differs: the first stays, a person must look.</param>
/// <param name="Windows">The windows that changed.</param>
internal sealed record JournalResult(int Added, long AddedAmount, int Repeated, IReadOnlyList<Guid> Conflicts, IReadOnlyList<PostedWindow> Windows);

/// <summary>
/// Adds entries and moves the totals, in one transaction: entries in, totals on, commit. Everything is locked in sorted order, so writers
/// wait for each other and never for a circle (T-52). Many entries are copied in, which costs PostgreSQL a third less and takes none that
/// it knows; where it knows one (a message came again), and for a few, a statement adds them and skips what is there.
/// </summary>
internal sealed class JournalWriter(NpgsqlDataSource database, JournalRole role)
{
    /// <summary>From so many entries on a copy's round trips and parsing are worth it.</summary>
    public const int CopiedMin = 32;

    private const string Copy = """
        copy journal.entries (at, id, kind, debit, credit, amount_nano, reverses, accounts, windows, edge_id, price, reason, author, about)
        from stdin (format binary)
        """;

    private const string Insert = """
        insert into journal.entries (at, id, kind, debit, credit, amount_nano, reverses, accounts, windows, edge_id, price, reason, author, about)
        select at, id, kind, debit, credit, amount, reverses, string_to_array(accounts, E'\n'), string_to_array(windows, E'\n'), edge, price, reason, author, about
        from unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
            as entry (at, id, kind, debit, credit, amount, reverses, accounts, windows, edge, price, reason, author, about)
        on conflict (at, id) do nothing
        returning at, id
        """;

    private const string AddToWindows = """
        insert into windows as w (window_id, budget_id, period, starts_at, spent_nano, entries, version)
        select id, budget, period, starts_at, amount, entries, 1 from unnest($1, $2, $3, $4, $5, $6) as t (id, budget, period, starts_at, amount, entries)
        on conflict (window_id) do update
        set spent_nano = w.spent_nano + excluded.spent_nano, entries = w.entries + excluded.entries, version = w.version + 1, touched_at = now()
        returning window_id, spent_nano, version
        """;

    private const string AddToWindowEdges = """
        insert into window_edges as e (window_id, edge_id, posted_nano)
        select * from unnest($1, $2, $3)
        on conflict (window_id, edge_id) do update set posted_nano = e.posted_nano + excluded.posted_nano
        returning window_id, edge_id, posted_nano
        """;

    private const string AddToAccounts = """
        insert into account_days as a (account, day, spent_nano, entries)
        select * from unnest($1, $2, $3, $4)
        on conflict (account, day) do update set spent_nano = a.spent_nano + excluded.spent_nano, entries = a.entries + excluded.entries
        """;

    private const string Amounts = "select e.id, e.amount_nano from unnest($1, $2) as x (at, id) join journal.entries e on e.at = x.at and e.id = x.id";

    /// <summary>Adds what is new of <paramref name="entries"/>. Deadlocks and serialization failures are the caller's to retry: nothing was written.</summary>
    public async Task<JournalResult> AddAsync(IReadOnlyCollection<JournalEntry> entries, CancellationToken cancellation)
    {
        // The same request twice in one transaction is one entry.
        var sorted = entries.OrderBy(static entry => KeyOf(entry)).DistinctBy(static entry => KeyOf(entry)).ToArray();
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (sorted.Length >= CopiedMin)
        {
            try
            {
                await using var copying = await connection.BeginTransactionAsync(cancellation);
                await CopyAsync(connection, sorted, cancellation);
                return await FinishAsync(copying, sorted, entries.Count - sorted.Length, [], cancellation);
            }
            catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.UniqueViolation)
            {
                // One of them is in the journal: nothing was written.
            }
        }

        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var fresh = await InsertAsync(connection, sorted, cancellation);
        var conflicts = fresh.Count == sorted.Length ? [] : await ConflictsAsync(connection, [.. sorted.Where(entry => !fresh.Contains(KeyOf(entry)))], cancellation);
        return await FinishAsync(transaction, [.. sorted.Where(entry => fresh.Contains(KeyOf(entry)))], entries.Count - fresh.Count, conflicts, cancellation);
    }

    private static async Task<JournalResult> FinishAsync(
        NpgsqlTransaction transaction, JournalEntry[] added, int repeated, IReadOnlyList<Guid> conflicts, CancellationToken cancellation)
    {
        var amount = added.Sum(static entry => entry.Counts.NanoDollars);
        var windows = added.Length == 0 ? [] : await AddTotalsAsync(transaction.Connection!, JournalRules.Totals(added), cancellation);
        await transaction.CommitAsync(cancellation);
        return new(added.Length, amount, repeated, conflicts, windows);
    }

    private async Task CopyAsync(NpgsqlConnection connection, JournalEntry[] entries, CancellationToken cancellation)
    {
        if (role.SetCommand is { } set)
        {
            await using var command = new NpgsqlCommand(set, connection);
            await command.ExecuteNonQueryAsync(cancellation);
        }

        await using var rows = await connection.BeginBinaryImportAsync(Copy, cancellation);
        foreach (var entry in entries)
        {
            await rows.StartRowAsync(cancellation);
            await rows.WriteAsync(entry.At.UtcDateTime, NpgsqlDbType.TimestampTz, cancellation);
            await rows.WriteAsync(entry.Id, NpgsqlDbType.Uuid, cancellation);
            await rows.WriteAsync(KindName(entry.Kind), NpgsqlDbType.Text, cancellation);
            await rows.WriteAsync(entry.Debit, NpgsqlDbType.Text, cancellation);
            await rows.WriteAsync(entry.Credit, NpgsqlDbType.Text, cancellation);
            await rows.WriteAsync(entry.Amount.NanoDollars, NpgsqlDbType.Bigint, cancellation);
            await rows.WriteAsync(entry.Reverses, NpgsqlDbType.Boolean, cancellation);
            await rows.WriteAsync(entry.Accounts, NpgsqlDbType.Array | NpgsqlDbType.Text, cancellation);
            await rows.WriteAsync(entry.Windows, NpgsqlDbType.Array | NpgsqlDbType.Text, cancellation);
            await rows.WriteAsync(entry.EdgeId, NpgsqlDbType.Text, cancellation);
            await rows.WriteAsync(entry.Price, NpgsqlDbType.Text, cancellation);
            await rows.WriteAsync(entry.Reason, NpgsqlDbType.Text, cancellation);
            await rows.WriteAsync(entry.Author, NpgsqlDbType.Text, cancellation);
            await rows.WriteAsync(entry.About, NpgsqlDbType.Uuid, cancellation);
        }

        await rows.CompleteAsync(cancellation);
    }

    private async Task<HashSet<(long, Guid)>> InsertAsync(NpgsqlConnection connection, JournalEntry[] entries, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection);
        if (role.SetCommand is { } set)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(set));
        }

        var insert = new NpgsqlBatchCommand(Insert);
        insert.Parameters.AddRange(new[]
        {
            Column.Of(entries, entry => entry.At.UtcDateTime, NpgsqlDbType.TimestampTz),
            Column.Of(entries, entry => entry.Id, NpgsqlDbType.Uuid),
            Column.Of(entries, entry => KindName(entry.Kind), NpgsqlDbType.Text),
            Column.Of(entries, entry => entry.Debit, NpgsqlDbType.Text),
            Column.Of(entries, entry => entry.Credit, NpgsqlDbType.Text),
            Column.Of(entries, entry => entry.Amount.NanoDollars, NpgsqlDbType.Bigint),
            Column.Of(entries, entry => entry.Reverses, NpgsqlDbType.Boolean),
            Column.Of(entries, entry => string.Join('\n', entry.Accounts), NpgsqlDbType.Text),
            Column.Of(entries, entry => string.Join('\n', entry.Windows), NpgsqlDbType.Text),
            Column.Of(entries, entry => entry.EdgeId, NpgsqlDbType.Text),
            Column.Of(entries, entry => entry.Price, NpgsqlDbType.Text),
            Column.Of(entries, entry => entry.Reason, NpgsqlDbType.Text),
            Column.Of(entries, entry => entry.Author, NpgsqlDbType.Text),
            Column.Of(entries, entry => entry.About, NpgsqlDbType.Uuid),
        });
        batch.BatchCommands.Add(insert);

        var fresh = new HashSet<(long, Guid)>(entries.Length);
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        do
        {
            while (await reader.ReadAsync(cancellation))
            {
                fresh.Add((MicrosecondOf(reader.GetFieldValue<DateTimeOffset>(0)), reader.GetGuid(1)));
            }
        }
        while (await reader.NextResultAsync(cancellation));
        return fresh;
    }

    private static async Task<Guid[]> ConflictsAsync(NpgsqlConnection connection, JournalEntry[] repeated, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(Amounts, connection);
        command.Parameters.Add(Column.Of(repeated, entry => entry.At.UtcDateTime, NpgsqlDbType.TimestampTz));
        command.Parameters.Add(Column.Of(repeated, entry => entry.Id, NpgsqlDbType.Uuid));
        var amounts = new Dictionary<Guid, long>();
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            amounts[reader.GetGuid(0)] = reader.GetInt64(1);
        }

        return [.. repeated.Where(entry => amounts.TryGetValue(entry.Id, out var amount) && amount != entry.Amount.NanoDollars).Select(entry => entry.Id)];
    }

    private static async Task<IReadOnlyList<PostedWindow>> AddTotalsAsync(NpgsqlConnection connection, JournalTotals totals, CancellationToken cancellation)
    {
        var names = totals.Windows.Select(window => Budgets.WindowName.Parse(window.WindowId)).ToArray();
        var addToWindows = new NpgsqlBatchCommand(AddToWindows);
        addToWindows.Parameters.AddRange(new[]
        {
            Column.Of(totals.Windows, window => window.WindowId, NpgsqlDbType.Text),
            Column.Of(names, name => name.BudgetId, NpgsqlDbType.Text),
            Column.Of(names, name => name.Period ?? "", NpgsqlDbType.Text),
            Column.Of(names, name => name.Start?.UtcDateTime, NpgsqlDbType.TimestampTz),
            Column.Of(totals.Windows, window => window.Amount, NpgsqlDbType.Bigint),
            Column.Of(totals.Windows, window => window.Entries, NpgsqlDbType.Bigint),
        });
        var addToWindowEdges = new NpgsqlBatchCommand(AddToWindowEdges);
        addToWindowEdges.Parameters.AddRange(new[]
        {
            Column.Of(totals.WindowEdges, total => total.WindowId, NpgsqlDbType.Text),
            Column.Of(totals.WindowEdges, total => total.EdgeId, NpgsqlDbType.Text),
            Column.Of(totals.WindowEdges, total => total.Amount, NpgsqlDbType.Bigint),
        });
        var addToAccounts = new NpgsqlBatchCommand(AddToAccounts);
        addToAccounts.Parameters.AddRange(new[]
        {
            Column.Of(totals.AccountDays, total => total.Account, NpgsqlDbType.Text),
            Column.Of(totals.AccountDays, total => total.Day, NpgsqlDbType.Date),
            Column.Of(totals.AccountDays, total => total.Amount, NpgsqlDbType.Bigint),
            Column.Of(totals.AccountDays, total => total.Entries, NpgsqlDbType.Bigint),
        });

        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { addToWindows, addToWindowEdges, addToAccounts } };
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        var windows = new List<(string Id, long Spent, long Version)>(totals.Windows.Count);
        while (await reader.ReadAsync(cancellation))
        {
            windows.Add((reader.GetString(0), reader.GetInt64(1), reader.GetInt64(2)));
        }

        await reader.NextResultAsync(cancellation);
        var posted = windows.ToDictionary(window => window.Id, _ => new Dictionary<string, long>(StringComparer.Ordinal), StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellation))
        {
            posted[reader.GetString(0)][reader.GetString(1)] = reader.GetInt64(2);
        }

        return [.. windows.Select(window => new PostedWindow(window.Id, window.Spent, window.Version, posted[window.Id]))];
    }

    // As PostgreSQL tells entries apart: it keeps whole microseconds.
    private static (long At, Guid Id) KeyOf(JournalEntry entry) => (MicrosecondOf(entry.At), entry.Id);

    private static long MicrosecondOf(DateTimeOffset at) => at.UtcTicks / TimeSpan.TicksPerMicrosecond;

    private static string KindName(EntryKind kind) => kind switch
    {
        EntryKind.Usage => "usage",
        EntryKind.Adjustment => "adjustment",
        _ => "repricing",
    };
}
