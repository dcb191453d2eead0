using Gateway.Bench.Load;
using Gateway.Bench.Peers;
using Gateway.Bench.Reporting;

namespace Gateway.Bench.Scenarios;

/// <summary>Streams of fifty frames that the provider writes one by one: what a frame costs.</summary>
internal sealed class StreamScenario(string name, string model, int connections, string how, bool isQuick) : Scenario
{
    private readonly byte[] body = Prompts.Body(model, 1024, stream: true);
    private int framesExpected;

    public override string Name => name;

    public override bool IsQuick => isQuick;

    public override string Description => $"streams of 50 frames, {how}, {connections} at once; a frame is a line that begins with data";

    public override IEnumerable<Peer> Choose(BenchRun run) => base.Choose(run).Prepend(run.Upstream);

    public override async Task WarmUpAsync(BenchRun run, Peer peer)
    {
        if (framesExpected == 0)
        {
            using var connection = new Connection(run.Upstream, body);
            framesExpected = (await connection.CallAsync(null, run.Cancellation)).Frames;
        }

        await StreamLoad.LoopAsync(peer, body, connections, TimeSpan.FromSeconds(run.Options.Quick ? 2 : 5), framesExpected, run.Cancellation);
    }

    public override async Task<IEnumerable<(string, Dictionary<string, double>)>> MeasureAsync(BenchRun run, Peer peer, int round)
    {
        var whole = peer.WholeCpuMicroseconds();
        var before = peer.CpuMicroseconds();
        var load = await StreamLoad.LoopAsync(peer, body, connections, run.Options.Slot, framesExpected, run.Cancellation);
        var used = peer.CpuMicroseconds() - before;
        await peer.SettleAsync(run.Cancellation);
        var own = new Dictionary<string, double>
        {
            ["cpu_us_per_frame"] = used / load.Frames,
            ["frames_per_second"] = load.Frames / load.Seconds,
            ["first_frame_p50_us"] = load.FirstFrames.Percentile(50),
            ["first_frame_p99_us"] = load.FirstFrames.Percentile(99),
            ["gap_p99_us"] = load.Gaps.Percentile(99),
            ["missing_frames"] = load.Missing,
            ["broken"] = load.Broken,
        };
        return whole is null
            ? [(peer.Name, own)]
            : [(peer.Name, own), ("cluster", new() { ["cpu_us_per_frame"] = (peer.WholeCpuMicroseconds()!.Value - whole.Value) / load.Frames })];
    }
}
