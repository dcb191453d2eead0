using Gateway.Bench.Load;
using Gateway.Bench.Peers;
using Gateway.Bench.Reporting;

namespace Gateway.Bench.Scenarios;

/// <summary>Time to the first frame with few streams at once, and how many of them show the 40 ms that Nagle and a late acknowledgement cost.</summary>
internal sealed class FirstFrameScenario : Scenario
{
    private const int Connections = 4;

    private readonly byte[] body = Prompts.Body(Prompts.FlushedModel, 1024, stream: true);

    public override string Name => "first-frame";

    public override bool IsQuick => false;

    public override string Description => $"the same streams, {Connections} at once: time to the first frame; steps_40ms counts first frames and gaps of 38 to 48 ms";

    public override IEnumerable<Peer> Choose(BenchRun run) => base.Choose(run).Prepend(run.Upstream);

    public override async Task WarmUpAsync(BenchRun run, Peer peer) =>
        await StreamLoad.LoopAsync(peer, body, Connections, TimeSpan.FromSeconds(1), 0, run.Cancellation);

    public override async Task<IEnumerable<(string, Dictionary<string, double>)>> MeasureAsync(BenchRun run, Peer peer, int round)
    {
        var load = await StreamLoad.LoopAsync(peer, body, Connections, run.Options.Slot, 0, run.Cancellation);
        await peer.SettleAsync(run.Cancellation);
        return [(peer.Name, new()
        {
            ["first_frame_p50_us"] = load.FirstFrames.Percentile(50),
            ["first_frame_p99_us"] = load.FirstFrames.Percentile(99),
            ["streams"] = load.Streams,
            ["steps_40ms"] = load.FirstFrames.CountBetween(38_000, 48_000) + load.Gaps.CountBetween(38_000, 48_000),
            ["broken"] = load.Broken,
        })];
    }

    public override void Finish(IReadOnlyList<Sample> round) => AddedLatency.Add(round, "first_frame_p50_us", "first_frame_p99_us");
}
