using System.Diagnostics;
using System.Globalization;

namespace Gateway.Edge.Tests.Providers;

/// <summary>How long the tests by chance go on: seconds, unless a variable asks for more.</summary>
internal static class Effort
{
    /// <summary>The tests that ask for <see cref="Rounds"/>: one for each provider, and the others.</summary>
    private static readonly int Fuzzers = ProviderCases.Providers.Count + 5;

    private static readonly int SplitsOfEach = Number("GATEWAY_TEST_SPLITS") ?? 10_000;

    /// <summary>
    /// Ways to split a recorded stream, 10,000 or <c>GATEWAY_TEST_SPLITS</c>: nearly all at two places by chance, which is enough to meet every state in which
    /// a reader can be left, and each hundredth in as many pieces as it has bytes, or nearly.
    /// </summary>
    /// <param name="length">The stream's length.</param>
    /// <returns>For each way, what gives the lengths of the pieces one after the other.</returns>
    public static IEnumerable<Func<int>> Splits(int length)
    {
        var random = new Random(length);
        for (var split = 0; split < SplitsOfEach; split++)
        {
            if (split % 100 == 0)
            {
                var largest = random.Next(2, 20);
                yield return () => random.Next(1, largest);
            }
            else
            {
                var (first, second, piece) = (random.Next(1, length), random.Next(1, length), 0);
                yield return () => piece++ switch { 0 => Math.Min(first, second), 1 => Math.Max(1, Math.Abs(first - second)), _ => length };
            }
        }
    }

    /// <summary>Rounds of a fuzzer: as many as usual, or as many as fit in its part of <c>GATEWAY_TEST_FUZZ_MINUTES</c>. Each time with other bytes, then.</summary>
    public static IEnumerable<Random> Rounds(int usual, int seed)
    {
        var minutes = Number("GATEWAY_TEST_FUZZ_MINUTES");
        var random = minutes is null ? new Random(seed) : new Random();
        var began = Stopwatch.GetTimestamp();
        for (var round = 0; minutes is null ? round < usual : Stopwatch.GetElapsedTime(began).TotalMinutes * Fuzzers < minutes; round++)
        {
            yield return random;
        }
    }

    /// <summary>
    /// Asserts that much at once takes no longer than as much in a thousand pieces: one look at all the others for each would. Compared with itself, because
    /// the machine may be busy.
    /// </summary>
    /// <param name="work">Does so much of it.</param>
    /// <param name="many">How much is much.</param>
    public static void AssertNotSquare(Action<int> work, int many)
    {
        var began = Stopwatch.GetTimestamp();
        for (var piece = 0; piece < 1000; piece++)
        {
            work(many / 1000);
        }

        var inPieces = Stopwatch.GetElapsedTime(began);
        began = Stopwatch.GetTimestamp();
        work(many);
        Assert.InRange(Stopwatch.GetElapsedTime(began), TimeSpan.Zero, (3 * inPieces) + TimeSpan.FromSeconds(1));
    }

    private static int? Number(string variable) => int.TryParse(Environment.GetEnvironmentVariable(variable), CultureInfo.InvariantCulture, out var number) ? number : null;
}
