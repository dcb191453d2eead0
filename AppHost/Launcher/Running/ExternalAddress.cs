using System.Net.Sockets;

namespace Gateway.Launcher.Running;

/// <summary>Where a connection string points, without what is secret in it: "host:6379,…", "amqp://user:pw@host:5672", "Host=…;Port=…".</summary>
internal sealed record ExternalAddress(string Host, int Port)
{
    /// <summary>Null when the string has a form that is not known here: it is then trusted unseen.</summary>
    public static ExternalAddress? Of(string connectionString)
    {
        if (Uri.TryCreate(connectionString, UriKind.Absolute, out var uri) && uri.Host.Length > 0)
        {
            var usual = uri.Scheme switch { "amqp" => 5672, "amqps" => 5671, "redis" => 6379, _ => 5432 };
            return new ExternalAddress(uri.Host, uri.IsDefaultPort || uri.Port < 0 ? usual : uri.Port);
        }

        var pairs = connectionString.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)
            .Select(part => part.Split('=', 2)).Where(part => part.Length == 2)
            .GroupBy(part => part[0].Trim(), StringComparer.OrdinalIgnoreCase)
            .ToDictionary(group => group.Key, group => group.Last()[1].Trim(), StringComparer.OrdinalIgnoreCase);
        if ((pairs.GetValueOrDefault("Host") ?? pairs.GetValueOrDefault("Server")) is { } host)
        {
            return new ExternalAddress(host.Split(',')[0], int.TryParse(pairs.GetValueOrDefault("Port"), out var port) ? port : 5432);
        }

        return connectionString.Split(',')[0].Split(':') is [{ Length: > 0 } server, var number] && int.TryParse(number, out var redis)
            ? new ExternalAddress(server, redis)
            : null;
    }

    public async Task<bool> AcceptsAsync(CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(2));
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(Host, Port, limit.Token);
            return true;
        }
        catch (Exception e) when (e is SocketException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return false;
        }
    }
}
