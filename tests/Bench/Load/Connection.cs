using System.Buffers;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Bench.Peers;

namespace Gateway.Bench.Load;

/// <summary>What one request saw.</summary>
/// <param name="Status">The HTTP status; 0 when the connection broke.</param>
/// <param name="Whole">Whether the answer came to its end.</param>
/// <param name="Frames">Server-sent events that had data.</param>
/// <param name="FirstFrame">Microseconds until the first of them.</param>
/// <param name="Total">Microseconds until the last byte.</param>
/// <param name="LongestGap">The longest wait between two of them, in microseconds.</param>
internal readonly record struct Answer(int Status, bool Whole, int Frames, double FirstFrame, double Total, double LongestGap);

/// <summary>
/// One connection that is kept: sends the same request again and again and reads each answer with as little work as possible, so that the
/// load generator takes little of the machine from what it measures.
/// </summary>
internal sealed class Connection : IDisposable
{
    private const int BufferBytes = 16 * 1024;

    private readonly IPEndPoint address;
    private readonly byte[] request;
    private readonly byte[] buffer = ArrayPool<byte>.Shared.Rent(BufferBytes);
    private Socket? socket;

    public Connection(Peer peer, byte[] body)
    {
        address = new IPEndPoint(IPAddress.Loopback, peer.Port);
        var head = new StringBuilder(string.Create(CultureInfo.InvariantCulture, $"POST {Prompts.Path} HTTP/1.1\r\nHost: 127.0.0.1:{peer.Port}\r\nContent-Type: application/json\r\nContent-Length: {body.Length}\r\n"));
        foreach (var (name, value) in peer.Headers)
        {
            head.Append(name).Append(": ").Append(value).Append("\r\n");
        }

        request = [.. Encoding.ASCII.GetBytes(head.Append("\r\n").ToString()), .. body];
    }

    /// <summary>Sends the request and reads the answer to its end. A broken connection is an answer with status 0; the next call opens another.</summary>
    /// <param name="onGap">Takes the microseconds between two frames that did not arrive together.</param>
    /// <param name="cancellation">Breaks off.</param>
    public async Task<Answer> CallAsync(Action<double>? onGap, CancellationToken cancellation)
    {
        var reply = new ReplyScanner();
        var began = Stopwatch.GetTimestamp();
        double first = 0, gap = 0, last = 0;
        try
        {
            if (socket is null)
            {
                socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                await socket.ConnectAsync(address, cancellation);
                began = Stopwatch.GetTimestamp();
            }

            for (var sent = 0; sent < request.Length;)
            {
                sent += await socket.SendAsync(request.AsMemory(sent), cancellation);
            }

            while (!reply.Ended)
            {
                var read = await socket.ReceiveAsync(buffer.AsMemory(), cancellation);
                if (read == 0)
                {
                    break;
                }

                var before = reply.Frames;
                reply.Read(buffer.AsSpan(0, read));
                if (reply.Frames > before)
                {
                    var now = Stopwatch.GetElapsedTime(began).TotalMicroseconds;
                    if (before == 0)
                    {
                        first = now;
                    }
                    else
                    {
                        gap = Math.Max(gap, now - last);
                        onGap?.Invoke(now - last);
                    }

                    last = now;
                }
            }
        }
        catch (SocketException)
        {
            reply.Break();
        }

        if (!reply.Ended || reply.Closes)
        {
            socket?.Dispose();
            socket = null;
        }

        return new Answer(reply.Status, reply.Ended, reply.Frames, first, Stopwatch.GetElapsedTime(began).TotalMicroseconds, gap);
    }

    public void Dispose()
    {
        socket?.Dispose();
        ArrayPool<byte>.Shared.Return(buffer);
    }
}
