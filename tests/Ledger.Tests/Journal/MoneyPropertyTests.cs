using System.Globalization;
using Gateway.Ledger.Tests.Budgets;

namespace Gateway.Ledger.Tests.Journal;

/// <summary>Rule, scripts and the journal in PostgreSQL together, over random sequences. The leases alone: <see cref="Leases.LeaseScriptTests"/>.</summary>
[Collection(LedgerTurns.Name)]
public sealed class MoneyPropertyTests
{
    private const int Sequences = 36;

    /// <summary>The first of the seeds: set it to that of a failure to see it again.</summary>
    private static readonly int Seed = Environment.GetEnvironmentVariable("GATEWAY_TEST_SEED") is { Length: > 0 } text ? int.Parse(text, CultureInfo.InvariantCulture) : Random.Shared.Next(1_000_000);

    [Fact]
    public async Task Whatever_edges_charge_whoever_dies_and_however_often_records_come_journal_Redis_and_model_agree_and_nothing_is_over()
    {
        await using var ledger = await LedgerHost.StartAsync(settings:
        [
            // Time is the test's: no edge falls silent by itself, and passes are made when they are asked for.
            ("Ledger:LeaseTimeToLive", "00:10:00"), ("Ledger:GoneEdgeAfter", "1.00:00:00"), ("Ledger:ReclaimEvery", "00:00:00.05"), ("Ledger:ClosedEdgeGrace", "00:00:00"),
            ("Ledger:GatherFor", "00:00:00.02"), ("services:metering:http:0", "http://127.0.0.1:1"),
        ]);
        var sequences = Enumerable.Range(Seed, Sequences).Select(seed => new MoneySequence(ledger, seed)).ToArray();
        await Parallel.ForEachAsync(sequences, new ParallelOptions { MaxDegreeOfParallelism = 6 }, async (sequence, _) => await sequence.RunAsync(130));

        Assert.InRange(sequences.Sum(sequence => sequence.Records), Sequences * 5, int.MaxValue);
        var report = await BudgetAdminTests.ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/reconciliation/run"));
        Assert.DoesNotContain(report.GetProperty("differences").EnumerateArray(), difference => difference.GetProperty("kind").GetString() != "usage_rows");
        Assert.Equal(0, report.GetProperty("open_at_edges").GetDecimal());
    }
}
