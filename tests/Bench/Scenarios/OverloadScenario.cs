using Gateway.Bench.Load;
using Gateway.Bench.Peers;

namespace Gateway.Bench.Scenarios;

/// <summary>Sixteen times the connections: what still gets through when everybody waits.</summary>
internal sealed class OverloadScenario : Scenario
{
    private const int Few = 32;
    private const int Many = 512;

    /// <summary>Shorter loads come out of the pauses of 512 requests at once with half or twice the rate.</summary>
    private static readonly TimeSpan s_slotLeast = TimeSpan.FromSeconds(4);

    private readonly byte[] body = Prompts.Body(Prompts.Model, 1024);

    public override string Name => "overload";

    public override bool IsQuick => false;

    public override string Description => $"{Many} connections that never wait, beside {Few} of the same round: goodput is answers with status 200";

    public override IEnumerable<Peer> Choose(BenchRun run) => run.Core;

    public override Task WarmUpAsync(BenchRun run, Peer peer) => Task.CompletedTask;

    public override async Task<IEnumerable<(string, Dictionary<string, double>)>> MeasureAsync(BenchRun run, Peer peer, int round)
    {
        var slot = run.Options.Slot > s_slotLeast ? run.Options.Slot : s_slotLeast;
        var few = await Wrk.RunAsync(peer, body, Few, slot, run.Cancellation);
        await peer.SettleAsync(run.Cancellation);
        var many = await Wrk.RunAsync(peer, body, Many, slot, run.Cancellation);
        await peer.SettleAsync(run.Cancellation);
        double Good(LoadResult load) => (load.Answers - load.Failures) / load.Seconds;
        return [(peer.Name, new()
        {
            ["rps_32"] = Good(few),
            ["rps_512"] = Good(many),
            ["goodput_kept"] = Good(many) / Good(few),
            ["p99_us_512"] = many.P99,
            ["failures"] = many.Failures,
        })];
    }
}
