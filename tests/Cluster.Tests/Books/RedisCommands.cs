using System.Collections.Concurrent;
using System.Net.Sockets;
using System.Text.RegularExpressions;
using Gateway.Launcher.Servers;

namespace Gateway.Cluster.Tests.Books;

/// <summary>Every command that reaches Redis, by the connection that it came over (MONITOR). What a script calls inside comes over none.</summary>
internal sealed partial class RedisCommands : IDisposable
{
    private readonly ConcurrentDictionary<int, long> byPort = new();
    private readonly TcpClient connection;

    private RedisCommands(TcpClient connection) => this.connection = connection;

    public static async Task<RedisCommands> WatchAsync(int port, string password)
    {
        var connection = new TcpClient();
        await connection.ConnectAsync("localhost", port);
        var lines = new StreamReader(connection.GetStream());
        await connection.GetStream().WriteAsync(System.Text.Encoding.ASCII.GetBytes($"AUTH {password}\r\nMONITOR\r\n"));
        Assert.Equal("+OK", await lines.ReadLineAsync());
        Assert.Equal("+OK", await lines.ReadLineAsync());
        var commands = new RedisCommands(connection);
        _ = Task.Run(() => commands.ReadAsync(lines));
        return commands;
    }

    /// <summary>How many commands a program has sent since this began, over the connections that it has now.</summary>
    public long Of(int processId) => PortsOf(processId).Sum(port => byPort.GetValueOrDefault(port));

    public void Dispose() => connection.Dispose();

    private async Task ReadAsync(StreamReader lines)
    {
        try
        {
            while (await lines.ReadLineAsync() is { } line)
            {
                if (Sender().Match(line) is { Success: true } sender)
                {
                    byPort.AddOrUpdate(int.Parse(sender.Groups[1].ValueSpan, System.Globalization.CultureInfo.InvariantCulture), 1, static (_, count) => count + 1);
                }
            }
        }
        catch (Exception over) when (over is IOException or ObjectDisposedException)
        {
            // Nobody counts any more.
        }
    }

    /// <summary>The local ports of a program's connections, as Linux tells them.</summary>
    private static HashSet<int> PortsOf(int processId)
    {
        var sockets = ProcessTree.Descendants(processId).Prepend(processId)
            .SelectMany(static id => Directory.GetFiles($"/proc/{id}/fd")).Select(static file => new FileInfo(file).LinkTarget).OfType<string>().ToHashSet(StringComparer.Ordinal);
        return [.. new[] { "/proc/net/tcp", "/proc/net/tcp6" }.SelectMany(static table => File.ReadLines(table).Skip(1))
            .Select(static line => line.Split(' ', StringSplitOptions.RemoveEmptyEntries)).Where(fields => sockets.Contains($"socket:[{fields[9]}]"))
            .Select(static fields => Convert.ToInt32(fields[1].Split(':')[1], 16))];
    }

    [GeneratedRegex("^\\+[0-9.]+ \\[[0-9]+ [^ ]+:([0-9]+)\\]")]
    private static partial Regex Sender();
}
