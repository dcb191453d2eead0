using System.Collections.Concurrent;
using Gateway.Contracts;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Edge.Admission.Rates;

/// <summary>Every rate limit of this edge: one gate for each owner and kind, whoever asks.</summary>
internal sealed class RateGates : BackgroundService
{
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(400);

    private readonly ConcurrentDictionary<(string Owner, LimitKind Kind), LeasedGate> gates = new();
    private readonly ConcurrentDictionary<LeasedGate, bool> awake = new();
    private readonly IConnectionMultiplexer redis;
    private readonly EdgeIdentity identity;
    private readonly TimeProvider time;
    private readonly RateOptions options;
    private readonly ILogger<RateGates> logger;
    private readonly RateStore store;
    private int made;
    private long scannedAtMs;

    public RateGates(
        IConnectionMultiplexer redis, EdgeIdentity identity, TimeProvider time, IOptions<RateOptions> options, RateMetrics metrics, ILogger<RateGates> logger)
    {
        this.redis = redis;
        this.identity = identity;
        this.time = time;
        this.options = options.Value;
        this.logger = logger;
        store = new RateStore(redis, this.options, time, metrics, logger);
    }

    /// <summary>How many limits are in memory.</summary>
    public int Count => gates.Count;

    /// <summary>The gate of a limit; a limit that changed takes effect at once.</summary>
    public RateGate Get(LimitDefinition definition)
    {
        var gate = gates.GetOrAdd((definition.Owner, definition.Kind), static (_, made) => made.self.Make(made.definition), (self: this, definition));
        gate.Update(definition);
        return gate;
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        // An edge that stops in order leaves nothing behind for its leases to run out.
        await Task.WhenAll(awake.Keys.Select(gate => gate.ReleaseAsync()));
    }

    /// <summary>What happens a few times a second. Only gates in use cost anything.</summary>
    internal void Tick()
    {
        var now = NowMs;
        foreach (var (gate, _) in awake)
        {
            gate.Tick(now);
            // Out of the round first: whoever comes while it falls asleep puts it in again.
            if (gate.Forgettable(now) && awake.TryRemove(gate, out _) && !gate.Sleep(now))
            {
                awake[gate] = true;
            }
        }

        var crowded = gates.Count > options.GatesMax;
        if (crowded || now - scannedAtMs > 30_000)
        {
            scannedAtMs = now;
            Forget(now, crowded ? 0 : (long)options.ForgetAfter.TotalMilliseconds);
        }
    }

    // What a forgotten gate knew counts no more, or stands in Redis: a new one for the same limit goes on from there. Callers that still have
    // it in their hands may use it: it wakes, and counts in Redis like any other.
    private void Forget(long now, long keepMs)
    {
        foreach (var (key, gate) in gates)
        {
            if (now - gate.UsedAtMs > keepMs && !awake.ContainsKey(gate) && gate.Forgettable(now))
            {
                gates.TryRemove(key, out _);
            }
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        redis.ConnectionRestored += Redeclare;
        using var timer = new PeriodicTimer(TickInterval, time);
        try
        {
            while (await timer.WaitForNextTickAsync(stoppingToken))
            {
                try
                {
                    Tick();
                }
                catch (Exception error) when (error is not OutOfMemoryException)
                {
                    logger.RateTickFailed(error);
                }
            }
        }
        catch (OperationCanceledException)
        {
        }
        finally
        {
            redis.ConnectionRestored -= Redeclare;
        }
    }

    private long NowMs => time.GetTimestamp() / Math.Max(1, time.TimestampFrequency / 1_000);

    // The Redis that is back may have lost everything: before it grants anything it hears what this edge holds.
    private void Redeclare(object? sender, ConnectionFailedEventArgs connection)
    {
        foreach (var gate in awake.Keys)
        {
            gate.Redeclare();
        }
    }

    // A forgotten gate may still be in somebody's hands: each has a field of its own in Redis.
    private LeasedGate Make(LimitDefinition definition)
    {
        Action<LeasedGate> wake = gate => awake.TryAdd(gate, true);
        return definition.Kind == LimitKind.ParallelRequests
            ? new SlotGate(definition, $"{identity.EdgeId}/{Interlocked.Increment(ref made)}", store, time, options, logger) { Wake = wake }
            : new WindowGate(definition, store, time, options, logger) { Wake = wake };
    }
}
