using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Ledger.Tests.Budgets;
using Gateway.TestKit;
using MassTransit;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Ledger.Tests.Journal;

[Collection(LedgerTurns.Name)]
public sealed class OutageTests
{
    [Fact]
    public async Task T21_while_the_database_is_away_records_wait_in_their_queue_and_all_are_booked_once_when_it_is_back()
    {
        await using var postgres = await Servers.NewPostgresAsync("ledger");
        await using var rabbit = await Servers.NewRabbitMqAsync();
        await using var ledger = await LedgerHost.StartAsync(postgres.ConnectionStringOf("ledger"), rabbit: rabbit.ConnectionString);
        var window = Build.NewId();
        await ledger.EnsureAsync("edge-1", Build.Ensure(window, 1_000_000_000));
        var records = Enumerable.Range(1, 3_000).Select(number => Build.Record(number, windows: window)).ToArray();
        var batches = records.Chunk(50).ToArray();
        for (var batch = 0; batch < batches.Length; batch++)
        {
            if (batch == 20)
            {
                await postgres.KillAsync();
            }

            await ledger.PublishAsync(batches[batch]);
        }

        await Eventually.HoldsAsync(async () => await (await ledger.Http.GetAsync("/health/ready")).Content.ReadAsStringAsync() != "Healthy", "not ready");
        Assert.Equal("Healthy", await ledger.Http.GetStringAsync("/health/live"));
        await postgres.StartAsync();
        var sum = records.Sum(record => record.Cost.NanoDollars);
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, window, "spent") == sum, "all are booked", seconds: 60);
        Assert.Equal(3_000L, await ledger.ScalarAsync<long>("select count(*) from journal.entries"));
        Assert.Equal(sum, await ledger.ScalarAsync<long>("select sum(amount_nano)::bigint from journal.entries"));
        Assert.Equal(0L, await ledger.ScalarAsync<long>("select count(*) from rejected_records"));
    }

    [Fact]
    public async Task While_the_database_is_away_a_bad_record_and_an_edge_s_end_wait_as_the_others_do()
    {
        await using var postgres = await Servers.NewPostgresAsync("ledger");
        await using var rabbit = await Servers.NewRabbitMqAsync();
        await using var ledger = await LedgerHost.StartAsync(postgres.ConnectionStringOf("ledger"), rabbit: rabbit.ConnectionString);
        await postgres.KillAsync();
        await ledger.PublishAsync("edge-1", "no record"u8.ToArray(), JsonSerializer.SerializeToUtf8Bytes(Build.Record(7), ContractsJson.Default.UsageRecord));
        await ledger.Services.GetRequiredService<IBus>().Publish(new EdgeClosed("edge-1"));
        // Longer than MassTransit's own retries, which end in ledger-usage_error.
        await Eventually.HoldsAsync(async () => RetriesOf(await ledger.Http.GetStringAsync("/metrics")) >= 12, "it goes on trying", seconds: 120);
        await postgres.StartAsync();
        await Eventually.HoldsAsync(
            async () => await ledger.ScalarAsync<long>("select count(*) from journal.entries") == 1 && await ledger.ScalarAsync<long>("select count(*) from rejected_records") == 1,
            "one is booked and one kept aside", seconds: 60);
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from closed_edges where settled_at is not null") == 1, "and then its edge is closed");
    }

    private static double RetriesOf(string metrics) => metrics.Split('\n').Where(line => line.StartsWith("gateway_journal_retries_total{", StringComparison.Ordinal))
        .Select(line => double.Parse(line.Split(' ')[1], CultureInfo.InvariantCulture)).LastOrDefault();

    [Fact]
    public async Task T6_while_Redis_hangs_a_budget_is_not_opened_the_answer_comes_in_time_and_the_journal_goes_on()
    {
        await using var redis = await Servers.NewRedisAsync();
        await using var ledger = await LedgerHost.StartAsync(redis: redis.ConnectionString);
        var window = Build.NewId();
        await ledger.EnsureAsync("edge-1", Build.Ensure(window, 1_000_000));
        redis.Pause();
        try
        {
            var started = Stopwatch.GetTimestamp();
            var answer = await System.Net.Http.Json.HttpClientJsonExtensions.PostAsJsonAsync(
                ledger.Http, "/internal/budgets/ensure", new EnsureBudgets("edge-2", [Build.Ensure(Build.NewId(), 1)]), ContractsJson.Default.EnsureBudgets);
            Assert.Equal(503, (int)answer.StatusCode);
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20));
            await ledger.PublishAsync([Build.Record(70, windows: window)]);
            await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from journal.entries") == 1, "booked without Redis");
        }
        finally
        {
            redis.Resume();
        }

        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, window, "spent") == 70, "Redis is told afterwards");
    }
}
