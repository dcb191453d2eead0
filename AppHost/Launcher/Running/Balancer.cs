using System.Net;
using System.Net.Sockets;

namespace Gateway.Launcher.Running;

/// <summary>One replica as the balancer sees it.</summary>
internal sealed record Target(int Port, Func<bool> IsHealthy);

/// <summary>
/// One port before several replicas: each new connection goes to the next healthy one, and one that refuses is skipped. It works on
/// connections, not requests: an HTTP client that keeps its connection keeps its replica.
/// </summary>
internal sealed class Balancer : IAsyncDisposable
{
    private static readonly TimeSpan s_connectLimit = TimeSpan.FromSeconds(2);

    private readonly IReadOnlyList<Target> _targets;
    private readonly TcpListener _listener;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _accepting;
    private uint _next;

    public Balancer(int port, bool isPublic, IReadOnlyList<Target> targets)
    {
        _targets = targets;
        _listener = new TcpListener(isPublic ? IPAddress.Any : IPAddress.Loopback, port);
        _listener.Start(backlog: 512);
        _accepting = AcceptAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _accepting;
        _listener.Dispose();
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                var client = await _listener.AcceptSocketAsync(_stop.Token);
                _ = ServeAsync(client);
            }
            catch (OperationCanceledException)
            {
                return;
            }
            catch (SocketException)
            {
                // The client left before it was taken, or there are no descriptors left: the next one may do better.
                await Task.Delay(10);
            }
        }
    }

    private async Task ServeAsync(Socket client)
    {
        using (client)
        {
            client.NoDelay = true;
            using var replica = await ConnectAsync();
            if (replica is null)
            {
                // No replica: the connection is closed, as a port on which nothing listens would do.
                return;
            }

            await Task.WhenAll(CopyAsync(client, replica), CopyAsync(replica, client));
        }
    }

    private async Task<Socket?> ConnectAsync()
    {
        var first = Interlocked.Increment(ref _next);
        var inTurn = Enumerable.Range(0, _targets.Count).Select(step => _targets[(int)((first + (uint)step) % (uint)_targets.Count)]).ToList();
        // Those that do not look healthy come last: better a try than a refusal.
        foreach (var target in inTurn.Where(target => target.IsHealthy()).Concat(inTurn.Where(target => !target.IsHealthy())))
        {
            var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                using var limit = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
                limit.CancelAfter(s_connectLimit);
                await socket.ConnectAsync(IPAddress.Loopback, target.Port, limit.Token);
                return socket;
            }
            catch (Exception e) when (e is SocketException or OperationCanceledException)
            {
                socket.Dispose();
            }
        }

        return null;
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            int length;
            while ((length = await from.ReceiveAsync(buffer, SocketFlags.None, _stop.Token)) > 0)
            {
                for (var sent = 0; sent < length;)
                {
                    sent += await to.SendAsync(buffer.AsMemory(sent, length - sent), SocketFlags.None, _stop.Token);
                }
            }

            to.Shutdown(SocketShutdown.Send);
        }
        catch (Exception e) when (e is SocketException or OperationCanceledException or ObjectDisposedException)
        {
            // One side broke: the other must see it at once, not wait for ever.
            from.Dispose();
            to.Dispose();
        }
    }
}
