using System.Security.Cryptography;

namespace Gateway.Edge;

/// <summary>This process: its id is new at every start, because leases and spooled records belong to a process and not to a machine.</summary>
internal sealed class EdgeIdentity
{
    public EdgeIdentity(IConfiguration configuration)
    {
        EdgeId = $"{Environment.MachineName}-{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(6))}";
        DataDirectory = configuration["Gateway:DataDirectory"] is { Length: > 0 } given
            ? Path.GetFullPath(given)
            : Path.Combine(AppContext.BaseDirectory, ".data");
    }

    /// <summary>The id: it stands in leases and usage records.</summary>
    public string EdgeId { get; }

    /// <summary>Where the spool lives (<c>Gateway:DataDirectory</c>).</summary>
    public string DataDirectory { get; }
}
