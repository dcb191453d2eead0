using System.Security.Cryptography;

namespace Gateway.Launcher.Servers;

/// <summary>
/// RabbitMQ of this machine: own node, own folders, own epmd (Erlang's name server, a child of ours that ends with the node, where
/// Erlang would leave one behind for ever). The node's name is always the same, because its data belongs to that name.
/// </summary>
public sealed class RabbitMqServer(string folder, int port, string password, string userName = "guest")
    : LocalServer("rabbit", folder, port)
{
    // epmd answers its port's number, and the node its other port, so both are known before the start.
    private readonly int _epmdPort = FreePort.Take();
    private readonly int _nodePort = FreePort.Take();
    private LocalProcess? _epmd;

    public override string ConnectionString => $"amqp://{userName}:{password}@localhost:{Port}";

    public override ProcessSpec Spec => new("rabbit", Executable(), [])
    {
        WorkingDirectory = Folder,
        Environment = new Dictionary<string, string?>
        {
            ["HOME"] = Folder,
            ["RABBITMQ_NODENAME"] = "gateway@localhost",
            ["RABBITMQ_NODE_PORT"] = $"{Port}",
            ["RABBITMQ_NODE_IP_ADDRESS"] = "127.0.0.1",
            ["RABBITMQ_DIST_PORT"] = $"{_nodePort}",
            ["RABBITMQ_MNESIA_BASE"] = Path.Combine(Folder, "data"),
            ["RABBITMQ_LOG_BASE"] = Path.Combine(Folder, "log"),
            ["RABBITMQ_LOGS"] = "-",
            ["RABBITMQ_ENABLED_PLUGINS_FILE"] = Path.Combine(Folder, "enabled_plugins"),
            ["RABBITMQ_CONFIG_FILE"] = Path.Combine(Folder, "rabbitmq.conf"),
            ["RABBITMQ_CONF_ENV_FILE"] = Path.Combine(Folder, "no-rabbitmq-env.conf"),
            ["RABBITMQ_PID_FILE"] = Path.Combine(Folder, "rabbit.pid"),
            ["ERL_EPMD_PORT"] = $"{_epmdPort}",
            ["ERL_EPMD_ADDRESS"] = "127.0.0.1",
            ["ERL_CRASH_DUMP_SECONDS"] = "0",
            // The start script then becomes Erlang itself: the process that we see is the one that does the work. It stops on SIGTERM.
            ["RABBITMQ_ALLOW_INPUT"] = "true",
            ["RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS"] = "-noinput -start_epmd false -kernel inet_dist_use_interface {127,0,0,1}",
            ["NOTIFY_SOCKET"] = null,
        },
    };

    public static async Task<RabbitMqServer> StartAsync(
        string folder, int port, string password, Action<string>? onLine = null, CancellationToken cancellation = default)
    {
        var server = new RabbitMqServer(folder, port, password) { OnLine = onLine };
        await server.StartAsync(cancellation);
        return server;
    }

    public override Task PrepareAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(Path.Combine(Folder, "data"));
        Directory.CreateDirectory(Path.Combine(Folder, "log"));
        var cookie = Path.Combine(Folder, ".erlang.cookie");
        if (!File.Exists(cookie))
        {
            WritePrivate(cookie, RandomNumberGenerator.GetHexString(40));
        }

        File.WriteAllText(Path.Combine(Folder, "enabled_plugins"), "[].\n");
        WritePrivate(Path.Combine(Folder, "rabbitmq.conf"), $"""
            listeners.tcp.1 = 127.0.0.1:{Port}
            default_user = {userName}
            default_pass = {password}
            # The default of 50 MB is for a server with a disk of its own; the alarm would stop every publisher.
            disk_free_limit.absolute = 50MB
            log.console = true
            log.console.level = warning
            # The health check opens a connection and leaves; every time that would be a warning.
            log.connection.level = error
            log.file = false

            """);
        if (_epmd is null or { HasExited: true })
        {
            _epmd = LocalProcess.Start(new ProcessSpec("epmd", Epmd(), ["-port", $"{_epmdPort}", "-address", "127.0.0.1"])
            {
                Environment = new Dictionary<string, string?> { ["HOME"] = Folder },
            });
        }

        return Task.CompletedTask;
    }

    public override async Task<bool> AnswersAsync(CancellationToken cancellation) =>
        // AMQP's first frame, Connection.Start, is a method frame (type 1). The node listens only when its users and queues are there.
        await AskAsync("AMQP\0\0\t\u0001"u8.ToArray(), cancellation) is [1, ..];

    protected override bool MayTryAgain(LocalProcess ended) =>
        // After a kill, epmd may not have noticed yet that the name is free.
        ended.LastLines.Any(line => line.Contains("already running", StringComparison.Ordinal) || line.Contains("ERROR: node with name", StringComparison.Ordinal));

    public override async Task AfterStopAsync()
    {
        if (_epmd is { } epmd)
        {
            await epmd.DisposeAsync();
            _epmd = null;
        }
    }

    private static string Executable() =>
        Programs.FindRabbitMq() ?? throw new ServerStartException("RabbitMQ is not installed: apt-get install -y rabbitmq-server");

    private static string Epmd() =>
        Programs.Find("epmd") ?? throw new ServerStartException("epmd (Erlang) is not installed: apt-get install -y rabbitmq-server");
}
