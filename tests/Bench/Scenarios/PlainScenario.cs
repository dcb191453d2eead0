using Gateway.Bench.Load;
using Gateway.Bench.Peers;

namespace Gateway.Bench.Scenarios;

/// <summary>As many answers as go through on 32 connections: processor time for each, throughput, latency at saturation.</summary>
internal sealed class PlainScenario(string name, int bytes, bool everyPeer = false, bool isQuick = true) : Scenario
{
    private const int Connections = 32;

    // As many as take the others a moment take this one half a minute.
    private const int SlowAnswers = 2_000;

    private readonly byte[] body = Prompts.Body(Prompts.Model, bytes);

    public override string Name => name;

    public override bool IsQuick => isQuick;

    public override string Description => $"a prompt of {bytes / 1024} KiB, an answer that is not streamed, {Connections} connections that never wait";

    // The main figure has all peers and more rounds than others in a quick run too.
    public override int Rounds(BenchOptions options) => !everyPeer ? base.Rounds(options) : options.Quick && !options.RoundsAreGiven ? 5 : options.Rounds;

    public override IEnumerable<Peer> Choose(BenchRun run) => everyPeer ? run.Peers : base.Choose(run);

    public override Task WarmUpAsync(BenchRun run, Peer peer) => run.WarmUpAsync(
        peer.Name == "portkey" ? SlowAnswers : run.WarmUpAnswers,
        async () => (await Wrk.RunAsync(peer, body, Connections, TimeSpan.FromSeconds(2), run.Cancellation)).Answers);

    public override async Task<IEnumerable<(string, Dictionary<string, double>)>> MeasureAsync(BenchRun run, Peer peer, int round)
    {
        var whole = peer.WholeCpuMicroseconds();
        var before = peer.CpuMicroseconds();
        var load = await Wrk.RunAsync(peer, body, Connections, run.Options.Slot, run.Cancellation);
        var used = peer.CpuMicroseconds() - before;
        var resident = peer.ResidentBytes();
        await peer.SettleAsync(run.Cancellation);
        var own = new Dictionary<string, double>
        {
            ["cpu_us"] = used / load.Answers,
            ["rps"] = load.Answers / load.Seconds,
            ["p50_us"] = load.P50,
            ["p99_us"] = load.P99,
            ["resident_mib"] = resident / 1024 / 1024,
            ["failures"] = load.Failures,
        };
        return whole is null
            ? [(peer.Name, own)]
            : [(peer.Name, own), ("cluster", new() { ["cpu_us"] = (peer.WholeCpuMicroseconds()!.Value - whole.Value) / load.Answers })];
    }
}
