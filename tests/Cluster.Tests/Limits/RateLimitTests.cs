using System.Diagnostics;
using System.Globalization;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Limits;

/// <summary>Requests, tokens and requests at once, limited over three edges as if they were one.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class RateLimitTests(ScriptedCluster cluster, ITestOutputHelper output)
{
    /// <summary>T-44, T-45, T-47.</summary>
    [Fact]
    public async Task Of_100_at_once_over_three_edges_20_are_answered_refusals_use_nothing_up_and_the_wait_is_true()
    {
        var model = ScriptedModels.NewModel();
        var key = await cluster.Admin.NewKeyAsync(new { key_alias = AdminClient.NewName("rpm"), rpm_limit = 20 });
        using var team = cluster.Team(key);
        var began = Stopwatch.GetTimestamp();

        var answers = await Task.WhenAll(Enumerable.Range(0, 100).Select(_ => team.ChatAsync(model)));

        Assert.Equal(20, answers.Count(static answer => answer.Status == 200));
        Assert.Equal(20, cluster.Upstream.RequestsOf(model).Count);
        var refused = answers.Where(static answer => answer.Status != 200).ToList();
        Assert.All(refused, static answer =>
        {
            answer.IsError(429, "rate_limit_exceeded");
            Assert.Equal("20", answer.Header("x-ratelimit-limit-requests"));
            Assert.Equal("0", answer.Header("x-ratelimit-remaining-requests"));
        });

        // Who comes back at the time that was named is let in, though it was refused a hundred times meanwhile.
        var last = await team.ChatAsync(model);
        last.IsError(429, "rate_limit_exceeded");
        var wait = TimeSpan.FromSeconds(int.Parse(last.Header("Retry-After")!, CultureInfo.InvariantCulture));
        Assert.InRange(wait, TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(61));
        var named = Stopwatch.GetTimestamp();
        var tooEarly = 0;
        while (Stopwatch.GetElapsedTime(named) < wait - TimeSpan.FromSeconds(5))
        {
            (await team.ChatAsync(model)).IsError(429, "rate_limit_exceeded");
            tooEarly++;
            await Eventually.PauseAsync(TimeSpan.FromMilliseconds(250));
        }

        await Eventually.PauseAsync(wait - Stopwatch.GetElapsedTime(named));
        output.WriteLine($"Retry-After {wait.TotalSeconds} s; refused {tooEarly} times meanwhile; first of the 20 was {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s ago");
        (await team.ChatAsync(model)).IsOk();
    }

    /// <summary>T-43.</summary>
    [Theory]
    [InlineData("the client leaves")]
    [InlineData("the provider fails")]
    [InlineData("the stream is cut")]
    public async Task Slots_of_requests_at_once_come_back_when(string way)
    {
        var model = ScriptedModels.NewModel();
        var key = await cluster.Admin.NewKeyAsync(new { key_alias = AdminClient.NewName("parallel"), max_parallel_requests = 3 });
        using var team = cluster.Team(key);
        for (var round = 1; round <= 2; round++)
        {
            var end = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            cluster.Upstream.Script(model, way switch
            {
                "the client leaves" => OpenAiReplies.Pieces(model, "Wait ").Hang(),
                "the provider fails" => Reply.Json(500, "{}").WaitBeforeHead(end.Task),
                _ => OpenAiReplies.Pieces(model, "Wait ").Wait(end.Task).Cut(),
            });
            List<ChatStream> streams = [];
            List<Task<Answer>> calls = [];
            for (var slot = 0; slot < 3; slot++)
            {
                if (way == "the provider fails")
                {
                    calls.Add(team.ChatAsync(model));
                }
                else
                {
                    streams.Add(await team.StreamAsync(model));
                }
            }

            await cluster.Upstream.WaitForRequestsAsync(model, 3 * round);
            (await team.ChatAsync(model)).IsError(429, "rate_limit_exceeded");
            end.SetResult();
            foreach (var stream in streams)
            {
                if (way != "the client leaves")
                {
                    Assert.Equal("provider_error", (await stream.ToEndAsync()).ErrorCode);
                }

                await stream.DisposeAsync();
            }

            Assert.All(await Task.WhenAll(calls), static answer => answer.IsError(502, "provider_error"));

            // All three are free again, on whichever edge, and soon.
            await Eventually.Is(
                async () =>
                {
                    cluster.Upstream.Script(model, ScriptedModels.OrdinaryAsync);
                    return (await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => team.ChatAsync("s-free")))).Count(static answer => answer.Status == 200);
                },
                static free => free == 3,
                "three slots are free",
                TimeSpan.FromSeconds(30));
        }
    }

    /// <summary>T-46.</summary>
    [Fact]
    public async Task Tokens_per_minute_count_input_and_output_and_never_change_the_callers_max_tokens()
    {
        var model = ScriptedModels.NewModel();
        const long tokens = ScriptedModels.InputTokens + ScriptedModels.OutputTokens;
        var key = await cluster.Admin.NewKeyAsync(new { key_alias = AdminClient.NewName("tpm"), tpm_limit = 10 * tokens });
        using var team = cluster.Team(key);
        var answered = 0;
        Answer answer;
        while ((answer = await team.ChatAsync(model, maxTokens: 40)).Status == 200)
        {
            Assert.True(++answered <= 10, "More tokens than the limit were used in a minute.");
        }

        answer.IsError(429, "rate_limit_exceeded");
        Assert.NotNull(answer.Header("Retry-After"));
        output.WriteLine($"{answered} of 10 that fit were answered");
        Assert.InRange(answered, 8, 10);
        Assert.All(cluster.Upstream.RequestsOf(model), static request => Assert.Equal(40, request.Json.GetProperty("max_tokens").GetInt32()));
    }
}
