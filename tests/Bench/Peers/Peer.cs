using Gateway.Bench.Machine;

namespace Gateway.Bench.Peers;

/// <summary>Something that answers chat completions: a proxy before the sample provider, or the provider itself.</summary>
internal class Peer(string name, string address, Func<IReadOnlyList<int>> processes) : IAsyncDisposable
{
    /// <summary>Its name in the tables: <c>yarp</c>, <c>yarp-b</c>, <c>nginx</c>, …</summary>
    public string Name { get; } = name;

    /// <summary>Where it listens, without a path.</summary>
    public string Address { get; } = address;

    public int Port { get; } = new Uri(address).Port;

    /// <summary>Sent with each request, beside the content type.</summary>
    public Dictionary<string, string> Headers { get; init; } = new() { ["Authorization"] = "Bearer sk-bench" };

    public string Version { get; init; } = "";

    /// <summary>The proxy's own processes.</summary>
    public IReadOnlyList<int> Processes => processes();

    /// <summary>Processor time of the proxy itself until now.</summary>
    public double CpuMicroseconds() => CpuClock.Microseconds(Processes);

    public double ResidentBytes() => CpuClock.ResidentBytes(Processes);

    /// <summary>Everything that works for it: the whole cluster for the gateway; null when there is nothing but the proxy.</summary>
    public virtual double? WholeCpuMicroseconds() => null;

    /// <summary>Returns when what it does after its answers is done.</summary>
    public virtual Task SettleAsync(CancellationToken cancellation) => Task.CompletedTask;

    public ValueTask DisposeAsync() => StopAsync();

    /// <summary>Ends what was started for it.</summary>
    protected virtual ValueTask StopAsync() => ValueTask.CompletedTask;
}
