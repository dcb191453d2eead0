using System.Text;

namespace Gateway.Launcher.Servers;

/// <summary>
/// One of the servers in a container, where its program is not installed but docker or podman answers. The container is named after its
/// folder, runs in the foreground (its lines are the log) and goes when it stops; the data stays in a volume of that name.
/// </summary>
public sealed class ContainerServer(string name, string folder, int port, string engine, ContainerImage image) : LocalServer(name, folder, port)
{
    public override string ConnectionString => image.ConnectionString(Port);

    /// <summary>Stable for a folder: a second start finds the volume again, and a sweep the container.</summary>
    public string ContainerName { get; } = $"gateway-{name}-{FolderHash(folder)}";

    public override ProcessSpec Spec => new(Name, engine, Arguments())
    {
        WorkingDirectory = Folder,
        // The values stand in a file, not in the arguments, which the list of processes shows.
        ParentDeathSignal = Signal.Terminate,
    };

    public override Task PrepareAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(Folder);
        WritePrivate(VariablesFile, string.Concat(image.Environment.Select(pair => $"{pair.Key}={pair.Value}\n")));
        return Task.CompletedTask;
    }

    public override async Task<bool> AnswersAsync(CancellationToken cancellation)
    {
        // The engine's own proxy accepts connections before the server does: only an answer counts.
        var answer = await AskAsync(image.Question, cancellation);
        return image.IsAnswer(answer);
    }

    public override async Task AfterStartAsync(CancellationToken cancellation)
    {
        foreach (var command in image.AfterStart)
        {
            var run = LocalProcess.Start(new ProcessSpec(Name, engine, ["exec", ContainerName, .. command]), OnLine);
            if (await run.Exited.WaitAsync(cancellation) != 0)
            {
                throw new ServerStartException($"{Name}: a command in the container failed:\n{string.Join('\n', run.LastLines)}");
            }
        }
    }

    private string VariablesFile => Path.Combine(Folder, "container.env");

    private string[] Arguments() =>
    [
        "run", "--rm", "--name", ContainerName, "--env-file", VariablesFile,
        "-p", $"127.0.0.1:{Port}:{image.Port}", "-v", $"{ContainerName}:{image.DataPath}", "--stop-timeout", "10",
        // RabbitMQ's data belongs to the name of its host.
        "--hostname", Name, image.Image, .. image.Arguments,
    ];

    private static string FolderHash(string folder) =>
        Convert.ToHexStringLower(System.Security.Cryptography.SHA256.HashData(Encoding.UTF8.GetBytes(Path.GetFullPath(folder))))[..10];
}

/// <summary>What differs between the images.</summary>
public sealed record ContainerImage(string Image, int Port, string DataPath, Func<int, string> ConnectionString)
{
    public IReadOnlyDictionary<string, string> Environment { get; init; } = new Dictionary<string, string>();

    public IReadOnlyList<string> Arguments { get; init; } = [];

    /// <summary>Commands inside the container, run after each start.</summary>
    public IReadOnlyList<IReadOnlyList<string>> AfterStart { get; init; } = [];

    public required byte[] Question { get; init; }

    public required Func<byte[], bool> IsAnswer { get; init; }

    public static ContainerImage Redis(string password) => new("redis:7", 6379, "/data", port => $"localhost:{port},password={password}")
    {
        // The shell sets the password from its environment: arguments are visible to all.
        Environment = new Dictionary<string, string> { ["REDIS_PASSWORD"] = password },
        Arguments = ["sh", "-c", "exec redis-server --appendonly yes --save '' --requirepass \"$REDIS_PASSWORD\""],
        Question = Encoding.ASCII.GetBytes($"AUTH {password}\r\nPING\r\n"),
        IsAnswer = answer => Encoding.ASCII.GetString(answer) is var text && (text == "+OK\r\n" || text.Contains("+PONG", StringComparison.Ordinal)),
    };

    public static ContainerImage RabbitMq(string password) => new("rabbitmq:3.13", 5672, "/var/lib/rabbitmq", port => $"amqp://guest:{password}@localhost:{port}")
    {
        Environment = new Dictionary<string, string> { ["RABBITMQ_DEFAULT_USER"] = "guest", ["RABBITMQ_DEFAULT_PASS"] = password },
        Question = "AMQP\0\0\t\u0001"u8.ToArray(),
        IsAnswer = answer => answer is [1, ..],
    };

    public static ContainerImage Postgres(string password, IReadOnlyList<string> databases) =>
        new("postgres:17", 5432, "/var/lib/postgresql/data", port => $"Host=localhost;Port={port};Username=postgres;Password={password}")
        {
            Environment = new Dictionary<string, string> { ["POSTGRES_PASSWORD"] = password },
            Arguments = ["-c", "max_connections=200"],
            AfterStart = [["sh", "-c", $"psql -h 127.0.0.1 -U postgres -qX -v ON_ERROR_STOP=1 <<'END'\n{PostgresServer.CreateScript(databases)}END\n"]],
            Question = PostgresServer.StartupMessage,
            IsAnswer = answer => answer is [(byte)'R', ..],
        };
}
