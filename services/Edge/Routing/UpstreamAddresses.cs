using System.Net;
using System.Net.Sockets;

namespace Gateway.Edge.Routing;

/// <summary>
/// Connects to providers, and to no address where a cloud hands out the machine's own credentials: link-local and metadata addresses are
/// refused whatever name leads there. The check is made on the address that is connected to, after the name was looked up: a name that
/// changes its mind in between gains nothing.
/// </summary>
/// <param name="allowed">The networks that an administrator allows all the same (<c>allowed_upstream_networks</c>).</param>
/// <param name="refused">Told of each name that leads to nothing else.</param>
/// <param name="lookUp">Finds a name's addresses; null for the system's resolver.</param>
internal sealed class UpstreamAddresses(
    Func<IReadOnlyList<IPNetwork>> allowed, Action<string> refused, Func<string, CancellationToken, Task<IPAddress[]>>? lookUp = null)
{
    private static readonly IPNetwork[] Refused =
    [
        // "This" network and link-local: the metadata services of nearly every cloud.
        IPNetwork.Parse("0.0.0.0/8"), IPNetwork.Parse("169.254.0.0/16"), IPNetwork.Parse("fe80::/10"),
        // Amazon's over IPv6, Alibaba's, Oracle's, Azure's.
        IPNetwork.Parse("fd00:ec2::/32"), IPNetwork.Parse("100.100.100.200/32"), IPNetwork.Parse("192.0.0.192/32"), IPNetwork.Parse("168.63.129.16/32"),
    ];

    private readonly Func<string, CancellationToken, Task<IPAddress[]>> lookUp = lookUp ?? Dns.GetHostAddressesAsync;

    /// <summary>Whether no connection is made to the address.</summary>
    public static bool IsRefused(IPAddress address, IReadOnlyList<IPNetwork> allowed)
    {
        var plain = Plain(address);
        return Array.Exists(Refused, network => network.Contains(plain)) && !allowed.Any(network => network.Contains(plain));
    }

    /// <summary>Connects, as <see cref="SocketsHttpHandler.ConnectCallback"/> wants it.</summary>
    public async ValueTask<Stream> ConnectAsync(SocketsHttpConnectionContext context, CancellationToken cancellation)
    {
        var host = context.DnsEndPoint.Host;
        var found = IPAddress.TryParse(host, out var literal) ? [literal] : await lookUp(host, cancellation);
        var addresses = Array.FindAll(found, address => !IsRefused(address, allowed()));
        if (addresses.Length == 0)
        {
            if (found.Length > 0)
            {
                refused(host);
            }

            throw new SocketException((int)(found.Length == 0 ? SocketError.HostNotFound : SocketError.AccessDenied));
        }

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, context.DnsEndPoint.Port, cancellation);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>An IPv4 address that is said in IPv6: mapped, or behind NAT64's well-known prefix.</summary>
    private static IPAddress Plain(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6)
        {
            return address;
        }

        var bytes = address.GetAddressBytes();
        return address.IsIPv4MappedToIPv6 || bytes.AsSpan().StartsWith<byte>([0x00, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0]) ? new IPAddress(bytes.AsSpan(12)) : address;
    }
}
