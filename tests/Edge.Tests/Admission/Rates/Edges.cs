using Gateway.Edge.Admission.Rates;

namespace Gateway.Edge.Tests.Admission.Rates;

/// <summary>Several edges on one Redis.</summary>
internal sealed class Edges : IAsyncDisposable
{
    private readonly RateEdge[] edges;

    private Edges(RateEdge[] edges) => this.edges = edges;

    public RateGates this[int index] => edges[index].Gates;

    public static async Task<Edges> StartAsync(int count, RateOptions? options = null, string? connection = null) =>
        new(await RateEdge.StartAsync(count, connection, options));

    public Task CrashAsync(int index) => edges[index].CrashAsync();

    public async ValueTask DisposeAsync()
    {
        foreach (var edge in edges)
        {
            await edge.DisposeAsync();
        }
    }
}
