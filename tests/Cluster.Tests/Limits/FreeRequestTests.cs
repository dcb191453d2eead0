using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Limits;

/// <summary>Requests that cost nothing count under the limits all the same: counting tokens, and what a provider has stored.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class FreeRequestTests(ScriptedCluster cluster)
{
    [Fact]
    public async Task They_use_up_the_requests_of_a_minute_with_all_others()
    {
        var model = ScriptedModels.NewModel();
        using var team = cluster.Team(await cluster.Admin.NewKeyAsync(new { key_alias = AdminClient.NewName("rpm"), rpm_limit = 3 }));

        Assert.Equal(200, (await CountAsync(team, model)).Status);
        (await team.GetAsync("/v1/responses/resp_of_nobody")).IsError(404, "response_not_found");
        (await team.ChatAsync(model)).IsOk();

        var counted = await CountAsync(team, model);
        Assert.Equal((429, "error"), (counted.Status, counted.Json.GetProperty("type").GetString()));
        Assert.Equal("3", counted.Header("x-ratelimit-limit-requests"));
        var stored = await team.GetAsync("/v1/responses/resp_of_nobody");
        stored.IsError(429, "rate_limit_exceeded");
        Assert.NotNull(stored.Header("Retry-After"));
    }

    [Fact]
    public async Task They_hold_a_slot_while_they_run_and_give_it_back()
    {
        var slow = ScriptedModels.NewModel("a");
        var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        cluster.Upstream.Script(slow, Reply.Json(200, """{"input_tokens":7}""").WaitBeforeHead(end.Task));
        using var team = cluster.Team(await cluster.Admin.NewKeyAsync(new { key_alias = AdminClient.NewName("parallel"), max_parallel_requests = 1 }));

        var counting = CountAsync(team, slow);
        await cluster.Upstream.WaitForRequestsAsync(slow);
        (await team.GetAsync("/v1/responses/resp_of_nobody")).IsError(429, "rate_limit_exceeded");
        end.SetResult();

        Assert.Equal(7, (await counting).Json.GetProperty("input_tokens").GetInt64());
        await Eventually.Is(() => team.GetAsync("/v1/responses/resp_of_nobody"), static answer => answer.Status == 404, "the slot is free again");
    }

    private static Task<Answer> CountAsync(TeamClient team, string model) => team.PostAsync("/v1/messages/count_tokens", TeamClient.Body(model, "How many?", 10));
}
