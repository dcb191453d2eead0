using Gateway.Bench.Load;
using Gateway.Bench.Peers;
using Gateway.Bench.Reporting;

namespace Gateway.Bench.Scenarios;

/// <summary>
/// One request at a time: what a proxy adds to the provider's own time when nothing else is in its way. The edge is measured a second time while
/// Ledger and Metering stand still: what it adds itself, and what it adds by having them on the same cores.
/// </summary>
internal sealed class OneConnectionScenario : Scenario
{
    /// <summary>The edge while Ledger and Metering stand still.</summary>
    public const string Alone = "edge-alone";

    private readonly byte[] body = Prompts.Body(Prompts.Model, 1024);

    public override string Name => "one-connection";

    public override string Description => "a prompt of 1 KiB, one connection, the next request after the last answer; added = with the proxy less without";

    public override IEnumerable<Peer> Choose(BenchRun run) => base.Choose(run).Prepend(run.Upstream);

    public override async Task WarmUpAsync(BenchRun run, Peer peer) => await Wrk.RunAsync(peer, body, 1, TimeSpan.FromSeconds(1), run.Cancellation);

    public override async Task<IEnumerable<(string, Dictionary<string, double>)>> MeasureAsync(BenchRun run, Peer peer, int round)
    {
        List<(string, Dictionary<string, double>)> samples = [(peer.Name, await LoadAsync(run, peer))];
        await peer.SettleAsync(run.Cancellation);
        if (peer is GatewayPeer gateway)
        {
            samples.Add((Alone, await gateway.WithoutReceiversAsync(() => LoadAsync(run, peer))));
            await peer.SettleAsync(run.Cancellation);
        }

        return samples;
    }

    private async Task<Dictionary<string, double>> LoadAsync(BenchRun run, Peer peer)
    {
        var load = await Wrk.RunAsync(peer, body, 1, run.Options.Slot, run.Cancellation);
        return new() { ["p50_us"] = load.P50, ["p99_us"] = load.P99, ["rps"] = load.Answers / load.Seconds, ["failures"] = load.Failures };
    }

    public override void Finish(IReadOnlyList<Sample> round) => AddedLatency.Add(round);
}

/// <summary>Latency with a proxy less latency without, in the same round.</summary>
internal static class AddedLatency
{
    public static void Add(IReadOnlyList<Sample> round, params IReadOnlyList<string> figures)
    {
        var direct = round.FirstOrDefault(sample => sample.Peer == "direct");
        foreach (var sample in round.Where(sample => direct is not null && sample.Peer != "direct"))
        {
            foreach (var figure in figures.Count == 0 ? ["p50_us", "p99_us"] : figures)
            {
                // A peer that answered nothing has no figure to take from.
                if (sample.Figures.TryGetValue(figure, out var with) && direct!.Figures.TryGetValue(figure, out var without))
                {
                    sample.Figures["added_" + figure] = with - without;
                }
            }
        }
    }
}
