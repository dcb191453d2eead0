using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Streams;

/// <summary>How often a provider is called for one request, counted there.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class AttemptsTests(ScriptedCluster cluster)
{
    private const string Error = """{"error":{"message":"The server had an error.","type":"server_error","param":null,"code":null}}""";

    [Fact]
    public async Task T62_A_caller_who_wants_no_fallback_gets_the_error()
    {
        const string model = "first-7";
        cluster.Upstream.Script(model, Reply.Json(500, Error));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        var wants = TeamClient.Body(model, "Hello!");
        wants["disable_fallbacks"] = true;

        (await team.PostAsync("/v1/chat/completions", wants)).IsError(502, "provider_error");

        Assert.Single(cluster.Upstream.RequestsOf(model));
        Assert.Equal("1", (await team.ChatAsync(model)).Header("x-litellm-attempted-fallbacks"));
    }

    [Theory]
    [InlineData("s-once", 1)]
    [InlineData("again-1", 3)]
    public async Task T65_T80_A_request_is_sent_as_often_as_its_model_says_and_charged_nothing_when_nobody_answers(string model, int times)
    {
        cluster.Upstream.Script(model, Reply.Json(500, Error));
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var answer = await team.ChatAsync(model);

        answer.IsError(502, "provider_error");
        Assert.Equal(times > 1 ? "false" : null, answer.Header("x-should-retry"));
        Assert.Equal(times, cluster.Upstream.RequestsOf(model).Count);
        var books = await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}");
        Assert.Equal(0, books.Journal.Cost);
    }

    [Fact]
    public async Task T64_T85_A_deployment_that_refuses_the_credential_rests_and_the_other_one_at_its_host_goes_on()
    {
        const int calls = 60;
        cluster.Upstream.Script("pair-refusing", Reply.Json(401, Error));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var statuses = new List<int>();
        for (var call = 0; call < calls; call++)
        {
            statuses.Add((await team.ChatAsync("pair-1")).Status);
        }

        // Each of the three edges finds out for itself, once.
        var refused = cluster.Upstream.RequestsOf("pair-refusing").Count;
        Assert.InRange(refused, 1, 3);
        Assert.Equal(calls - refused, cluster.Upstream.RequestsOf("pair-answering").Count);
        Assert.Equal(calls - refused, statuses.Count(static status => status == 200));
    }
}
