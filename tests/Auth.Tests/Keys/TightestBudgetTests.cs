using Gateway.Auth.Spend;
using Gateway.Auth.Tests.Hosting;
using Gateway.Contracts;

namespace Gateway.Auth.Tests.Keys;

/// <summary><c>/key/info</c> names the tightest budget above a key, whoever's it is.</summary>
public sealed class TightestBudgetTests
{
    [Fact]
    public async Task It_is_asked_for_with_every_budget_above_the_key_and_its_tags()
    {
        await using var ledger = await LedgerStub.StartAsync();
        await using var auth = await AuthHost.StartAsync(new AuthSetup { Ledger = ledger.Address });
        await auth.PostAsync("/organization/new", new { organization_id = "acme", max_budget = 1000 });
        await auth.PostAsync("/team/new", new { team_id = "payments", organization_id = "acme", max_budget = 50, budget_duration = "1d" });
        var key = await auth.NewKeyAsync(new { user_id = "ann", team_id = "payments", max_budget = 10, tags = new[] { "env=dev" } });
        var id = (await auth.SnapshotAsync(key)).KeyId;
        var reset = new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero);
        ledger.Above =
        [
            new($"key/{id}", null, Money.FromDollars(10), Money.FromDollars(1), Money.Zero, null),
            new("team/payments", "1d", Money.FromDollars(50), Money.FromDollars(47.5m), Money.FromDollars(0.5m), reset),
            new("user/ann", null, Money.MaxValue, Money.FromDollars(9_000), Money.Zero, null),
        ];

        var info = (await auth.GetAsync($"/key/info?key={key}")).Ok().Json["info"]!;

        var tightest = info["tightest_budget"]!;
        Assert.Equal(("team/payments", "team", "payments"), ((string)tightest["budget_id"]!, (string)tightest["scope"]!, (string)tightest["owner"]!));
        Assert.Equal(("50", "47.5", "2.5", "0.5"), (tightest["max_budget"]!.ToJsonString(), tightest["spend"]!.ToJsonString(), tightest["left"]!.ToJsonString(), tightest["held"]!.ToJsonString()));
        Assert.Equal(("1d", reset), ((string)tightest["budget_duration"]!, (DateTimeOffset)tightest["budget_reset_at"]!));
        Assert.Equal("10", info["max_budget"]!.ToJsonString());
        Assert.Equal(["env=dev"], ledger.AskedAbove!.Tags);
        Assert.Equal([$"key/{id}", "team/payments", "organization/acme"], ledger.AskedAbove.Own.Select(budget => budget.Id));
    }

    [Fact]
    public async Task Without_ledger_it_is_null()
    {
        await using var auth = await AuthHost.StartAsync();
        var key = await auth.NewKeyAsync(new { max_budget = 1 });

        Assert.Null((await auth.GetAsync($"/key/info?key={key}")).Ok().Json["info"]!["tightest_budget"]);
    }

    [Fact]
    public void More_spent_than_the_limit_leaves_nothing() =>
        Assert.Equal(0, BudgetStanding.Tightest([new("key/k", null, Money.FromDollars(1), Money.FromDollars(2), Money.Zero, null)])!.Left);
}
