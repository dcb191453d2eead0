using Gateway.Bench.Peers;
using Gateway.Bench.Reporting;

namespace Gateway.Bench.Scenarios;

/// <summary>One question to all peers, in interleaved rounds.</summary>
internal abstract class Scenario
{
    public abstract string Name { get; }

    /// <summary>What it does, in a sentence for the report.</summary>
    public abstract string Description { get; }

    /// <summary>How often every peer is measured.</summary>
    public virtual int Rounds(BenchOptions options) => options.Quick && !options.RoundsAreGiven ? 3 : options.Rounds;

    /// <summary>Whether a quick run has it without being asked.</summary>
    public virtual bool IsQuick => true;

    /// <summary>Who takes part.</summary>
    public virtual IEnumerable<Peer> Choose(BenchRun run) => run.Options.Quick ? run.Core : run.Peers;

    /// <summary>Calls once what will be measured: connections, compiled code, cached answers.</summary>
    public abstract Task WarmUpAsync(BenchRun run, Peer peer);

    /// <summary>Measures once. The name of a sample may differ from the peer's: <c>cluster</c> is the edge with all behind it.</summary>
    public abstract Task<IEnumerable<(string Name, Dictionary<string, double> Figures)>> MeasureAsync(BenchRun run, Peer peer, int round);

    /// <summary>Adds what follows from a whole round.</summary>
    public virtual void Finish(IReadOnlyList<Sample> round)
    {
    }
}
