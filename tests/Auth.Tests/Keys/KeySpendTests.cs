using Gateway.Auth.Tests.Hosting;
using Gateway.Contracts;

namespace Gateway.Auth.Tests.Keys;

/// <summary><c>info.spend</c> is what Ledger has booked.</summary>
public sealed class KeySpendTests
{
    [Fact]
    public async Task Spend_is_what_is_booked_in_the_window_and_total_spend_what_was_ever()
    {
        await using var ledger = await LedgerStub.StartAsync();
        await using var auth = await AuthHost.StartAsync(new AuthSetup { Ledger = ledger.Address });
        var plain = (await auth.SnapshotAsync(await auth.NewKeyAsync(new { user_id = "spender", max_budget = 5 }))).KeyId;
        var daily = (await auth.SnapshotAsync(await auth.NewKeyAsync(new { user_id = "spender", max_budget = 5, budget_duration = "1d" }))).KeyId;
        var window = new BudgetDefinition { Id = $"key/{daily}", Limit = Money.Zero, Period = "1d" }.WindowAt(TimeProvider.System.GetUtcNow());
        ledger.Booked[$"key/{plain}"] = new AccountSpend($"key/{plain}", new Money(1_500_000_001), []);
        ledger.Booked[$"key/{daily}"] = new AccountSpend(
            $"key/{daily}", new Money(7_000_000_000), [new WindowState(window.Id, Money.Zero, new Money(250_000_000), Money.Zero), new WindowState($"key/{daily}@1d@0", Money.Zero, new Money(9), Money.Zero)]);

        var info = (await auth.GetAsync($"/key/info?key={plain}")).Ok().Json["info"]!;
        Assert.Equal("1.500000001", info["spend"]!.ToJsonString());
        info = (await auth.GetAsync($"/key/info?key={daily}")).Ok().Json["info"]!;
        Assert.Equal(("0.25", "7"), (info["spend"]!.ToJsonString(), info["total_spend"]!.ToJsonString()));
        Assert.Equal(window.End, (DateTimeOffset)info["budget_reset_at"]!);

        // One question for a whole list.
        var before = ledger.Questions;
        Assert.Equal(2, (await auth.GetAsync("/key/list?user_id=spender&return_full_object=true")).Ok().Json["keys"]!.AsArray().Count);
        Assert.Equal(before + 1, ledger.Questions);
    }

    [Fact]
    public async Task Without_ledger_spend_is_null_and_says_why()
    {
        await using var auth = await AuthHost.StartAsync();
        var key = await auth.NewKeyAsync(new { });
        var info = (await auth.GetAsync($"/key/info?key={key}")).Ok().Json["info"]!;
        Assert.Null(info["spend"]);
        Assert.Contains("Ledger does not answer", (string?)info["spend_error"], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_ledger_that_hangs_holds_an_answer_for_two_seconds_at_most()
    {
        await using var ledger = await LedgerStub.StartAsync();
        var hangs = new TaskCompletionSource();
        ledger.Hangs = hangs.Task;
        await using var auth = await AuthHost.StartAsync(new AuthSetup { Ledger = ledger.Address });
        var key = await auth.NewKeyAsync(new { });
        var started = System.Diagnostics.Stopwatch.GetTimestamp();
        var info = (await auth.GetAsync($"/key/info?key={key}")).Ok().Json["info"]!;
        Assert.InRange(System.Diagnostics.Stopwatch.GetElapsedTime(started).TotalSeconds, 1.5, 4);
        Assert.NotNull(info["spend_error"]);
        hangs.SetResult();
    }
}
