using System.Diagnostics;
using System.Globalization;

namespace Gateway.Edge.Tests.Providers;

/// <summary>How long the tests by chance go on: seconds, unless a variable asks for more.</summary>
internal static class Effort
{
    /// <summary>In how many ways each recorded stream is split: <c>GATEWAY_TEST_SPLITS</c>.</summary>
    public static int Splits { get; } = Number("GATEWAY_TEST_SPLITS") ?? 300;

    /// <summary>Rounds of a fuzzer: as many as usual, or as many as fit in its part of <c>GATEWAY_TEST_FUZZ_MINUTES</c>. Each time with other bytes, then.</summary>
    public static IEnumerable<Random> Rounds(int usual, int seed)
    {
        var minutes = Number("GATEWAY_TEST_FUZZ_MINUTES");
        var random = minutes is null ? new Random(seed) : new Random();
        var began = Stopwatch.GetTimestamp();
        for (var round = 0; minutes is null ? round < usual : Stopwatch.GetElapsedTime(began).TotalMinutes * (ProviderCases.Providers.Count + 1) < minutes; round++)
        {
            yield return random;
        }
    }

    private static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;
}
