using System.Text;
using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.TestKit;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Protocols;

/// <summary>What goes well and what goes wrong, over the wire, with every protocol that the gateway speaks upstream.</summary>
[Collection(ProtocolsCollection.Name)]
public sealed class EveryProtocolTests(ProtocolsCluster cluster)
{
    public static TheoryData<string> Protocols => Protocol.Names;

    [Fact]
    public void Every_provider_of_the_edge_is_here()
    {
        // Voyage and the like are classes of their own too: the file's name is the provider's.
        var folder = Path.Combine(GatewayCluster.Repository, "services", "Edge", "Providers");
        var providers = Directory.EnumerateFiles(folder, "*Provider.cs", SearchOption.AllDirectories)
            .Select(static file => Path.GetFileName(file)[..^"Provider.cs".Length]).Where(static name => name != "IChat").Select(static name => name.ToLowerInvariant());

        Assert.Equal(providers.Order(StringComparer.Ordinal), Protocol.All.Select(static protocol => protocol.Name).Order(StringComparer.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task A_whole_answer_and_a_stream_come_through(string name)
    {
        var protocol = Protocol.Of(name);
        using var team = cluster.Team(ProtocolsCluster.Key);
        cluster.Answer(name, protocol.Reply("reply", "plain"));
        var whole = await team.ChatAsync(name);
        whole.IsOk();

        cluster.Answer(name, protocol.Reply("stream", "plain").InPartsOf(7));
        await using var stream = await team.StreamAsync(name, withUsage: true);
        await stream.ToEndAsync();

        Assert.True(stream.IsDone);
        Assert.Equal((string?)protocol.Read("reply", "plain")["message"]!["content"], whole.Text);
        Assert.Equal((string?)protocol.Read("stream", "plain")["expected"]!["message"]!["content"], stream.Text);
        Assert.Equal(whole.Json.GetProperty("usage").GetProperty("total_tokens").GetInt64(), stream.Usage!.Value.GetProperty("total_tokens").GetInt64());
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task Errors_have_the_gateways_status_and_code(string name)
    {
        var protocol = Protocol.Of(name);
        using var team = cluster.Team(ProtocolsCluster.Key);
        foreach (var (error, status, code) in ((string, int, string)[])
        [
            ("bad-request", 400, "provider_bad_request"), ("unauthorized", 502, "provider_auth_failed"), ("rate-limited", 429, "provider_rate_limited"),
            ("failed", 502, "provider_error"), ("overloaded", 429, "provider_rate_limited"),
        ])
        {
            cluster.Answer(name, protocol.Reply("error", error));

            var answer = await team.ChatAsync(name);

            Assert.True((status, code) == (answer.Status, answer.Code), $"{error}: {answer.Status} {answer.Body}");
        }
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public Task T33_A_stream_that_is_cut_ends_with_an_error(string name) => EndsWithAnErrorAsync(name, Protocol.Of(name).Reply("stream", "cut").Cut());

    [Theory]
    [MemberData(nameof(Protocols))]
    public Task A_frame_that_is_none_ends_the_stream_with_an_error(string name)
    {
        var protocol = Protocol.Of(name);
        var broken = protocol.StreamType == "text/event-stream" ? "data: {\"type\":\n\n" : "{\"type\":\n                    ";
        return EndsWithAnErrorAsync(name, Reply.Stream(protocol.StreamType).Raw(protocol.StreamBytes("cut")).Raw(Encoding.UTF8.GetBytes(broken)).Hang());
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task A_first_token_that_comes_late_comes_whole(string name)
    {
        var protocol = Protocol.Of(name);
        using var team = cluster.Team(ProtocolsCluster.Key);
        var gate = new TaskCompletionSource();
        var before = cluster.Upstream.Requests.Count;
        cluster.Answer(name, Reply.Stream(protocol.StreamType).Wait(gate.Task).Raw(protocol.StreamBytes("plain")));

        var opening = team.StreamAsync(name);
        await cluster.Upstream.WaitForRequests(before + 1);
        Assert.False(opening.IsCompleted);
        gate.SetResult();
        await using var stream = await opening;
        await stream.ToEndAsync();

        Assert.True(stream.IsDone);
        Assert.NotEmpty(stream.Text);
    }

    [Theory]
    [MemberData(nameof(Protocols))]
    public async Task T35_A_first_token_that_never_comes_is_a_504_in_time(string name)
    {
        using var team = cluster.Team(ProtocolsCluster.Key);
        cluster.Answer(name, Reply.Stream(Protocol.Of(name).StreamType).Hang());

        var answer = await team.PostAsync("/v1/chat/completions", Streaming(name + "-timed"));

        answer.IsError(504, "provider_timeout");
    }

    private static JsonObject Streaming(string model)
    {
        var body = TeamClient.Body(model, "Hello!");
        body["stream"] = true;
        return body;
    }

    private async Task EndsWithAnErrorAsync(string name, Reply reply)
    {
        using var team = cluster.Team(ProtocolsCluster.Key);
        cluster.Answer(name, reply);

        await using var stream = await team.StreamAsync(name);
        await stream.ToEndAsync();

        Assert.False(stream.IsDone);
        Assert.Equal("provider_error", stream.ErrorCode);
    }
}
