using System.Text.Json.Serialization;
using Gateway.Contracts;
using Gateway.Ledger.Budgets;
using Gateway.Ledger.Journal;
using Gateway.ServiceDefaults;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Ledger.Accounts;

internal sealed record StatementDay(
    [property: JsonPropertyName("date")] DateOnly Date,
    [property: JsonPropertyName("amount")] decimal Amount,
    [property: JsonPropertyName("entries")] long Entries,
    [property: JsonPropertyName("balance")] decimal Balance);

internal sealed record StatementEntry(
    [property: JsonPropertyName("at")] DateTimeOffset At,
    [property: JsonPropertyName("id")] Guid Id,
    [property: JsonPropertyName("kind")] string Kind,
    [property: JsonPropertyName("debit")] string Debit,
    [property: JsonPropertyName("credit")] string Credit,
    [property: JsonPropertyName("amount")] decimal Amount,
    [property: JsonPropertyName("price")] string? Price,
    [property: JsonPropertyName("reason")] string? Reason,
    [property: JsonPropertyName("author")] string? Author,
    [property: JsonPropertyName("about")] Guid? About);

internal sealed record Statement(
    [property: JsonPropertyName("account")] string Account,
    [property: JsonPropertyName("from")] DateOnly From,
    [property: JsonPropertyName("to")] DateOnly To,
    [property: JsonPropertyName("opening_balance")] decimal OpeningBalance,
    [property: JsonPropertyName("closing_balance")] decimal ClosingBalance,
    [property: JsonPropertyName("days")] IReadOnlyList<StatementDay> Days,
    [property: JsonPropertyName("last_entries")] IReadOnlyList<StatementEntry> LastEntries);

internal sealed record AdjustmentBody(
    [property: JsonPropertyName("account")] string? Account,
    [property: JsonPropertyName("amount")] decimal? Amount,
    [property: JsonPropertyName("reason")] string? Reason,
    [property: JsonPropertyName("id")] Guid? Id);

/// <summary>An adjustment as the journal has it.</summary>
internal readonly record struct BookedAdjustment(string Account, Money Amount, string? Reason, string? Author, string[] Windows);

/// <summary>What an account was booked, and corrections of it.</summary>
internal static class Statements
{
    private const int DaysMax = 400;
    private const int EntriesMax = 100;

    /// <summary>The days, newest first, whose entries are looked through for the last ones.</summary>
    private const int EntryDaysMax = 31;

    public static WebApplication MapStatements(this WebApplication app)
    {
        var budgets = app.MapGroup("/budget").RequireAdmin();
        budgets.MapGet("/statement", StatementAsync);
        budgets.MapPost("/adjust", AdjustAsync);
        return app;
    }

    private static async Task<IResult> StatementAsync(string account, DateOnly? from, DateOnly? to, NpgsqlDataSource database, TimeProvider clock, CancellationToken cancellation)
    {
        var last = to ?? DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        var first = from ?? last.AddDays(-30);
        if (first > last || last.DayNumber - first.DayNumber > DaysMax)
        {
            return Problems.Result(422, "invalid_request", $"from must be before to, and at most {DaysMax} days before it.", "from");
        }

        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var sums = new NpgsqlCommand("select day, spent_nano, entries from account_days where account = $1 and day <= $2 order by day", connection);
        sums.Parameters.AddWithValue(account);
        sums.Parameters.AddWithValue(last);
        var (opening, balance, days) = (0L, 0L, new List<StatementDay>());
        await using (var reader = await sums.ExecuteReaderAsync(cancellation))
        {
            while (await reader.ReadAsync(cancellation))
            {
                var (day, amount) = (reader.GetFieldValue<DateOnly>(0), reader.GetInt64(1));
                balance += amount;
                if (day < first)
                {
                    opening = balance;
                }
                else
                {
                    days.Add(new(day, new Money(amount).ToDollars(), reader.GetInt64(2), new Money(balance).ToDollars()));
                }
            }
        }

        var entries = await LastEntriesAsync(connection, account, days, cancellation);
        return TypedResults.Ok(new Statement(account, first, last, new Money(opening).ToDollars(), new Money(balance).ToDollars(), days, entries));
    }

    /// <summary>
    /// $1: the account; $2, $3: a day; $4: how many. Backwards along the day, looking up each entry's terms: left to itself PostgreSQL may read the
    /// whole day again for each of them (<see cref="JournalSql.AddedUp"/>).
    /// </summary>
    internal const string LastEntries = """
        select e.at, e.id, e.kind, t.debit, t.credit, case when e.reverses then -e.amount_nano else e.amount_nano end, t.price, e.reason, e.author, e.about
        from (select * from journal.entries where at >= $2 and at < $3 order by at desc) e
        cross join lateral (
            select * from journal.terms where day = ($2::timestamptz at time zone 'UTC')::date and id = e.terms and accounts @> array[$1::text] offset 0) t
        order by e.at desc limit $4
        """;

