using System.Net;
using System.Net.Http.Json;
using Gateway.Contracts;
using Gateway.Ledger.Leases;
using Gateway.TestKit;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Ledger.Tests.Budgets;

[Collection(LedgerTurns.Name)]
public sealed class EnsureTests
{
    [Fact]
    public async Task A_new_window_opens_at_once_with_its_limit_and_is_charged_through_the_journal()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var budget = Build.NewId();
        var state = (await ledger.EnsureAsync("edge-1", Build.Ensure(budget, 1_000))).Windows.Single();
        Assert.Equal(new WindowState(budget, new(1_000), Money.Zero, Money.Zero), state);
        Assert.Equal("granted", (await AcquireAsync(ledger, budget, "edge-1", 100))[0]);
        await ledger.PublishAsync([Build.Record(60, windows: budget)]);
        await Eventually.HoldsAsync(async () => await FieldAsync(ledger, budget, "leased") == 40, "60 of the 100 leased are spent now");
        Assert.Equal(60, await FieldAsync(ledger, budget, "spent"));
    }

    [Fact]
    public async Task T5_after_Redis_lost_everything_nothing_is_granted_until_the_edges_had_their_time_and_spent_is_the_journals()
    {
        await using var redis = await Servers.NewRedisAsync();
        await using var ledger = await LedgerHost.StartAsync(redis: redis.ConnectionString + ",allowAdmin=true", settings: ("Ledger:LeaseTimeToLive", "00:00:02"));
        var budget = Build.NewId();
        await ledger.EnsureAsync("edge-1", Build.Ensure(budget, 1_000));
        await AcquireAsync(ledger, budget, "edge-1", 100);
        await ledger.PublishAsync([Build.Record(60, windows: budget)]);
        await Eventually.HoldsAsync(async () => await FieldAsync(ledger, budget, "spent") == 60, "booked");

        await ledger.Redis.ExecuteAsync("FLUSHALL");
        Assert.Equal("unknown", (await AcquireAsync(ledger, budget, "edge-2", 100))[0]);
        // The second edge asks first; the one that holds 100 says so afterwards, while the window is still closed.
        var rebuilt = (await ledger.EnsureAsync("edge-2", Build.Ensure(budget, 1_000))).Windows.Single();
        Assert.Equal(new Money(60), rebuilt.Spent);
        Assert.Equal("rebuilding", (await AcquireAsync(ledger, budget, "edge-2", 900))[0]);
        Assert.Equal("unknown", (await AcquireAsync(ledger, budget, "edge-1", 10, charged: 60, granted: 100))[0]);
        var declared = (await ledger.EnsureAsync("edge-1", Build.Ensure(budget, 1_000, granted: 100))).Windows.Single();
        Assert.Equal(new Money(40), declared.Leased);

        await Eventually.HoldsAsync(async () => (await AcquireAsync(ledger, budget, "edge-2", 901))[0] == "short", "it opens");
        Assert.Equal("granted", (await AcquireAsync(ledger, budget, "edge-2", 900))[0]);
    }

    [Fact]
    public async Task T10_a_request_that_settles_after_the_reset_counts_in_the_window_it_was_charged_to_and_the_new_one_keeps_its_own()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var definition = new BudgetDefinition { Id = Build.NewId(), Limit = new(1_000), Period = "1d", Revision = 1 };
        var today = definition.WindowAt(DateTimeOffset.UtcNow);
        var yesterday = definition.WindowAt(today.Start!.Value.AddTicks(-1));
        await ledger.EnsureAsync("edge-1", new EnsureBudget(definition, yesterday, Money.Zero));
        await AcquireAsync(ledger, yesterday.Id, "edge-1", 100);
        // The reset: the next window is opened and used while yesterday's request still runs.
        await ledger.EnsureAsync("edge-1", new EnsureBudget(definition, today, Money.Zero));
        await AcquireAsync(ledger, today.Id, "edge-1", 40);
        await ledger.PublishAsync([Build.Record(90, windows: yesterday.Id), Build.Record(30, windows: today.Id)]);
        await Eventually.HoldsAsync(async () => await FieldAsync(ledger, yesterday.Id, "spent") == 90 && await FieldAsync(ledger, today.Id, "spent") == 30, "each where it belongs");
        Assert.Equal((10, 10), (await FieldAsync(ledger, yesterday.Id, "leased"), await FieldAsync(ledger, today.Id, "leased")));
    }

    [Fact]
    public async Task Several_edges_and_Ledgers_that_ask_for_a_new_window_at_once_all_find_it_open()
    {
        var database = await Servers.Shared.NewDatabaseAsync("ledger");
        await using var first = await LedgerHost.StartAsync(database);
        await using var second = await LedgerHost.StartAsync(database);
        for (var round = 0; round < 10; round++)
        {
            var budgets = Enumerable.Range(0, 5).Select(_ => Build.NewId()).ToArray();
            await Task.WhenAll(Enumerable.Range(0, 12).Select(edge =>
                (edge % 2 == 0 ? first : second).EnsureAsync($"edge-{edge}", [.. budgets.Select(id => Build.Ensure(id, 1_000))])));
            foreach (var budget in budgets)
            {
                Assert.Equal("granted", (await AcquireAsync(first, budget, "edge-1", 1))[0]);
            }
        }
    }

    [Fact]
    public async Task Only_a_newer_definition_changes_the_limit()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var budget = Build.NewId();
        await ledger.EnsureAsync("edge-1", Build.Ensure(budget, 1_000, revision: 5));
        Assert.Equal(new Money(1_000), (await ledger.EnsureAsync("edge-2", Build.Ensure(budget, 10, revision: 4))).Windows[0].Limit);
        Assert.Equal(new Money(2_000), (await ledger.EnsureAsync("edge-2", Build.Ensure(budget, 2_000, revision: 6))).Windows[0].Limit);
        Assert.Equal(2_000, await FieldAsync(ledger, budget, "limit"));
    }

    [Fact]
    public async Task Without_the_service_secret_there_is_no_such_route_and_a_wrong_question_is_explained()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var asked = new EnsureBudgets("edge-1", [Build.Ensure(Build.NewId(), 1) with { Window = new("user/another", null, null, null) }]);
        var wrong = await ledger.Http.PostAsJsonAsync("/internal/budgets/ensure", asked, ContractsJson.Default.EnsureBudgets);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, wrong.StatusCode);
        Assert.Contains("is another budget", await wrong.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        ledger.Http.DefaultRequestHeaders.Remove(ServiceHeaders.Secret);
        var stranger = await ledger.Http.PostAsJsonAsync("/internal/budgets/ensure", asked, ContractsJson.Default.EnsureBudgets);
        Assert.Equal(HttpStatusCode.NotFound, stranger.StatusCode);
    }

    internal static async Task<string[]> AcquireAsync(LedgerHost ledger, string window, string edge, long amount, long charged = 0, long granted = 0) =>
        (string[])(await ledger.Redis.ScriptEvaluateAsync(LeaseScript.Acquire, [LeaseScript.KeyOf(window)], [edge, amount, amount, charged, granted]))!;

    internal static async Task<long> FieldAsync(LedgerHost ledger, string window, string field) =>
        (long)await ledger.Redis.HashGetAsync(LeaseScript.KeyOf(window), field);
}
