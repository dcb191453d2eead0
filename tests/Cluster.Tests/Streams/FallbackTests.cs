using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Streams;

/// <summary>Until the first byte another model can answer instead, for streams too (T-61); one attempt is charged, the others are visible (T-24).</summary>
[Collection(ScriptedCollection.Name)]
public sealed class FallbackTests(ScriptedCluster cluster)
{
    private const string Error = """{"error":{"message":"The server had an error.","type":"server_error","param":null,"code":null}}""";

    public static TheoryData<string, string, bool> Failures => new()
    {
        { "first-1", "status", true },
        { "first-2", "cut", true },
        { "first-3", "garbage", true },
        { "first-4", "status", false },
        { "first-5", "cut", false },
        { "first-8", "error event", true },
    };

    [Theory]
    [MemberData(nameof(Failures))]
    public async Task What_fails_before_its_first_byte_is_answered_by_the_fallback_and_charged_once(string model, string way, bool streamed)
    {
        cluster.Upstream.Script(model, way switch
        {
            "status" => Reply.Json(500, Error),
            "cut" => Reply.Aborted(),
            "error event" => Reply.Events().Data("""{"error":{"message":"Too many requests.","code":429}}"""),
            _ => Reply.Events().Raw("data: <html>\n\n"),
        });
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        Guid id;
        if (streamed)
        {
            await using var stream = await team.StreamAsync(model);
            await stream.ToEndAsync();
            Assert.Equal((200, string.Concat(ScriptedModels.Pieces), true), (stream.Status, stream.Text, stream.IsDone));
            id = stream.RequestId;
        }
        else
        {
            var answer = await team.ChatAsync(model);
            Assert.Equal((200, string.Concat(ScriptedModels.Pieces)), (answer.Status, answer.Text));
            Assert.Equal("1", answer.Header("x-litellm-attempted-fallbacks"));
            id = answer.RequestId;
        }

        Assert.Single(cluster.Upstream.RequestsOf(model));
        var row = await cluster.Books.RowOfAsync(id);
        Assert.Equal(ScriptedModels.Cost, row.Cost);
        Assert.NotNull(row.FailedAttempts);
        var books = await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}");
        Assert.Equal(ScriptedModels.Cost, books.Window!.Spent);
    }

    /// <summary>The status was 200, and the first event says what an error with a status would have said.</summary>
    [Theory]
    [InlineData("long-1", true)]
    [InlineData("s-long", false)]
    public async Task A_prompt_that_the_streams_first_event_calls_too_long_goes_to_the_fallback_for_such_or_is_the_callers(string model, bool hasFallback)
    {
        cluster.Upstream.Script(model, Reply.Events().Data("""{"error":{"message":"This model's maximum context length is 8 tokens.","type":"BadRequestError","code":400}}"""));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        await using var stream = await team.StreamAsync(model);
        await stream.ToEndAsync();

        Assert.Equal(hasFallback ? (200, string.Concat(ScriptedModels.Pieces), true) : (400, "", false), (stream.Status, stream.Text, stream.IsDone));

        Assert.Single(cluster.Upstream.RequestsOf(model));
    }

    [Theory]
    [InlineData("""{"error":{"message":"Overloaded","code":503}}""", "provider_rate_limited", "overloaded_error")]
    [InlineData("""{"error":{"message":"This model's maximum context length is 8 tokens.","code":400}}""", "provider_context_length_exceeded", "invalid_request_error")]
    [InlineData("""{"error":{"message":"It broke.","type":"server_error"}}""", "provider_error", "api_error")]
    public async Task In_mid_stream_an_error_keeps_its_kind_in_the_surfaces_own_frame(string error, string code, string type)
    {
        var model = ScriptedModels.NewModel();
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        cluster.Upstream.Script(model, OpenAiReplies.Pieces(model, "Begun ").Data(error));
        await using var stream = await team.StreamAsync(model);
        await stream.ToEndAsync();

        cluster.Upstream.Script(model, OpenAiReplies.Pieces(model, "Begun ").Data(error));
        var body = Calls.TeamClient.Body(model, "Hello!", 100);
        body["stream"] = true;
        var message = await team.PostAsync("/v1/messages", body);

        Assert.Equal(("Begun ", code, false), (stream.Text, stream.ErrorCode, stream.IsDone));
        Assert.Contains("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"" + type + "\"", message.Body, StringComparison.Ordinal);
    }

    [Fact]
    public async Task After_the_first_byte_there_is_no_fallback()
    {
        const string model = "first-6";
        cluster.Upstream.Script(model, OpenAiReplies.Pieces(model, "Begun ").Cut());
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        await using var stream = await team.StreamAsync(model);
        await stream.ToEndAsync();

        Assert.Equal(("Begun ", "provider_error", false), (stream.Text, stream.ErrorCode, stream.IsDone));
    }

    [Fact]
    public async Task A_fallback_never_leads_to_a_model_that_the_key_may_not_use()
    {
        const string model = "first-1";
        cluster.Upstream.Script(model, Reply.Json(500, Error));
        var key = await cluster.Admin.NewKeyAsync(new { models = new[] { model } });
        using var team = cluster.Team(key);
        (await team.ChatAsync(model)).IsError(502, "provider_error");
    }
}