    // An account that is rarely used stands between all others of its days, and no index finds it: only days that have entries of it are read, and few.
    private static async Task<List<StatementEntry>> LastEntriesAsync(NpgsqlConnection connection, string account, List<StatementDay> days, CancellationToken cancellation)
    {
        var entries = new List<StatementEntry>();
        foreach (var day in days.Where(static day => day.Entries > 0).Reverse().Take(EntryDaysMax))
        {
            if (entries.Count == EntriesMax)
            {
                break;
            }

            await using var command = new NpgsqlCommand(LastEntries, connection);
            command.Parameters.AddWithValue(account);
            command.Parameters.AddWithValue(day.Date.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc));
            command.Parameters.AddWithValue(day.Date.AddDays(1).ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc));
            command.Parameters.AddWithValue(EntriesMax - entries.Count);
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
            {
                entries.Add(new(
                    new(reader.GetDateTime(0)), reader.GetGuid(1), reader.GetString(2), reader.GetString(3), reader.GetString(4), new Money(reader.GetInt64(5)).ToDollars(),
                    Text(reader, 6), Text(reader, 7), Text(reader, 8), reader.IsDBNull(9) ? null : reader.GetGuid(9)));
            }
        }

        return entries;
    }

    private static async Task<IResult> AdjustAsync(AdjustmentBody body, HttpContext context, Posting posting, AccountTable accounts, NpgsqlDataSource database, TimeProvider clock, CancellationToken cancellation)
    {
        if (body.Account is not { Length: > 2 and <= 512 } account || account.IndexOf('/', StringComparison.Ordinal) <= 0 || account.AsSpan().ContainsAny('\0', '\n'))
        {
            return Problems.Result(422, "invalid_request", "account must be scope/owner, such as user/team-alpha.", "account");
        }

        if (body.Amount is not { } dollars || dollars == 0 || Math.Abs(dollars) > 9_000_000_000m)
        {
            return Problems.Result(422, "invalid_request", "amount must be dollars: above 0 adds to what was spent, below 0 takes from it.", "amount");
        }

        if (string.IsNullOrWhiteSpace(body.Reason) || body.Reason.Length > 1_000 || body.Reason.Contains('\0', StringComparison.Ordinal))
        {
            return Problems.Result(422, "invalid_request", "reason is missing: an adjustment says why, in at most 1000 characters.", "reason");
        }

        var windows = (await accounts.OpenWindowsAsync([account], cancellation)).Select(window => window.Window.Id).ToArray();
        // The sender's id makes a repeat harmless: it gets the instant of the first, and the journal knows that entry already (T-27).
        var id = body.Id ?? Guid.CreateVersion7();
        await using var note = database.CreateCommand(
            "insert into adjustment_ids (id, at) values ($1, $2) on conflict (id) do update set at = adjustment_ids.at returning at");
        note.Parameters.AddWithValue(id);
        note.Parameters.AddWithValue(clock.GetUtcNow().UtcDateTime);
        var at = new DateTimeOffset((DateTime)(await note.ExecuteScalarAsync(cancellation))!);
        var entry = JournalRules.Adjustment(
            id, at, account, Money.FromDollars(dollars), windows, body.Reason, BudgetAdmin.AuthorOf(context));
        await posting.WriteAsync([entry], patient: false, cancellation);
        if (await BookedAsync(database, entry, cancellation) is not { } booked)
        {
            return Problems.Result(422, "invalid_request", $"Adjustment {id} is not booked: the database refused it, and it was set aside in rejected_records.");
        }

        if (booked.Account != account || booked.Amount != entry.Counts)
        {
            return Problems.Result(
                409, "already_exists", $"Adjustment {id} is booked already, of {booked.Amount.ToDollars()} dollars on {booked.Account}: another one needs another id.", "id");
        }

        return TypedResults.Ok(new { id, account, amount = booked.Amount.ToDollars(), reason = booked.Reason, author = booked.Author, windows = booked.Windows });
    }

    // What the journal has under an adjustment's id: the first stands. Null when it was kept aside.
    private static async Task<BookedAdjustment?> BookedAsync(NpgsqlDataSource database, JournalEntry entry, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            "select accounts[1], case when reverses then -amount_nano else amount_nano end, reason, author, windows from journal.booked where at = $1 and id = $2");
        command.Parameters.AddWithValue(entry.At.UtcDateTime);
        command.Parameters.AddWithValue(entry.Id);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation)
            ? new(reader.GetString(0), new(reader.GetInt64(1)), Text(reader, 2), Text(reader, 3), reader.GetFieldValue<string[]>(4))
            : null;
    }

    private static string? Text(NpgsqlDataReader reader, int column) => reader.IsDBNull(column) ? null : reader.GetString(column);
}
