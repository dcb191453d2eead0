using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Budgets;

/// <summary>An owner's windows over their whole life, over three edges: several at once, raised for a time, reset by hand, begun anew by the clock.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class BudgetWindowsTests(ScriptedCluster cluster, ITestOutputHelper output)
{
    private const string OtherText = "How much is left!";

    [Fact]
    public async Task Several_windows_of_one_owner_hold_at_once_and_the_one_that_is_used_up_refuses()
    {
        var (model, userId) = (ScriptedModels.NewModel(), AdminClient.NewName("user"));
        await Race.TeachEveryEdgeAsync(cluster, model);
        await cluster.Admin.PostAsync("/user/new", new { user_id = userId, auto_create_key = false, max_budget = Dollars(60), budget_limits = Limits(month: 20, year: 40) });
        var key = await cluster.Admin.NewKeyAsync(new { user_id = userId });
        using var team = cluster.Team(key);

        var refusal = await AnsweredAsync(team, model, 20);
        Assert.Matches("It starts again at [0-9-]+-01T00:00:00Z", refusal.Message);
        Assert.EndsWith("-01T00:00:00Z", refusal.Header("x-gateway-budget-reset"), StringComparison.Ordinal);

        await cluster.Admin.PostAsync("/user/update", new { user_id = userId, budget_limits = Limits(month: 1_000, year: 40) });
        refusal = await AnsweredAsync(team, model, 20);
        Assert.Matches("It starts again at [0-9]+-01-01T00:00:00Z", refusal.Message);

        await cluster.Admin.PostAsync("/user/update", new { user_id = userId, budget_limits = Limits(month: 1_000, year: 1_000) });
        refusal = await AnsweredAsync(team, model, 20);
        Assert.Contains("does not start again by itself", refusal.Message, StringComparison.Ordinal);

        await cluster.Books.AtRestAsync(key.Id, 60, $"user/{userId}");
        var windows = await cluster.Books.WindowsChargedAsync($"key/{key.Id}");
        Assert.Equal(3, windows.Count);
        foreach (var (window, charged) in windows)
        {
            Assert.Equal(60 * ScriptedModels.Cost, charged.Cost);
            await Eventually.Is(() => cluster.Books.WindowAsync(window), now => now!.Spent == charged.Cost && now.Leased == 0, $"{window} is at rest in Redis");
        }
    }

    [Fact]
    public async Task A_raise_ends_at_its_instant_though_it_was_not_used_up()
    {
        var (model, userId) = (ScriptedModels.NewModel(), AdminClient.NewName("user"));
        await Race.TeachEveryEdgeAsync(cluster, model);
        await cluster.Admin.PostAsync(
            "/user/new", new { user_id = userId, auto_create_key = false, max_budget = Dollars(5), temp_budget_increase = Dollars(100), temp_budget_expiry = DateTimeOffset.UtcNow.AddHours(1) });
        var key = await cluster.Admin.NewKeyAsync(new { user_id = userId });
        using var team = cluster.Team(key);
        var calls = 0;
        async Task CallAsync()
        {
            (await team.ChatAsync(model, Race.Text)).IsOk();
            calls++;
        }

        while (calls < 7)
        {
            await CallAsync();
        }

        var end = DateTimeOffset.FromUnixTimeSeconds(DateTimeOffset.UtcNow.ToUnixTimeSeconds() + 15);
        await cluster.Admin.PostAsync("/user/update", new { user_id = userId, temp_budget_expiry = end });
        while (await cluster.Books.RaiseEndsAsync($"user/{userId}") != end.ToUnixTimeMilliseconds())
        {
            await CallAsync();
        }

        await Eventually.Holds(() => Task.FromResult(DateTimeOffset.UtcNow > end), "the raise is over");
        var before = await cluster.Books.AtRestAsync(key.Id, calls, $"user/{userId}");
        output.WriteLine($"{calls} calls, {before.Window}");

        // Redis itself has gone back: many calls would still fit into what was raised.
        foreach (var answer in await Race.PostAsync(team, TeamClient.Body(model, Race.Text), 20))
        {
            answer.IsError(429, "budget_exceeded");
        }

        await cluster.Admin.PostAsync(
            "/user/update", new { user_id = userId, temp_budget_increase = Dollars(calls - 2), temp_budget_expiry = DateTimeOffset.UtcNow.AddHours(1) });
        await AnsweredAsync(team, model, 3);
        await cluster.Books.AtRestAsync(key.Id, calls + 3, $"user/{userId}");
    }

    [Theory]
    [InlineData("key")]
    [InlineData("user")]
    [InlineData("team")]
    [InlineData("organization")]
    public async Task T8_T10_reset_spend_takes_off_what_was_booked_for_every_edge_and_leaves_what_is_under_way(string level)
    {
        var model = ScriptedModels.NewModel();
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.Upstream.Script(model, async exchange =>
        {
            if (exchange.Request.Text.Contains(OtherText, StringComparison.Ordinal))
            {
                await gate.Task.WaitAsync(exchange.Ended);
            }

            await ScriptedModels.OrdinaryAsync(exchange);
        });
        await Race.TeachEveryEdgeAsync(cluster, model);
        var (userId, teamId, organizationId) = (AdminClient.NewName("user"), AdminClient.NewName("team"), AdminClient.NewName("organization"));
        decimal? Of(string owner) => level == owner ? Dollars(4) : null;
        await cluster.Admin.PostAsync("/organization/new", new { organization_id = organizationId, max_budget = Of("organization") });
        await cluster.Admin.PostAsync("/team/new", new { team_id = teamId, organization_id = organizationId, max_budget = Of("team") });
        await cluster.Admin.NewUserAsync(userId, Of("user"));
        var key = await cluster.Admin.NewKeyAsync(new { user_id = userId, team_id = teamId, max_budget = Of("key") });
        var owner = level switch { "key" => key.Id, "user" => userId, "team" => teamId, _ => organizationId };
        using var team = cluster.Team(key);

        // Three are booked and a fourth is at the provider: the budget is used up.
        var underWay = team.ChatAsync(model, OtherText);
        await Eventually.Holds(() => Task.FromResult(cluster.Upstream.RequestsOf(model).Any(static request => request.Text.Contains(OtherText, StringComparison.Ordinal))), "the fourth is under way");
        await AnsweredAsync(team, model, 3);
        await Eventually.Is(() => cluster.Books.JournalAsync($"key/{key.Id}"), static journal => journal.Rows == 3, "three are booked");

        var reset = await cluster.Admin.PostAsync($"/{level}/{owner}/reset_spend", new { reset_to = 0 });
        Assert.Equal((Dollars(3), 0m), (reset.GetProperty("previous_spend").GetDecimal(), reset.GetProperty("spend").GetDecimal()));
        gate.SetResult();
        (await underWay).IsOk();

        await AnsweredAsync(team, model, 3);
        var window = (await Eventually.Is(
            () => cluster.Books.WindowAsync($"{level}/{owner}"), static window => window!.Leased == 0 && window.Spent == window.Limit, "the fourth counts after the reset, and three more"))!;
        Assert.Equal(4 * ScriptedModels.Cost, window.Spent);
        Assert.Equal(7, (await cluster.Books.JournalAsync($"key/{key.Id}")).Rows);
    }

    [Fact]
    public async Task T10_a_window_that_ends_in_the_middle_of_a_race_is_spent_to_its_end_and_the_next_one_begins_whole()
    {
        var (model, userId) = (ScriptedModels.NewModel(), AdminClient.NewName("user"));
        await Race.TeachEveryEdgeAsync(cluster, model);
        await cluster.Admin.PostAsync("/user/new", new { user_id = userId, auto_create_key = false, max_budget = Dollars(10), budget_duration = "5s" });
        var key = await cluster.Admin.NewKeyAsync(new { user_id = userId });
        using var team = cluster.Team(key);
        await using var load = Failures.Load.StartAlike(model, 8, team);
        await load.AnsweredMoreAsync(35);
        await load.StopAsync();

        output.WriteLine($"{load}");
        Assert.All(load.Refused, static refusal => Assert.StartsWith("429 budget_exceeded", refusal, StringComparison.Ordinal));
        await Eventually.Is(() => cluster.Books.JournalAsync($"key/{key.Id}"), journal => journal.Rows == load.Answered.Count, "all are booked");
        var windows = await cluster.Books.WindowsChargedAsync($"key/{key.Id}");
        output.WriteLine(string.Join(", ", windows.Select(static window => $"{window.Key}: {window.Value.Rows}")));
        Assert.InRange(windows.Count, 4, int.MaxValue);
        Assert.All(windows.Values, static charged => Assert.InRange(charged.Rows, 1, 10));
        Assert.Equal(load.Answered.Count, windows.Values.Sum(static charged => charged.Rows));
    }

    private static decimal Dollars(int calls) => calls * ScriptedModels.Cost / 1_000_000_000m;

    private static object[] Limits(int month, int year) =>
        [new { budget_duration = "1mo", max_budget = Dollars(month) }, new { budget_duration = "1y", max_budget = Dollars(year) }];

    /// <summary>Calls at once, again and again, until so many were answered: an edge may hear of a change a moment later. Then there are no more; a refusal.</summary>
    private static async Task<Answer> AnsweredAsync(TeamClient team, string model, int calls)
    {
        var body = TeamClient.Body(model, Race.Text);
        var answered = 0;
        await Eventually.Is(async () => answered += Race.Answered(await Race.PostAsync(team, body, 30)).Count, all => all >= calls, $"{calls} calls are answered");
        var after = await Race.PostAsync(team, body, 20);
        Assert.Equal((calls, 0), (answered, Race.Answered(after).Count));
        return after[0];
    }
}
