using Gateway.Bench.Load;
using Gateway.Bench.Peers;

namespace Gateway.Bench.Scenarios;

/// <summary>What a refusal costs the edge, beside a request that is served.</summary>
internal sealed class RefusedScenario : Scenario
{
    private const int Connections = 32;

    private static readonly (string Name, string Key)[] s_cases =
    [
        ("served", GatewayConfig.Key), ("bad-key", "sk-nobody"), ("budget", GatewayConfig.SpentKey), ("rate", GatewayConfig.LimitedKey),
    ];

    private readonly byte[] body = Prompts.Body(Prompts.Model, 1024);

    public override string Name => "refused";

    public override string Description => $"the edge alone: an unknown key, a used-up budget, a used-up rate, beside requests that are served; {Connections} connections";

    public override int Rounds(BenchOptions options) => options.Quick && !options.RoundsAreGiven ? 2 : options.Rounds;

    public override IEnumerable<Peer> Choose(BenchRun run) => run.Peers.Where(peer => peer.Name == "edge");

    public override async Task WarmUpAsync(BenchRun run, Peer peer)
    {
        foreach (var (_, key) in s_cases)
        {
            await Wrk.RunAsync(Under(peer, key), body, Connections, TimeSpan.FromSeconds(run.Options.Quick ? 2 : 8), run.Cancellation);
        }
    }

    public override async Task<IEnumerable<(string, Dictionary<string, double>)>> MeasureAsync(BenchRun run, Peer peer, int round)
    {
        List<(string, Dictionary<string, double>)> figures = [];
        var served = 0.0;
        foreach (var (name, key) in s_cases)
        {
            var before = peer.CpuMicroseconds();
            var load = await Wrk.RunAsync(Under(peer, key), body, Connections, run.Options.Slot, run.Cancellation);
            var each = (peer.CpuMicroseconds() - before) / load.Answers;
            await peer.SettleAsync(run.Cancellation);
            served = name == "served" ? each : served;
            figures.Add((name, new()
            {
                ["cpu_us"] = each,
                ["of_served"] = each / served,
                ["rps"] = load.Answers / load.Seconds,
                ["refused_share"] = (double)load.Failures / load.Answers,
            }));
        }

        return figures;
    }

    private static Peer Under(Peer peer, string key) => new($"edge-{key}", peer.Address, static () => []) { Headers = { ["Authorization"] = $"Bearer {key}" } };
}
