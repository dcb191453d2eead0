using System.Text.Json.Nodes;
using Gateway.Contracts;

namespace Gateway.Metering.Tests.Reports;

/// <summary>What each report says, and in which shape.</summary>
[Collection("metering")]
public sealed class ReportShapeTests
{
    private static readonly string s_day = $"{Sample.Noon:yyyy-MM-dd}";
    private static readonly string s_dayBefore = $"{Sample.Noon.AddDays(-1):yyyy-MM-dd}";

    [Fact]
    public async Task SpendByKeyUserAndTag()
    {
        await using var host = await FilledAsync();
        Assert.Equal(
            $$"""[{"token":"{{Sample.Key(1)}}","key_alias":"ci","user_id":"alice","team_id":"payments","spend":3.25,"total_tokens":50,"api_requests":2},{"token":"{{Sample.Key(2)}}","key_alias":"ci","user_id":"bob","team_id":null,"spend":0.5,"total_tokens":25,"api_requests":1}]""",
            (await host.JsonAsync("/spend/keys")).ToJsonString());
        Assert.Equal(
            """[{"user_id":"alice","spend":3.25,"total_tokens":50,"api_requests":2},{"user_id":"bob","spend":0.5,"total_tokens":25,"api_requests":1}]""",
            (await host.JsonAsync("/spend/users")).ToJsonString());
        Assert.Equal(
            """[{"individual_request_tag":"env=dev","log_count":2,"total_spend":2.5,"total_tokens":50},{"individual_request_tag":"b","log_count":1,"total_spend":0.5,"total_tokens":25}]""",
            (await host.JsonAsync("/spend/tags")).ToJsonString());
        Assert.Equal("bob", (await host.JsonAsync("/spend/users?user_id=bob")).AsArray().Single()!["user_id"]!.GetValue<string>());
    }

    [Fact]
    public async Task GlobalSpend()
    {
        await using var host = await FilledAsync();
        Assert.Equal("""{"spend":3.75,"total_tokens":75,"api_requests":3}""", (await host.JsonAsync("/global/spend")).ToJsonString());
        Assert.Equal(
            $$"""[{"date":"{{s_dayBefore}}","spend":1.25,"total_tokens":25,"api_requests":1},{"date":"{{s_day}}","spend":2.5,"total_tokens":50,"api_requests":2}]""",
            (await host.JsonAsync("/global/spend/logs")).ToJsonString());
        Assert.Equal(0.5m, (await host.JsonAsync($"/global/spend/logs?api_key={Sample.Key(2)}")).AsArray().Single()!["spend"]!.GetValue<decimal>());
        Assert.Equal($$"""{"api_key":"{{Sample.Key(1)}}","key_alias":"ci","total_spend":3.25}""", (await host.JsonAsync("/global/spend/keys"))[0]!.ToJsonString());
        Assert.Equal("""{"model":"gpt-4","total_spend":3.25,"total_tokens":50,"api_requests":2}""", (await host.JsonAsync("/global/spend/models"))[0]!.ToJsonString());
        Assert.Equal("""{"provider":"openai","spend":3.25,"total_tokens":50,"api_requests":2}""", (await host.JsonAsync("/global/spend/provider"))[0]!.ToJsonString());
        Assert.Equal("""[{"end_user":"u-1","total_count":1,"total_spend":2}]""", (await host.JsonAsync("/global/spend/end_users")).ToJsonString());
        var teams = await host.JsonAsync("/global/spend/teams");
        Assert.Equal("""["payments","no_team"]""", teams["teams"]!.ToJsonString());
        Assert.Equal("""{"team_id":"payments","total_spend":3.25}""", teams["total_spend_per_team"]![0]!.ToJsonString());
        Assert.Equal($$"""{"date":"{{s_day}}","no_team":0.5,"payments":2}""", teams["daily_spend"]![1]!.ToJsonString());
        Assert.Equal(System.Net.HttpStatusCode.OK, (await host.GetAsync("/global/spend/end_users", MeteringHost.Admin, method: HttpMethod.Post)).StatusCode);
    }

    [Theory]
    [InlineData("team", "teams", "team_name", "payments")]
    [InlineData("customer", "customers", "customer", "u-1")]
    [InlineData("api_key", "api_keys", "api_key", "0000000000000000000000000000000000000000000000000000000000000001")]
    [InlineData("internal_user_id", "internal_users", "internal_user_id", "alice")]
    [InlineData("organization", "organizations", "organization_id", "acme")]
    public async Task Report_GroupsByDayAndOwner(string groupBy, string groups, string name, string owner)
    {
        await using var host = await FilledAsync();
        var days = await host.JsonAsync($"/global/spend/report?start_date={s_dayBefore}&end_date={s_day}&group_by={groupBy}");
        var last = days.AsArray()[^1]!;
        Assert.Equal(s_day, last["group_by_day"]!.GetValue<string>());
        var group = last[groups]!.AsArray().Single(entry => entry![name]!.GetValue<string>() == owner)!;
        Assert.Equal(groupBy == "organization" ? 2.5m : 2m, group["total_spend"]!.GetValue<decimal>());
        Assert.Equal(Sample.Key(1), group["metadata"]![0]!["api_key"]!.GetValue<string>());
    }

