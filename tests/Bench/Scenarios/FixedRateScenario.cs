using Gateway.Bench.Load;
using Gateway.Bench.Peers;
using Gateway.Bench.Reporting;

namespace Gateway.Bench.Scenarios;

/// <summary>Latency at a low rate: no queue anywhere, but each request may meet a processor that has gone to rest.</summary>
internal sealed class FixedRateScenario : Scenario
{
    private const int PerSecond = 100;
    private const int Connections = 16;

    private readonly byte[] body = Prompts.Body(Prompts.Model, 1024);

    public override string Name => "fixed-rate";

    public override bool IsQuick => false;

    public override string Description => $"a prompt of 1 KiB, {PerSecond} requests a second whatever the answers do";

    public override IEnumerable<Peer> Choose(BenchRun run) => base.Choose(run).Prepend(run.Upstream);

    public override async Task WarmUpAsync(BenchRun run, Peer peer) =>
        await OpenLoad.RunAsync(peer, body, PerSecond, Connections, TimeSpan.FromSeconds(1), run.Cancellation);

    public override async Task<IEnumerable<(string, Dictionary<string, double>)>> MeasureAsync(BenchRun run, Peer peer, int round)
    {
        var load = await OpenLoad.RunAsync(peer, body, PerSecond, Connections, run.Options.Slot, run.Cancellation);
        await peer.SettleAsync(run.Cancellation);
        return [(peer.Name, new() { ["p50_us"] = load.P50, ["p99_us"] = load.P99, ["failures"] = load.Failures })];
    }

    public override void Finish(IReadOnlyList<Sample> round) => AddedLatency.Add(round);
}
