using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.SampleProvider.Stats;

/// <summary>What reached the provider: tests compare it with what the gateway says it sent.</summary>
internal sealed class RequestStats
{
    // Model and key come from the client. Above this many combinations the rest is counted together.
    private const int RowsMax = 10_000;

    private readonly ConcurrentDictionary<(string Path, string Model, string? Credential, int Status), StatsRow> rows = new();
    private int inFlight;
    private int largestConcurrency;

    public int InFlight => Volatile.Read(ref inFlight);

    public int LargestConcurrency => Volatile.Read(ref largestConcurrency);

    public IEnumerable<StatsRow> Rows => rows.Values;

    public void Enter()
    {
        var now = Interlocked.Increment(ref inFlight);
        for (var largest = largestConcurrency; now > largest; largest = largestConcurrency)
        {
            Interlocked.CompareExchange(ref largestConcurrency, now, largest);
        }
    }

    /// <param name="cancelled">The row of a request whose client left before the end.</param>
    public void Leave(StatsRow? cancelled)
    {
        cancelled?.Cancel();
        Interlocked.Decrement(ref inFlight);
    }

    public StatsRow Count(string path, string model, string? credential, int status)
    {
        if (!rows.TryGetValue((path, model, credential, status), out var row))
        {
            row = rows.Count < RowsMax
                ? rows.GetOrAdd((path, model, credential, status), key => new(key.Path, key.Model, KeyHash(key.Credential), key.Status))
                : rows.GetOrAdd((path, "(others)", null, status), key => new(key.Path, key.Model, "(others)", key.Status));
        }

        row.Request();
        return row;
    }

    public void Reset()
    {
        rows.Clear();
        Volatile.Write(ref largestConcurrency, InFlight);
    }

    /// <summary>The first 16 hexadecimal digits of the key's SHA-256: enough to tell keys apart, and no key.</summary>
    public static string KeyHash(string? credential) => credential is null
        ? "none"
        : Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Bare(credential))))[..16];

    private static string Bare(string credential) =>
        credential.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? credential["Bearer ".Length..].Trim() : credential;
}

internal sealed class StatsRow(string path, string model, string keyHash, int status)
{
    private long requests;
    private long cancelled;

    public string Path { get; } = path;

    public string Model { get; } = model;

    public string KeyHash { get; } = keyHash;

    public int Status { get; } = status;

    public long Requests => Volatile.Read(ref requests);

    public long Cancelled => Volatile.Read(ref cancelled);

    public void Request() => Interlocked.Increment(ref requests);

    public void Cancel() => Interlocked.Increment(ref cancelled);
}
