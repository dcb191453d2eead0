using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.TestKit;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Walkthrough;

/// <summary>A cluster that is stopped and started again on the same data, watched by an OpenTelemetry collector.</summary>
public sealed class SecondStartTests
{
    private const string Prompt = "a prompt that nobody but the provider may see";

    [Fact]
    public async Task The_second_start_goes_on_where_the_first_stopped_and_waits_for_no_edge_that_is_gone()
    {
        await using var collector = await ScriptedProvider.Start();
        collector.ReplyAlways("/v1/traces", Reply.Text(200, "")).ReplyAlways("/v1/logs", Reply.Text(200, "")).ReplyAlways("/v1/metrics", Reply.Text(200, ""));
        var options = new GatewayClusterOptions
        {
            Config = MissionCluster.Config,
            DataFolder = Servers.NewFolder("second-start"),
            Environment = new Dictionary<string, string?>
            {
                ["OPENAI_API_KEY"] = null,
                ["ANTHROPIC_API_KEY"] = null,
                ["OTEL_EXPORTER_OTLP_ENDPOINT"] = collector.Url,
                ["OTEL_EXPORTER_OTLP_PROTOCOL"] = "http/protobuf",
                ["OTEL_BSP_SCHEDULE_DELAY"] = "200",
            },
        };
        long first;
        await using (var cluster = await GatewayCluster.StartAsync(options))
        {
            first = await CallAsync(cluster);
            await Eventually.Holds(() => Task.FromResult(Exported(collector, "gen_ai.request.model")), "the collector has a span with OpenTelemetry's names");
            Assert.Equal(0, await cluster.StopAsync());
        }

        await using var again = await GatewayCluster.StartAsync(options);
        var second = await CallAsync(again);
        Assert.DoesNotContain(again.Lines, line => line.Contains("was rebuilt in Redis", StringComparison.Ordinal));

        using var admin = new AdminClient(again.Port, again.MasterKey);
        await Eventually.Is(
            async () => (await admin.GetAsync("/key/info?key=team-alpha-token")).GetProperty("info").GetProperty("spend").GetDecimal(),
            spend => spend * 1_000_000_000 == first + second,
            "what both starts spent is booked");
        Assert.False(Exported(collector, Prompt), "a prompt left the gateway by telemetry");
    }

    private static async Task<long> CallAsync(GatewayCluster cluster)
    {
        using var team = new TeamClient(cluster.Port, "team-alpha-token");
        var answer = await team.ChatAsync("gpt-4", Prompt);
        Assert.True(answer.Status == 200, answer.ToString());
        return answer.Cost;
    }

    private static bool Exported(ScriptedProvider collector, string text) => collector.Requests.Any(request => request.Text.Contains(text, StringComparison.Ordinal));
}
