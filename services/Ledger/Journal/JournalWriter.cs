using Gateway.Contracts;
using Gateway.ServiceDefaults;
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

    private static readonly TableRows<EntryGroup> s_terms = new(
    [
        TableColumn.Date("day", static (EntryGroup group) => group.Day),
        TableColumn.Uuid("id", static (EntryGroup group) => group.TermsId),
        TableColumn.Text("debit", static (EntryGroup group) => group.First.Debit),
        TableColumn.Text("credit", static (EntryGroup group) => group.First.Credit),
        Texts("accounts", static entry => entry.Accounts),
        Texts("windows", static entry => entry.Windows),
        TableColumn.Text("edge_id", static (EntryGroup group) => group.First.EdgeId),
        TableColumn.Text("price", static (EntryGroup group) => group.First.Price),
    ]);

    private static readonly TableRows<GroupedEntry> s_entries = new(
    [
        TableColumn.Timestamp("at", static (GroupedEntry row) => row.Entry.At.UtcDateTime),
        TableColumn.Uuid("id", static (GroupedEntry row) => row.Entry.Id),
        TableColumn.Uuid("terms", static (GroupedEntry row) => row.Group.TermsId),
        TableColumn.BigInt("amount_nano", static (GroupedEntry row) => row.Entry.Amount.NanoDollars),
        TableColumn.Boolean("reverses", static (GroupedEntry row) => row.Entry.Reverses),
        TableColumn.Text("kind", static (GroupedEntry row) => KindName(row.Entry.Kind)),
        TableColumn.Text("reason", static (GroupedEntry row) => row.Entry.Reason),
        TableColumn.Text("author", static (GroupedEntry row) => row.Entry.Author),
        TableColumn.Uuid("about", static (GroupedEntry row) => row.Entry.About),
    ]);

    private static readonly string s_insertTerms = $"insert into journal.terms ({s_terms.Names}) select {s_terms.Expressions} from {s_terms.Unnest}";

    private static readonly string s_insert = $"""
        insert into journal.entries ({s_entries.Names})
        select {s_entries.Expressions} from {s_entries.Unnest}
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
        var rows = EntryGroup.Of(sorted);
        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (sorted.Length >= CopiedMin)
        {
            try
            {
                await using var copying = await connection.BeginTransactionAsync(cancellation);
                await CopyAsync(connection, rows, cancellation);
                return await FinishAsync(copying, rows, [], entries.Count - sorted.Length, [], cancellation);
            }
            catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.UniqueViolation)
            {
                // One of them is in the journal: nothing was written.
            }
        }

        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        var fresh = await InsertAsync(connection, rows, cancellation);
        var conflicts = fresh.Count == rows.Length ? [] : await ConflictsAsync(connection, [.. sorted.Where(entry => !fresh.Contains(KeyOf(entry)))], cancellation);
        GroupedEntry[] added = [.. rows.Where(row => fresh.Contains(KeyOf(row.Entry)))];
        return await FinishAsync(transaction, added, GroupsOf(added), entries.Count - fresh.Count, conflicts, cancellation);
    }

    // Terms: those of the added that are not written yet.
    private static async Task<JournalResult> FinishAsync(
        NpgsqlTransaction transaction, GroupedEntry[] added, EntryGroup[] terms, int repeated, IReadOnlyList<Guid> conflicts, CancellationToken cancellation)
    {
        var amount = added.Sum(static row => row.Entry.Counts.NanoDollars);
        var windows = added.Length == 0 ? [] : await AddTotalsAsync(transaction.Connection!, JournalRules.Totals(added), terms, cancellation);
        await transaction.CommitAsync(cancellation);
        return new(added.Length, amount, repeated, conflicts, windows);
    }

    private static EntryGroup[] GroupsOf(GroupedEntry[] entries) => [.. entries.Select(static row => row.Group).Distinct()];

    private async Task CopyAsync(NpgsqlConnection connection, GroupedEntry[] entries, CancellationToken cancellation)
    {
        if (role.SetCommand is { } set)
        {
            await using var command = new NpgsqlCommand(set, connection);
            await command.ExecuteNonQueryAsync(cancellation);
        }

        await s_entries.CopyAsync(connection, "journal.entries", entries, cancellation);
        await s_terms.CopyAsync(connection, "journal.terms", GroupsOf(entries), cancellation);
    }

    private async Task<HashSet<(long, Guid)>> InsertAsync(NpgsqlConnection connection, GroupedEntry[] entries, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(connection);
        if (role.SetCommand is { } set)
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(set));
        }

        batch.BatchCommands.Add(CommandOf(s_insert, s_entries.Parameters(entries)));
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

    private static NpgsqlBatchCommand CommandOf(string sql, IEnumerable<NpgsqlParameter> parameters)
    {
        var command = new NpgsqlBatchCommand(sql);
        foreach (var parameter in parameters)
        {
            command.Parameters.Add(parameter);
        }

        return command;
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

    private static async Task<IReadOnlyList<PostedWindow>> AddTotalsAsync(NpgsqlConnection connection, JournalTotals totals, EntryGroup[] terms, CancellationToken cancellation)
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
        if (terms.Length > 0)
        {
            batch.BatchCommands.Insert(0, CommandOf(s_insertTerms, s_terms.Parameters(terms)));
        }

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

    // No name has a line feed: JournalRules refuses it.
    private static TableColumn<EntryGroup> Texts(string name, Func<JournalEntry, string[]> value) =>
        TableColumn.Texts(name, (EntryGroup group) => value(group.First), static names => string.Join('\n', names), $@"string_to_array({name}, E'\n')");

    private static string KindName(EntryKind kind) => kind switch
    {
        EntryKind.Usage => "usage",
        EntryKind.Adjustment => "adjustment",
        _ => "repricing",
    };
}
