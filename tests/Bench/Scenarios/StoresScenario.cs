using Gateway.Bench.Load;
using Gateway.Bench.Peers;

namespace Gateway.Bench.Scenarios;

/// <summary>What the cluster asks of Redis and PostgreSQL for each request, and whether every answered request became a row.</summary>
internal sealed class StoresScenario : Scenario
{
    // A connection of PostgreSQL's tells its counters ten seconds after its last statement at the latest.
    private static readonly TimeSpan s_countersLag = TimeSpan.FromSeconds(11);

    private readonly byte[] body = Prompts.Body(Prompts.Model, 1024);

    public override string Name => "stores";

    public override bool IsQuick => false;

    public override string Description => "the edge under full load on 32 connections, until all is stored; idle counts of the same time are not subtracted";

    public override int Rounds(BenchOptions options) => options.Quick ? 1 : 3;

    public override IEnumerable<Peer> Choose(BenchRun run) => run.Peers.Where(peer => peer.Name == "edge");

    public override Task WarmUpAsync(BenchRun run, Peer peer) => Task.CompletedTask;

    public override async Task<IEnumerable<(string, Dictionary<string, double>)>> MeasureAsync(BenchRun run, Peer peer, int round)
    {
        var gateway = (GatewayPeer)peer;
        await Task.Delay(s_countersLag, run.Cancellation);
        var rows = await gateway.RowsAsync(run.Cancellation);
        var transactions = await gateway.TransactionsAsync(run.Cancellation);
        var calls = await gateway.RedisCallsAsync();
        var cpu = gateway.Programs.Keys.ToDictionary(name => name, gateway.CpuMicrosecondsOf);

        var load = await Wrk.RunAsync(peer, body, 32, TimeSpan.FromSeconds(run.Options.Quick ? 4 : 20), run.Cancellation);
        var clock = System.Diagnostics.Stopwatch.GetTimestamp();
        await peer.SettleAsync(run.Cancellation);
        var settled = System.Diagnostics.Stopwatch.GetElapsedTime(clock).TotalSeconds;

        var figures = new Dictionary<string, double> { ["requests"] = load.Answers, ["settled_after_s"] = settled };
        foreach (var (name, before) in cpu)
        {
            figures[$"{name}_cpu_us"] = (gateway.CpuMicrosecondsOf(name) - before) / load.Answers;
        }

        var after = await gateway.RedisCallsAsync();
        var made = after.ToDictionary(call => call.Key, call => call.Value - calls.GetValueOrDefault(call.Key));
        made.Remove("info");
        figures["redis_scripts"] = (double)(made.GetValueOrDefault("evalsha") + made.GetValueOrDefault("eval")) / load.Answers;
        figures["redis_calls_in_scripts_too"] = (double)made.Values.Sum() / load.Answers;
        await Task.Delay(s_countersLag, run.Cancellation);
        figures["sql_transactions_per_1000"] = (await gateway.TransactionsAsync(run.Cancellation) - transactions) * 1000.0 / load.Answers;
        // wrk leaves with up to 32 requests in flight: they are stored too.
        figures["rows_per_answer"] = (double)(await gateway.RowsAsync(run.Cancellation) - rows) / load.Answers;
        return [(peer.Name, figures)];
    }
}
