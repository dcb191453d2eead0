using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Ledger.Journal;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Gateway.Ledger.Tests.Journal;

[Collection(LedgerTurns.Name)]
public sealed class PostingTests
{
    [Fact]
    public async Task T22_records_delivered_three_times_in_random_order_and_overlapping_batches_are_booked_once()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var window = Build.NewId();
        await ledger.EnsureAsync("edge-1", Build.Ensure(window, 1_000_000_000_000));
        var records = Enumerable.Range(1, 10_000).Select(number => Build.Record(number, edge: $"edge-{number % 3}", user: $"u{number % 7}", windows: window)).ToArray();
        var random = new Random(7);
        for (var time = 0; time < 3; time++)
        {
            var order = records.ToArray();
            random.Shuffle(order);
            await Task.WhenAll(order.Chunk(137 + (31 * time)).Select(batch => ledger.PublishAsync(batch)));
        }

        // Once the last is booked, nothing is left in the queue, which the next test has, too.
        var last = Build.Record(10_001, edge: "edge-1", user: "u1", windows: window);
        await ledger.PublishAsync([last]);

        var sum = records.Append(last).Sum(record => record.Cost.NanoDollars);
        await Eventually.HoldsAsync(async () => (long)await ledger.Redis.HashGetAsync($"budget:{{{window}}}", "spent") == sum, "Redis has all", seconds: 180);
        Assert.Equal(10_001L, await ledger.ScalarAsync<long>("select count(*) from journal.entries"));
        Assert.Equal(sum, await ledger.ScalarAsync<long>("select sum(amount_nano)::bigint from journal.entries"));
        Assert.Equal(sum, await ledger.ScalarAsync<long>($"select spent_nano from windows where window_id = '{window}'"));
        Assert.Equal(sum, await ledger.ScalarAsync<long>("select sum(posted_nano)::bigint from window_edges"));
        Assert.Equal(sum, await ledger.ScalarAsync<long>("select sum(spent_nano)::bigint from account_days where account = 'key/k1'"));
        Assert.Equal(sum, await ledger.ScalarAsync<long>("select sum(spent_nano)::bigint from account_days where account like 'user/u_'"));
    }

    /// <summary>A batch is booked with its estimate and corrected when it is done: here below it, three times told, and for another batch above.</summary>
    [Fact]
    public async Task T16_a_correction_takes_back_what_was_booked_too_much_once_and_from_no_edge()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var window = Build.NewId();
        await ledger.EnsureAsync("edge-1", Build.Ensure(window, 1_000_000));
        var batch = Build.Record(900, windows: window) with { CallType = UsageRecord.BatchCall, Estimated = true };
        var correction = batch with { RequestId = Guid.CreateVersion7(), Corrects = batch.RequestId, Cost = new(-650), EdgeId = "edge-2", Estimated = false };
        var more = batch with { RequestId = Guid.CreateVersion7(), Corrects = Guid.CreateVersion7(), Cost = new(30) };
        await ledger.PublishAsync([correction]);
        await ledger.PublishAsync([batch, correction]);
        await ledger.PublishAsync([correction, more]);

        await Eventually.HoldsAsync(async () => (long)await ledger.Redis.HashGetAsync($"budget:{{{window}}}", "spent") == 280, "Redis has what is left of it");
        Assert.Equal(280L, await ledger.ScalarAsync<long>($"select spent_nano from windows where window_id = '{window}'"));
        Assert.Equal(280L, await ledger.ScalarAsync<long>("select sum(spent_nano)::bigint from account_days where account = 'key/k1'"));
        Assert.Equal(900L, await ledger.ScalarAsync<long>("select sum(posted_nano)::bigint from window_edges"));
        Assert.Equal("provider/openai", await ledger.ScalarAsync<string>($"select debit from journal.booked where about = '{batch.RequestId}'"));
        Assert.Equal(0L, await ledger.ScalarAsync<long>("select count(*) from rejected_records"));

        // Charged by nobody's lease, because its edge died before: the windows have it, and no edge seems to hold less for it.
        await ledger.PublishAsync([batch with { RequestId = Guid.CreateVersion7(), EdgeId = "" }]);
        await Eventually.HoldsAsync(async () => (long)await ledger.Redis.HashGetAsync($"budget:{{{window}}}", "spent") == 1_180, "it counts");
        Assert.Equal(900L, await ledger.ScalarAsync<long>("select sum(posted_nano)::bigint from window_edges"));

        await ledger.PublishAsync([batch with { RequestId = Guid.CreateVersion7(), Cost = new(-1) }]);
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from rejected_records where reason = 'negative_cost'") == 1, "nothing else is below zero");
    }

    [Fact]
    public async Task T23_records_with_an_empty_or_equal_provider_id_are_all_booked_and_a_request_without_an_id_is_kept_aside()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var window = Build.NewId();
        var nameless = Build.Record(5, windows: window) with { RequestId = Guid.Empty };
        await ledger.PublishAsync([Build.Record(1, windows: window), Build.Record(1, windows: window), nameless]);
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from journal.entries") == 2, "both are booked");
        Assert.Equal("no_request_id", await ledger.ScalarAsync<string>("select reason from rejected_records"));
    }

    [Fact]
    public async Task One_line_that_is_no_record_does_not_hold_up_the_others_and_is_kept_whole()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var window = Build.NewId();
        var good = JsonSerializer.SerializeToUtf8Bytes(Build.Record(7, windows: window), ContractsJson.Default.UsageRecord);
        var overflow = JsonSerializer.SerializeToUtf8Bytes(
            Build.Record(1, windows: window) with { KeyId = "nul\0byte" }, ContractsJson.Default.UsageRecord);
        await ledger.PublishAsync("edge-1", good, Encoding.UTF8.GetBytes("{\"requestId\":17}"), overflow);
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from rejected_records") == 2, "the others are kept aside");
        Assert.Equal(1L, await ledger.ScalarAsync<long>("select count(*) from journal.entries"));
        Assert.Equal("{\"requestId\":17}", Encoding.UTF8.GetString(await ledger.ScalarAsync<byte[]>("select record from rejected_records where reason = 'not_a_record'")));
    }

    [Fact]
    public async Task An_entry_that_the_database_refuses_stands_alone_in_the_end_and_the_others_of_its_transaction_are_booked()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var posting = ledger.Services.GetRequiredService<Posting>();
        var entries = Enumerable.Range(1, 50).Select(number => JournalRules.FromUsage(Build.Record(number))).ToArray();
        entries[31] = entries[31] with { Credit = entries[31].Debit };
        await posting.WriteAsync(entries, patient: false, CancellationToken.None);
        Assert.Equal(49L, await ledger.ScalarAsync<long>("select count(*) from journal.entries"));
        Assert.Equal("23514", await ledger.ScalarAsync<string>("select reason from rejected_records"));
    }

    [Fact]
    public async Task A_name_that_no_index_can_hold_is_kept_aside_and_waited_for_no_longer()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var random = new Random(5);
        var name = new string([.. Enumerable.Range(0, 1_000).Select(_ => (char)random.Next(0x4E00, 0x9000))]);
        await ledger.PublishAsync([Build.Record(1), Build.Record(2) with { Model = name }, Build.Record(4)]);
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from journal.entries") == 2, "the others are booked");
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from rejected_records where reason = '54000'") == 1, "it is kept aside");
    }

    [Fact]
    public async Task The_same_request_with_another_amount_changes_nothing()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var writer = ledger.Services.GetRequiredService<JournalWriter>();
        var record = Build.Record(100);
        await writer.AddAsync([JournalRules.FromUsage(record)], CancellationToken.None);
        var again = await writer.AddAsync([JournalRules.FromUsage(record with { Cost = new(999) })], CancellationToken.None);
        Assert.Equal((0, 1, record.RequestId), (again.Added, again.Repeated, again.Conflicts.Single()));
        Assert.Equal(100L, await ledger.ScalarAsync<long>("select amount_nano from journal.entries"));
    }

    [Theory]
    [InlineData("update journal.entries set amount_nano = 0")]
    [InlineData("delete from journal.entries")]
    [InlineData("truncate journal.entries")]
    [InlineData("update journal.terms set debit = 'key/another'")]
    [InlineData("delete from journal.terms")]
    [InlineData("truncate journal.terms")]
    public async Task The_journal_refuses_to_be_changed_even_by_its_owner_and_in_a_partition(string sql)
    {
        await using var ledger = await LedgerHost.StartAsync();
        await ledger.Services.GetRequiredService<JournalWriter>().AddAsync([JournalRules.FromUsage(Build.Record(100))], CancellationToken.None);
        var month = await ledger.ScalarAsync<string>("select to_char(day, '_YYYY_MM') from journal.terms");
        foreach (var statement in new[] { sql, sql.Replace("entries", "entries" + month, StringComparison.Ordinal).Replace("terms", "terms" + month, StringComparison.Ordinal) })
        {
            await using var command = ledger.Database.CreateCommand(statement);
            var refused = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync());
            Assert.Equal(PostgresErrorCodes.IntegrityConstraintViolation, refused.SqlState);
        }

        Assert.Equal(100L, await ledger.ScalarAsync<long>("select amount_nano from journal.booked where debit = 'key/k1'"));
    }

    [Fact]
    public async Task The_writers_role_may_add_and_not_change()
    {
        await using var ledger = await LedgerHost.StartAsync();
        Assert.NotNull(ledger.Services.GetRequiredService<JournalRole>().SetCommand);
        await using var connection = await ledger.Database.OpenConnectionAsync();
        await using var command = new NpgsqlCommand("set role gateway_ledger_writer; delete from journal.entries", connection);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteNonQueryAsync());
        Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, refused.SqlState);
    }

    [Fact]
    public async Task T52_writers_that_touch_the_same_totals_in_every_order_never_deadlock_and_add_up()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var writer = ledger.Services.GetRequiredService<JournalWriter>();
        var windows = Enumerable.Range(0, 20).Select(_ => Build.NewId()).ToArray();
        await Task.WhenAll(Enumerable.Range(0, 12).Select(async seed =>
        {
            var random = new Random(seed);
            for (var round = 0; round < 10; round++)
            {
                var mine = windows.ToArray();
                random.Shuffle(mine);
                await writer.AddAsync(
                    [.. Enumerable.Range(0, seed % 2 == 0 ? JournalWriter.CopiedMin : 20).Select(number => JournalRules.FromUsage(Build.Record(
                        1, edge: $"edge-{random.Next(5)}", user: $"u{random.Next(50)}", windows: mine[..5])))],
                    CancellationToken.None);
            }
        }));
        Assert.Equal(6L * 10 * (JournalWriter.CopiedMin + 20) * 5, await ledger.ScalarAsync<long>("select sum(spent_nano)::bigint from windows"));
        Assert.Equal(0L, await ledger.ScalarAsync<long>("select deadlocks from pg_stat_database where datname = current_database()"));
    }

    [Fact]
    public async Task A_late_record_of_months_ago_gets_its_partition()
    {
        await using var ledger = await LedgerHost.StartAsync();
        await ledger.PublishAsync([Build.Record(3) with { StartedAt = DateTimeOffset.UtcNow.AddDays(-200) }]);
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from journal.entries") == 1, "it is booked");
    }

    /// <summary>Many entries are copied into the table and few come in by a statement: which way they took is nowhere to be seen.</summary>
    [Fact]
    public async Task Entries_that_are_copied_in_are_those_that_a_statement_adds()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var writer = ledger.Services.GetRequiredService<JournalWriter>();
        var at = DateTimeOffset.UtcNow;
        var usage = JournalRules.FromUsage(Build.Record(7, windows: ["a", "b"]) with { StartedAt = at, Price = "openai/gpt-4@2026-11 input=30" });
        var correction = JournalRules.FromUsage(Build.Record(-3, windows: ["a"]) with { StartedAt = at, Corrects = usage.Id });
        var adjustment = JournalRules.Adjustment(Guid.CreateVersion7(), at, "user/u1", new(5), [], "a \"reason\",\nin two lines", "ann");
        JournalEntry[] entries = [usage, correction, adjustment];
        foreach (var entry in entries)
        {
            await writer.AddAsync([entry with { Id = Guid.CreateVersion7() }], CancellationToken.None);
        }

        var copied = await writer.AddAsync(
            [.. entries.SelectMany(entry => Enumerable.Range(0, JournalWriter.CopiedMin).Select(_ => entry with { Id = Guid.CreateVersion7() }))], CancellationToken.None);

        Assert.Equal((3 * JournalWriter.CopiedMin, 0), (copied.Added, copied.Repeated));
        const string kinds = "select at, kind, debit, credit, amount_nano, reverses, accounts, windows, edge_id, price, reason, author, about, count(*) as n from journal.booked group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13";
        Assert.Equal(3L, await ledger.ScalarAsync<long>($"select count(*) from ({kinds}) k where n = {JournalWriter.CopiedMin + 1}"));
        Assert.Equal(3L, await ledger.ScalarAsync<long>($"select count(*) from ({kinds}) k"));
        Assert.Equal((7L - 3) * (JournalWriter.CopiedMin + 1), await ledger.ScalarAsync<long>("select spent_nano from windows where window_id = 'a'"));
        Assert.Equal(14L * (JournalWriter.CopiedMin + 1), await ledger.ScalarAsync<long>("select sum(posted_nano)::bigint from window_edges"));
    }

    [Fact]
    public async Task A_copy_that_meets_an_entry_of_the_journal_adds_the_others_once()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var writer = ledger.Services.GetRequiredService<JournalWriter>();
        JournalEntry[] entries = [.. Enumerable.Range(0, 2 * JournalWriter.CopiedMin).Select(_ => JournalRules.FromUsage(Build.Record(1, windows: "a")))];
        await writer.AddAsync(entries[..3], CancellationToken.None);
        var wrong = entries[1] with { Amount = new(9) };

        var result = await writer.AddAsync([wrong, .. entries[2..], entries[^1]], CancellationToken.None);

        Assert.Equal((entries.Length - 3, 3), (result.Added, result.Repeated));
        Assert.Equal(wrong.Id, Assert.Single(result.Conflicts));
        Assert.Equal((long)entries.Length, await ledger.ScalarAsync<long>("select spent_nano from windows where window_id = 'a'"));
        Assert.Equal(0L, await ledger.ScalarAsync<long>("select count(*) from journal.terms t where not exists (select from journal.entries e where e.terms = t.id)"));
    }

    [Fact]
    public async Task Entries_of_a_message_with_the_same_words_share_their_terms_and_others_have_their_own()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var (today, lastMonth) = (DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(-DateTimeOffset.UtcNow.Day));
        UsageRecord[] records =
        [
            .. Enumerable.Range(1, 40).Select(cost => Build.Record(cost, windows: ["a", "b"]) with { StartedAt = today, Price = "a price" }),
            .. Enumerable.Range(1, 5).Select(cost => Build.Record(cost, windows: ["a", "b"]) with { StartedAt = lastMonth, Price = "a price" }),
            Build.Record(1_000, windows: ["a"]) with { StartedAt = today, Price = "a price" },
            Build.Record(-7, windows: ["a", "b"]) with { StartedAt = today, Price = "a price", Corrects = Guid.CreateVersion7() },
            Build.Record(2_000, windows: ["a", "b"]) with { StartedAt = today, Price = "another price" },
        ];

        await ledger.PublishAsync(records);

        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from journal.entries") == records.Length, "booked");
        Assert.Equal(5L, await ledger.ScalarAsync<long>("select count(*) from journal.terms"));
        Assert.Equal(820L, await ledger.ScalarAsync<long>("select sum(amount_nano)::bigint from journal.booked where price = 'a price' and windows = array['a', 'b'] and debit like 'key/%' and at > now() - interval '1 day'"));
        Assert.Equal((820L + 15 + 1_000 - 7 + 2_000, 820L + 15 - 7 + 2_000), (
            await ledger.ScalarAsync<long>("select spent_nano from windows where window_id = 'a'"), await ledger.ScalarAsync<long>("select spent_nano from windows where window_id = 'b'")));
        Assert.Equal(15L, await ledger.ScalarAsync<long>($"select spent_nano from account_days where account = 'gateway/all' and day = '{lastMonth:yyyy-MM-dd}'"));
        // Who paid: a correction that takes back is the provider's.
        Assert.Equal(1L, await ledger.ScalarAsync<long>("select count(*) from journal.booked where debit = 'provider/openai' and edge_id is null and reverses"));
    }

    [Fact]
    public async Task A_cost_that_no_sum_can_hold_costs_its_message_nothing()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var (at, before) = (DateTimeOffset.UtcNow, DateTimeOffset.UtcNow.AddDays(-1));
        await ledger.PublishAsync([
            Build.Record(5_000_000_000_000_000_000) with { StartedAt = at }, Build.Record(1) with { StartedAt = at }, Build.Record(9_000_000_000_000_000_000) with { StartedAt = at },
            Build.Record(5_000_000_000_000_000_000) with { StartedAt = before }, Build.Record(long.MinValue) with { Corrects = Guid.CreateVersion7() },
        ]);

        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from rejected_records") == 2, "what no sum can hold is kept aside");
        Assert.Equal(1L, await ledger.ScalarAsync<long>("select count(*) from rejected_records where reason = 'cost_out_of_range'"));
        Assert.Equal(1L, await ledger.ScalarAsync<long>("select count(*) from rejected_records where reason = '22003'"));
        Assert.Equal(3L, await ledger.ScalarAsync<long>("select count(*) from journal.entries"));
        Assert.Equal(1L, await ledger.ScalarAsync<long>("select count(*) from journal.entries where amount_nano = 1"));
    }
}
