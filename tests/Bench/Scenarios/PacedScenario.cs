using Gateway.Bench.Load;
using Gateway.Bench.Peers;

namespace Gateway.Bench.Scenarios;

/// <summary>A thousand streams that are open at once and mostly wait: what each of them holds, and whether all their frames come in time.</summary>
internal sealed class PacedScenario : Scenario
{
    private const int Streams = 1000;
    private const double PaceMicroseconds = 500_000;

    private static readonly TimeSpan s_opening = TimeSpan.FromSeconds(2);

    public override string Name => "paced-1000";

    public override string Description =>
        $"{Streams} streams open at once, a frame every 500 ms; stalled: a gap over ten times the pace; resident: growth of the proxy over what it held before";

    public override int Rounds(BenchOptions options) => options.RoundsAreGiven ? options.Rounds : options.Quick ? 1 : 3;

    public override IEnumerable<Peer> Choose(BenchRun run) => base.Choose(run).Where(peer => peer.Name is not ("portkey" or "yarp-b"));

    public override async Task WarmUpAsync(BenchRun run, Peer peer) =>
        await StreamLoad.LoopAsync(peer, Prompts.Body(Prompts.FlushedModel, 1024, stream: true), 4, TimeSpan.FromSeconds(1), 0, run.Cancellation);

    public override async Task<IEnumerable<(string, Dictionary<string, double>)>> MeasureAsync(BenchRun run, Peer peer, int round)
    {
        var frames = Prompts.PacedFrames[run.Options.Quick ? 0 : 1];
        var body = Prompts.Body(Prompts.PacedModel(frames), 1024, stream: true);
        // The role, the frames of text, the end, the usage, [DONE].
        var expected = frames + 4;
        var resident = peer.ResidentBytes();
        var open = 0.0;
        var before = peer.CpuMicroseconds();
        var load = await StreamLoad.TogetherAsync(
            peer, body, Streams, s_opening, expected, PaceMicroseconds * 10, () => open = peer.ResidentBytes(), run.Cancellation);
        var used = peer.CpuMicroseconds() - before;
        await peer.SettleAsync(run.Cancellation);
        return [(peer.Name, new()
        {
            ["resident_kib_per_stream"] = (open - resident) / 1024 / Streams,
            ["cpu_us_per_frame"] = used / load.Frames,
            ["gap_p99_us"] = load.Gaps.Percentile(99),
            ["missing_frames"] = load.Missing,
            ["stalled"] = load.Stalled,
            ["broken"] = load.Broken,
        })];
    }
}
