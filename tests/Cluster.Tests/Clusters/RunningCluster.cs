using Gateway.Cluster.Tests.Calls;
using Gateway.TestKit;

namespace Gateway.Cluster.Tests.Clusters;

/// <summary>A cluster that a collection of tests shares, with its administrator and its books.</summary>
public abstract class RunningCluster : IAsyncLifetime
{
    internal GatewayCluster Gateway { get; private set; } = null!;

    internal AdminClient Admin { get; private set; } = null!;

    internal Books.Books Books { get; private set; } = null!;

    public virtual async Task InitializeAsync()
    {
        var options = Options();
        // Records gather for a moment only, so that a test need not wait long for its rows.
        Gateway = await GatewayCluster.StartAsync(options with
        {
            Environment = new Dictionary<string, string?>(options.Environment) { ["GATEWAY__SPOOL__LINGER"] = "00:00:00.200" },
        });
        Admin = new AdminClient(Gateway.Port, Gateway.MasterKey);
        Books = await Tests.Books.Books.OpenAsync(Gateway);
    }

    public virtual async Task DisposeAsync()
    {
        if (Books is not null)
        {
            await Books.DisposeAsync();
        }

        Admin?.Dispose();
        if (Gateway is not null)
        {
            await Gateway.DisposeAsync();
        }
    }

    internal TeamClient Team(string? key) => new(Gateway.Port, key);

    internal TeamClient Team(MadeKey key) => Team(key.Key);

    private protected abstract GatewayClusterOptions Options();
}
