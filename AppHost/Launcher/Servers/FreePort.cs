using System.Net;
using System.Net.Sockets;

namespace Gateway.Launcher.Servers;

/// <summary>
/// Ports that are free now and stay ours: a lock file per port keeps other processes that ask here away until this process ends,
/// and the range lies below the one from which the kernel takes the ports of outgoing connections.
/// </summary>
public static class FreePort
{
    private const int First = 20_000;
    private const int Count = 12_000;

    private static readonly Lock s_gate = new();
    private static readonly Dictionary<int, FileStream> s_taken = [];

    /// <summary>Takes a free port for the life of this process.</summary>
    public static int Take()
    {
        var folder = Directory.CreateDirectory(Path.Combine(Path.GetTempPath(), $"gateway-ports-{Environment.UserName}")).FullName;
        var start = Random.Shared.Next(Count);
        lock (s_gate)
        {
            for (var step = 0; step < Count; step++)
            {
                var port = First + ((start + step) % Count);
                if (!s_taken.ContainsKey(port) && IsFree(port) && TryLock(folder, port) is { } held)
                {
                    s_taken.Add(port, held);
                    return port;
                }
            }
        }

        throw new ServerStartException($"No port between {First} and {First + Count - 1} is free.");
    }

    /// <summary>Whether a server could listen on this port of localhost now.</summary>
    public static bool IsFree(int port, IPAddress? address = null)
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            socket.Bind(new IPEndPoint(address ?? IPAddress.Loopback, port));
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    private static FileStream? TryLock(string folder, int port)
    {
        try
        {
            return new FileStream(Path.Combine(folder, $"{port}.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            return null;
        }
    }
}
