using Gateway.Bench.Load;
using Gateway.Bench.Peers;

namespace Gateway.Bench.Scenarios;

/// <summary>Minutes at 70 % of what went through at most: memory must not grow, throughput must not fall. Each minute is a round.</summary>
internal sealed class SoakScenario : Scenario
{
    private const double Share = 0.7;
    private const int Connections = 64;

    private readonly byte[] body = Prompts.Body(Prompts.Model, 1024);
    private readonly Dictionary<string, double> rates = [];

    public override string Name => "soak";

    public override string Description => $"{Share:P0} of each peer's own highest rate, minute by minute (--soak MINUTES)";

    // A peer at a time, minute after minute: its memory is the question, and another's load between the minutes would answer another one.
    public override int Rounds(BenchOptions options) => 1;

    public override IEnumerable<Peer> Choose(BenchRun run) => run.Core;

    public override async Task WarmUpAsync(BenchRun run, Peer peer)
    {
        // 70 % of what a cold program does is no load; and of what this generator, which is no wrk, gets through.
        await run.WarmUpAsync(run.WarmUpAnswers, async () => (await PeakAsync(2)).Streams);
        var peak = await PeakAsync(5);
        rates[peer.Name] = peak.Streams / peak.Seconds * Share;

        // An answer that is not streamed counts as a stream without frames.
        Task<StreamResult> PeakAsync(int seconds) => StreamLoad.LoopAsync(peer, body, Connections, TimeSpan.FromSeconds(seconds), 0, run.Cancellation);
    }

    public override async Task<IEnumerable<(string, Dictionary<string, double>)>> MeasureAsync(BenchRun run, Peer peer, int round)
    {
        List<double> resident = [];
        List<double> rps = [];
        for (var minute = 1; minute <= run.Options.Soak.TotalMinutes; minute++)
        {
            var load = await OpenLoad.RunAsync(peer, body, rates[peer.Name], Connections, TimeSpan.FromMinutes(1), run.Cancellation);
            resident.Add(peer.ResidentBytes() / 1024 / 1024);
            rps.Add(load.Answers / load.Seconds);
            Console.WriteLine(FormattableString.Invariant($"  {peer.Name} minute {minute}: {rps[^1]:0} rps, {resident[^1]:0.0} MiB"));
        }

        await peer.SettleAsync(run.Cancellation);
        return [(peer.Name, new()
        {
            ["rate_wanted"] = rates[peer.Name],
            ["rps_first_minute"] = rps[0],
            ["rps_last_minute"] = rps[^1],
            ["resident_mib_half"] = resident[(resident.Count - 1) / 2],
            ["resident_mib_end"] = resident[^1],
            ["growth_second_half"] = (resident[^1] / resident[(resident.Count - 1) / 2]) - 1,
        })];
    }
}
