using System.Globalization;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Contracts;
using Gateway.Ledger.Alerts;
using Gateway.Ledger.Journal;
using Gateway.Ledger.Leases;
using Gateway.ServiceDefaults;
using Microsoft.Extensions.Options;
using Npgsql;
using StackExchange.Redis;

namespace Gateway.Ledger.Reconciliation;

/// <summary>What Metering has in a period (<c>GET /internal/usage/totals</c>).</summary>
internal sealed record UsageTotals([property: JsonPropertyName("rows")] long Rows, [property: JsonPropertyName("cost")] long Cost);

/// <summary>The same for one day (UTC): <c>by=day</c>.</summary>
internal sealed record UsageDay([property: JsonPropertyName("day")] DateOnly Day, [property: JsonPropertyName("rows")] long Rows, [property: JsonPropertyName("cost")] long Cost);

/// <summary>Compares the journal with everything that was added up from it. No book is changed.</summary>
internal sealed class Reconciler(
    NpgsqlDataSource database, IConnectionMultiplexer redis, RejectedRecords rejected, AlertOutbox alerts, IHttpClientFactory clients, IOptions<LedgerOptions> options,
    LedgerMetrics metrics, TimeProvider clock, ILogger<Reconciler> logger)
{
    public const string MeteringClient = "metering";
    private const int DifferencesMax = 200;
    private const int AttemptsMax = 5;

    private readonly OpenCharges open = new();

    // Records of the last moments are still on their way to one of the two.
    private static readonly TimeSpan UsageLag = TimeSpan.FromMinutes(2);

    public async Task<ReconciliationReport> RunAsync(bool full, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var to = now - UsageLag;
        var from = new DateTimeOffset(now.UtcDateTime.Date.AddDays(1 - options.Value.ReconcileDays), TimeSpan.Zero);
        var differences = new List<Difference>();
        var notCompared = new List<string>();

        // 1. The journal against its own totals, in one snapshot.
        var windows = await CompareTotalsAsync(from, now, full, differences, cancellation);
        if (!full)
        {
            notCompared.Add($"Windows that are over and that nothing touched since {from:yyyy-MM-dd}, totals of days before, and what an earlier comparison has added up already: POST /budget/reconciliation/run?full=true adds all up from the first entry.");
        }

        if (windows.NotForRedis > 0)
        {
            notCompared.Add($"{windows.NotForRedis} open windows that nothing touched since {from:yyyy-MM-dd} were not looked up in Redis: POST /budget/reconciliation/run?full=true does.");
        }

        // 2. Redis against the totals.
        var (inRedis, onTheirWay) = await CompareRedisAsync(windows.ForRedis, now, differences, notCompared);
        var (unposted, unpostedFor) = open.Last;
        // 3. Metering's rows against the journal's entries.
        var journal = await JournalAsync(from, to, cancellation);
        await CompareUsageAsync(from, to, journal, differences, notCompared, cancellation);

        var report = new ReconciliationReport
        {
            StartedAt = now,
            From = from,
            To = to,
            Full = full,
            JournalEntries = journal.Sum(day => day.Rows),
            JournalAmount = new Money(journal.Sum(day => day.Cost)).ToDollars(),
            WindowsCompared = windows.Compared,
            WindowsInRedis = inRedis,
            WindowsOnTheirWay = onTheirWay,
            OpenAtEdges = new Money(unposted).ToDollars(),
            OpenForSeconds = (long)unpostedFor.TotalSeconds,
            RejectedRecords = await rejected.CountAsync(cancellation),
            NotCompared = notCompared,
            Differences = [.. differences.Take(DifferencesMax)],
        };
        foreach (var difference in report.Differences)
        {
            logger.Differs(difference.Kind, difference.Subject, Money.FromDollars(difference.Amount).NanoDollars, difference.Explanation);
        }

        foreach (var (kind, count) in report.Differences.GroupBy(difference => difference.Kind, StringComparer.Ordinal).Select(same => (same.Key, same.Count())))
        {
            await alerts.RaiseAsync($"reconciliation/{kind}@{now:yyyy-MM-dd}", "reconciliation_difference", new()
            {
                Event = "reconciliation_difference",
                EventGroup = "proxy",
                EventMessage = $"The books differ in {kind} ({count} differences). See GET /budget/reconciliation.",
            }, cancellation);
        }

        metrics.Differences = report.ByKind();
        metrics.OpenAtEdges = ((double)report.OpenAtEdges, report.OpenForSeconds);
        await using var save = database.CreateCommand("insert into reconciliations (started_at, report) values ($1, $2::jsonb)");
        save.Parameters.AddWithValue(now.UtcDateTime);
        save.Parameters.AddWithValue(JsonSerializer.Serialize(report));
        await save.ExecuteNonQueryAsync(cancellation);
        return report;
    }

    /// <summary>The newest report as it was saved; null before the first.</summary>
    public async Task<(DateTimeOffset StartedAt, string Json)?> LastAsync(CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("select started_at, report::text from reconciliations order by id desc limit 1");
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        return await reader.ReadAsync(cancellation) ? (new(reader.GetDateTime(0)), reader.GetString(1)) : null;
    }

    // Another process that compares at the same time may have sealed windows meanwhile: then this one looks again, at what that one left.
    private async Task<ComparedWindows> CompareTotalsAsync(DateTimeOffset from, DateTimeOffset now, bool full, List<Difference> differences, CancellationToken cancellation)
    {
        await Seals.CatchUpAsync(database, from, now, cancellation);
        for (var attempt = 1; ; attempt++)
        {
            var found = new List<Difference>();
            try
            {
                await using var connection = await database.OpenConnectionAsync(cancellation);
                await using var snapshot = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellation);
                var windows = full
                    ? await CompareAllAsync(connection, from.UtcDateTime, found, cancellation)
                    : await CompareAsync(connection, from.UtcDateTime, await Seals.BeforeAsync(connection, cancellation) ?? from.UtcDateTime, full, found, cancellation);
                await snapshot.CommitAsync(cancellation);
                differences.AddRange(found);
                return windows;
            }
            catch (PostgresException error) when (error.SqlState == PostgresErrorCodes.SerializationFailure && attempt < AttemptsMax)
            {
            }
        }
    }

    private static async Task<ComparedWindows> CompareAllAsync(NpgsqlConnection connection, DateTime from, List<Difference> differences, CancellationToken cancellation)
    {
        await Seals.SealAnewAsync(connection, from, cancellation);
        // Days before the first entry are of months that were taken out, and agreed with their entries then.
        var first = await Seals.FirstAsync(connection, cancellation) is { } at && at < from ? at.Date : from;
        return await CompareAsync(connection, first, from, full: true, differences, cancellation);
    }

    private static async Task<ComparedWindows> CompareAsync(
        NpgsqlConnection connection, DateTime from, DateTime before, bool full, List<Difference> differences, CancellationToken cancellation)
    {
        // No day is sealed for a full comparison.
        await new DayComparison(connection).RunAsync(from, full ? from : before, (account, day, booked, spent) => differences.Add(Difference.Of(
            ReconciliationKinds.Accounts, $"{account} on {day:yyyy-MM-dd}", booked, spent,
            "The day's total is not the sum of its entries, though both are written in one transaction: somebody changed account_days by hand, or a backup was restored in part.")), cancellation);
        return await new WindowComparison(connection).RunAsync(from, before, full, (window, booked, spent) => differences.Add(Difference.Of(
            ReconciliationKinds.Windows, window, booked, spent,
            "The window's total is not the sum of its entries, though both are written in one transaction: somebody changed windows by hand, or a backup was restored in part.")), cancellation);
    }

    private async Task<(int InRedis, int OnTheirWay)> CompareRedisAsync(
        List<WindowTotals> windows, DateTimeOffset now, List<Difference> differences, List<string> notCompared)
    {
        var (inRedis, onTheirWay) = (0, 0);
        var charged = new Dictionary<(string Window, string Edge), (long Open, long Posted)>();
        try
        {
            foreach (var round in windows.Chunk(256))
            {
                var stored = await Task.WhenAll(round.Select(window => redis.GetDatabase().HashGetAllAsync(LeaseScript.KeyOf(window.Id))));
                foreach (var (window, fields) in round.Zip(stored).Where(pair => pair.Second.Length > 0))
                {
                    inRedis++;
                    var values = fields.ToDictionary(field => (string)field.Name!, field => field.Value, StringComparer.Ordinal);
                    if (!values.ContainsKey("spent_version") || !values.ContainsKey("spent") || !values.ContainsKey("leased"))
                    {
                        differences.Add(Difference.Of(
                            ReconciliationKinds.Redis, window.Id, window.Spent, 0,
                            "Redis has a part of the window and no totals: somebody wrote to Redis, or deleted fields. Delete the key: the window is then rebuilt from the journal."));
                        continue;
                    }

                    var version = (long)values["spent_version"];
                    onTheirWay += version < window.Version ? 1 : 0;
                    if (version == window.Version && (long)values["spent"] != window.Spent)
                    {
                        differences.Add(Difference.Of(
                            ReconciliationKinds.Redis, window.Id, window.Spent, (long)values["spent"],
                            "Redis has another total of the same version: somebody wrote to Redis. Delete the key: the window is then rebuilt from the journal."));
                    }

                    OpenCharges.Note(charged, window.Id, values);
                    var held = values.Where(field => field.Key.StartsWith("g:", StringComparison.Ordinal))
                        .Sum(field => Math.Max(0, (long)field.Value - (long)values.GetValueOrDefault("p:" + field.Key[2..], 0)));
                    if (held != (long)values["leased"])
                    {
                        differences.Add(Difference.Of(
                            ReconciliationKinds.Leased, window.Id, held, (long)values["leased"],
                            "leased is not the sum of what edges hold: somebody wrote to Redis. Delete the key: the window is then rebuilt from the journal."));
                    }
                }
            }

            open.Look(charged, now);
        }
        catch (Exception error) when (error is RedisException or TimeoutException)
        {
            notCompared.Add($"Redis did not answer ({error.GetType().Name}).");
        }

        return (inRedis, onTheirWay);
    }

    private async Task<List<UsageDay>> JournalAsync(DateTimeOffset from, DateTimeOffset to, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(
            """
            select (at at time zone 'UTC')::date, count(*), sum(case when reverses then -amount_nano else amount_nano end)::bigint
            from journal.entries where kind = 'usage' and at >= $1 and at < $2 group by 1 order by 1
            """);
        command.CommandTimeout = (int)LongStatement.Patience.TotalSeconds;
        command.Parameters.AddWithValue(from.UtcDateTime);
        command.Parameters.AddWithValue(to.UtcDateTime);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var days = new List<UsageDay>();
        while (await reader.ReadAsync(cancellation))
        {
            days.Add(new(reader.GetFieldValue<DateOnly>(0), reader.GetInt64(1), reader.GetInt64(2)));
        }

        return days;
    }

    private async Task CompareUsageAsync(
        DateTimeOffset from, DateTimeOffset to, List<UsageDay> journal, List<Difference> differences, List<string> notCompared, CancellationToken cancellation)
    {
        try
        {
            using var client = clients.CreateClient(MeteringClient);
            var path = string.Create(CultureInfo.InvariantCulture, $"/internal/usage/totals?by=day&from={Uri.EscapeDataString(from.ToString("O"))}&to={Uri.EscapeDataString(to.ToString("O"))}");
            var usage = await client.GetFromJsonAsync<List<UsageDay>>(path, cancellation)
                ?? throw new JsonException("Metering answered null.");
            // Day by day: what one has too much must not make up for what it lacks on another.
            foreach (var day in journal.Concat(usage).Select(day => day.Day).Distinct().Order())
            {
                var (booked, stored) = (On(journal, day), On(usage, day));
                if (booked != stored)
                {
                    differences.Add(Difference.Of(
                        ReconciliationKinds.Usage, $"{day:yyyy-MM-dd}", booked.Cost, stored.Cost,
                        $"The journal has {booked.Rows} requests, Metering {stored.Rows} rows. Fewer rows: Metering's queue metering-usage is not read to its end, has messages in metering-usage_error, " +
                        "or its rejected_records has them. Fewer entries: the same for ledger-usage and Ledger."));
                }
            }
        }
        catch (Exception error) when (error is HttpRequestException or JsonException or InvalidOperationException || (error is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            notCompared.Add($"Metering's usage rows: it did not answer ({error.GetType().Name}).");
        }

        static UsageDay On(List<UsageDay> days, DateOnly day) => days.Find(found => found.Day == day) ?? new(day, 0, 0);
    }
}
