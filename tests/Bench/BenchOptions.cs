using System.Globalization;

namespace Gateway.Bench;

/// <summary>What to run.</summary>
internal sealed record BenchOptions
{
    public const string Usage = """
        ./bench [options]

        Compares the gateway, everything on, with other proxies before the same provider, and writes raw data, a table and plots.

          --quick            under three minutes: shorter slots, fewer scenarios, and YARP and the edge alone in most
          --rounds N         interleaved rounds (default 7)
          --only NAME,…      these scenarios alone (--list names them)
          --peers NAME,…     these peers alone: yarp yarp-b nginx haproxy portkey edge
          --slot SECONDS     length of one measurement (default 3; 1 with --quick)
          --soak MINUTES     adds a soak at 70 % load of the edge and of YARP
          --out DIR          where the results go (default tests/Bench/results/DATE, .data/bench/DATE with --quick; DATE-2 and so on where there is one)
          --hold             measures nothing: starts the peers, says where they are, and waits for Ctrl-C (for a profiler)
          --micro [FILTER]   BenchmarkDotNet's microbenchmarks of the edge's parts instead
          --list             names the scenarios
          --help
        """;

    public bool Quick { get; init; }

    public bool RoundsAreGiven { get; init; }

    public int Rounds { get; init; } = 7;

    public IReadOnlyList<string> Only { get; init; } = [];

    public IReadOnlyList<string> Peers { get; init; } = [];

    public TimeSpan Slot { get; init; } = TimeSpan.FromSeconds(3);

    public TimeSpan Soak { get; init; }

    public string? Out { get; init; }

    public bool List { get; init; }

    public bool Hold { get; init; }

    public static BenchOptions Read(IReadOnlyList<string> args)
    {
        var options = new BenchOptions();
        double? slot = null;
        for (var i = 0; i < args.Count; i++)
        {
            string Value() => ++i < args.Count ? args[i] : throw new FormatException($"{args[i - 1]} needs a value");
            double Number() => double.TryParse(Value(), CultureInfo.InvariantCulture, out var number) && number > 0
                ? number
                : throw new FormatException($"{args[i - 1]} takes a number above 0, not '{args[i]}'");
            string[] Names() => Value().Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
            switch (args[i])
            {
                case "--quick": options = options with { Quick = true }; break;
                case "--rounds": options = options with { Rounds = (int)Number(), RoundsAreGiven = true }; break;
                case "--only": options = options with { Only = Names() }; break;
                case "--peers": options = options with { Peers = Names() }; break;
                case "--slot": slot = Number(); break;
                case "--soak": options = options with { Soak = TimeSpan.FromMinutes(Number()) }; break;
                case "--out": options = options with { Out = Value() }; break;
                case "--hold": options = options with { Hold = true }; break;
                case "--list": options = options with { List = true }; break;
                default: throw new FormatException($"unknown option {args[i]} (./bench --help)");
            }
        }

        return options with { Slot = TimeSpan.FromSeconds(slot ?? (options.Quick ? 1 : 3)) };
    }
}