    [Fact]
    public async Task DailyActivity_BreaksDown_AndPagesByDay()
    {
        await using var host = await FilledAsync();
        var activity = await host.JsonAsync($"/user/daily/activity?start_date={s_dayBefore}&end_date={s_day}");
        Assert.Equal([s_day, s_dayBefore], activity["results"]!.AsArray().Select(day => day!["date"]!.GetValue<string>()));
        var first = activity["results"]![0]!;
        Assert.Equal(
            """{"spend":2.5,"prompt_tokens":30,"completion_tokens":20,"cache_read_input_tokens":10,"cache_creation_input_tokens":0,"reasoning_tokens":6,"total_tokens":50,"successful_requests":1,"failed_requests":1,"api_requests":2}""",
            first["metrics"]!.ToJsonString());
        var breakdown = first["breakdown"]!;
        Assert.Equal(2m, Spend(breakdown["models"]!["gpt-4-0613"]!));
        Assert.Equal(0.5m, Spend(breakdown["model_groups"]!["claude-2"]!));
        Assert.Equal(0.5m, Spend(breakdown["providers"]!["anthropic"]!));
        Assert.Equal(2m, Spend(breakdown["api_keys"]![Sample.Key(1)]!));
        Assert.Equal("""{"key_alias":"ci","team_id":"payments"}""", breakdown["api_keys"]![Sample.Key(1)]!["metadata"]!.ToJsonString());
        Assert.Equal(0.5m, Spend(breakdown["entities"]!["bob"]!));
        Assert.Equal(3.75m, activity["metadata"]!["total_spend"]!.GetValue<decimal>());
        Assert.False(activity["metadata"]!["has_more"]!.GetValue<bool>());

        var page = await host.JsonAsync($"/team/daily/activity?start_date={s_dayBefore}&end_date={s_day}&page_size=1");
        Assert.True(page["metadata"]!["has_more"]!.GetValue<bool>());
        Assert.Equal("payments", page["results"]![0]!["breakdown"]!["entities"]!.AsObject().Single().Key);
        page = await host.JsonAsync($"/team/daily/activity?start_date={s_dayBefore}&end_date={s_day}&page_size=1&page=2");
        Assert.Equal(s_dayBefore, page["results"]!.AsArray().Single()!["date"]!.GetValue<string>());
        Assert.Empty((await host.JsonAsync($"/team/daily/activity?start_date={s_dayBefore}&end_date={s_day}&page_size=1&page=3"))["results"]!.AsArray());
    }

    [Fact]
    public async Task Reports_SayHowLateTheyAre()
    {
        await using var host = await FilledAsync();
        // Either now, because the queue is empty, or the newest record: never nothing, never the future.
        using var answer = await host.GetAsync("/global/spend", MeteringHost.Admin);
        var asOf = DateTimeOffset.Parse(answer.Headers.GetValues("x-gateway-data-as-of").Single(), System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(asOf, Sample.Noon, DateTimeOffset.UtcNow);
        await Until.TrueAsync(
            async () => DateTimeOffset.UtcNow - DateTimeOffset.Parse((await host.GetAsync("/global/spend", MeteringHost.Admin)).Headers.GetValues("x-gateway-data-as-of").Single(), System.Globalization.CultureInfo.InvariantCulture) < TimeSpan.FromSeconds(10),
            "an empty queue means that reports are up to date");
    }

    private static decimal Spend(JsonNode part) => part["metrics"]!["spend"]!.GetValue<decimal>();

    private static async Task<MeteringHost> FilledAsync()
    {
        var host = await MeteringHost.StartAsync();
        await host.Store.WriteAsync(
            [
                Sample.Record(cost: 2_000_000_000, endUser: "u-1", tags: ["env=dev"]),
                Sample.Record(at: Sample.Noon.AddDays(-1), cost: 1_250_000_000),
                Sample.Record(key: Sample.Key(2), user: "bob", team: null, model: "claude-2", provider: "anthropic", cost: 500_000_000, tags: ["env=dev", "b"], outcome: UsageOutcome.ClientClosed, status: 499),
            ],
            CancellationToken.None);
        return host;
    }
}
