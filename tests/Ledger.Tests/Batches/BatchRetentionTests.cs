using Gateway.Ledger.Batches;
using Gateway.Ledger.Duties;
using Gateway.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Ledger.Tests.Batches;

/// <summary>What the register of files and batches forgets, and what it never does.</summary>
[Collection(LedgerTurns.Name)]
public sealed class BatchRetentionTests
{
    [Theory]
    [InlineData(null, 91, 89)]
    [InlineData("2.00:00:00", 3, 1)]
    public async Task Batches_that_were_settled_long_ago_go_in_pieces_and_no_other(string? keptFor, int old, int young)
    {
        await using var ledger = await StartAsync(keptFor);
        await AddBatchesAsync(ledger, "old", "Settled", old, (2 * ForgottenPieces.Max) + 1);
        await AddBatchesAsync(ledger, "young", "Settled", young);
        foreach (var state in (string[])["Submitting", "Open", "Unresolved"])
        {
            await AddBatchesAsync(ledger, state, state, 3_000);
        }

        Assert.Equal(((2 * ForgottenPieces.Max) + 1, 0), await RunAsync(ledger));

        Assert.Equal("Open-1 Submitting-1 Unresolved-1 young-1", await ledger.ScalarAsync<string>("select string_agg(id, ' ' order by id collate \"C\") from batches"));
        Assert.Equal((0, 0), await RunAsync(ledger));
    }

    [Fact]
    public async Task Files_that_have_expired_go_unless_a_batch_that_is_not_settled_reads_them()
    {
        await using var ledger = await StartAsync();
        foreach (var (id, expires) in ((string, string)[])[
            ("expired", "now() - interval '1 minute'"), ("of-Settled", "now() - interval '1 day'"), ("of-Submitting", "now() - interval '1 day'"), ("of-Open", "now() - interval '1 day'"),
            ("of-Unresolved", "now() - interval '900 days'"), ("not-yet", "now() + interval '1 hour'"), ("endless", "null")])
        {
            await ledger.ScalarAsync<string>($"""
                insert into files (id, owner, model, deployment_id, provider_id, purpose, filename, bytes, created_at, expires_at)
                values ('{id}', 'team/a', 'gpt-4o', 'd1', '{id}', 'batch', 'in.jsonl', 1, now() - interval '1000 days', {expires}) returning id
                """);
        }

        foreach (var state in (string[])["Settled", "Submitting", "Open", "Unresolved"])
        {
            await AddBatchesAsync(ledger, state, state, 1, file: $"of-{state}");
        }

        Assert.Equal((0, 2), await RunAsync(ledger));

        Assert.Equal("endless not-yet of-Open of-Submitting of-Unresolved", await ledger.ScalarAsync<string>("select string_agg(id, ' ' order by id collate \"C\") from files"));
    }

    [Fact]
    public async Task A_process_that_is_not_on_duty_forgets_nothing()
    {
        var database = await Servers.Shared.NewDatabaseAsync("ledger");
        await using var onDuty = await StartAsync(database: database);
        await using var other = await LedgerHost.StartAsync(database);
        await AddBatchesAsync(onDuty, "old", "Settled", 91);

        Assert.Equal((0, 0), await RunAsync(other));
        Assert.Equal((1, 0), await RunAsync(onDuty));
    }

    private static async Task<LedgerHost> StartAsync(string? keptFor = null, string? database = null)
    {
        var ledger = await LedgerHost.StartAsync(database, settings: keptFor is null ? [] : [("Ledger:BatchesKeptFor", keptFor)]);
        await Eventually.HoldsAsync(() => Task.FromResult(ledger.Services.GetRequiredService<Duty>().IsMine), "on duty");
        return ledger;
    }

    private static Task<(int Batches, int Files)> RunAsync(LedgerHost ledger) => ledger.Services.GetRequiredService<BatchRetention>().RunAsync(CancellationToken.None);

    private static Task<long> AddBatchesAsync(LedgerHost ledger, string name, string state, int daysAgo, int count = 1, string file = "file-1") => ledger.ScalarAsync<long>($"""
        with added as (
            insert into batches (id, owner, model, deployment_id, input_file_id, lines, state, submission, created_at, changed_at)
            select '{name}-' || n, 'team/a', 'gpt-4o', 'd1', '{file}', '[]', '{state}', '[]', now() - interval '4000 days', now() - interval '{daysAgo} days' from generate_series(1, {count}) n returning 1)
        select count(*) from added
        """);
}
