using System.Text;

namespace Gateway.Launcher.Servers;

/// <summary>redis-server with its append-only file: what it answered survives a restart (at most one second is lost in a power cut).</summary>
public sealed class RedisServer(string folder, int port, string? password = null, string extraSettings = "")
    : LocalServer("redis", folder, port)
{
    public override string ConnectionString => $"localhost:{Port}" + (password is null ? "" : $",password={password}");

    public override ProcessSpec Spec => new("redis", Executable(), [SettingsFile]) { WorkingDirectory = Folder };

    private string SettingsFile => Path.Combine(Folder, "redis.conf");

    public static async Task<RedisServer> StartAsync(
        string folder, int port, string? password = null, Action<string>? onLine = null, CancellationToken cancellation = default)
    {
        var server = new RedisServer(folder, port, password) { OnLine = onLine };
        await server.StartAsync(cancellation);
        return server;
    }

    public override Task PrepareAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(Folder);
        // A file and not arguments: the list of processes shows arguments to everyone.
        WritePrivate(SettingsFile, $"""
            bind 127.0.0.1
            port {Port}
            dir "{Folder}"
            daemonize no
            appendonly yes
            appendfsync everysec
            save ""
            {(password is null ? "" : $"requirepass {password}")}
            {extraSettings}

            """);
        return Task.CompletedTask;
    }

    public override async Task<bool> AnswersAsync(CancellationToken cancellation)
    {
        var question = (password is null ? "" : $"AUTH {password}\r\n") + "PING\r\n";
        var answer = await AskAsync(Encoding.ASCII.GetBytes(question), cancellation);
        // While it reads its file in, it answers -LOADING.
        var text = Encoding.ASCII.GetString(answer);
        return text.Contains("+PONG", StringComparison.Ordinal) || text == "+OK\r\n";
    }

    private static string Executable() =>
        Programs.Find("redis-server") ?? throw new ServerStartException("redis-server is not installed: apt-get install -y redis-server");
}
