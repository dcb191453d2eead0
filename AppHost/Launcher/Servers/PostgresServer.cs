using System.Buffers.Binary;
using System.Diagnostics;
using System.Text;

namespace Gateway.Launcher.Servers;

/// <summary>PostgreSQL of this machine, as user postgres when we are root (it refuses root), with the databases asked for.</summary>
public sealed class PostgresServer(string folder, int port, string password, IReadOnlyList<string> databases, bool durable = true)
    : LocalServer("postgres", folder, port)
{
    private const string Owner = "postgres";

    private string? _bin;

    /// <summary>The server's own connection string, without a database.</summary>
    public override string ConnectionString => $"Host=localhost;Port={Port};Username=postgres;Password={password}";

    public override ProcessSpec Spec => new("postgres", Path.Combine(Bin, "postgres"), ["-D", Data])
    {
        WorkingDirectory = Data,
        RunAs = RunAs,
        // Fast shutdown: it does not wait for its clients to leave.
        StopSignal = Signal.Interrupt,
        // Its shared memory is given back, which a SIGKILL would leave behind; nothing that was committed is lost.
        ParentDeathSignal = Signal.Quit,
    };

    private string Bin => _bin ??= Programs.FindPostgres()
        ?? throw new ServerStartException("PostgreSQL is not installed: apt-get install -y postgresql");

    private string Data => Path.Combine(Folder, "data");

    private static string? RunAs => Environment.IsPrivilegedProcess ? Owner : null;

    public static async Task<PostgresServer> StartAsync(
        string folder, int port, string password, IReadOnlyList<string> databases, bool durable = true,
        Action<string>? onLine = null, CancellationToken cancellation = default)
    {
        var server = new PostgresServer(folder, port, password, databases, durable) { OnLine = onLine };
        await server.StartAsync(cancellation);
        return server;
    }

    public string ConnectionStringOf(string database) => $"{ConnectionString};Database={database}";

    public override async Task PrepareAsync(CancellationToken cancellation)
    {
        Directory.CreateDirectory(Folder);
        if (!File.Exists(Path.Combine(Data, "PG_VERSION")))
        {
            await InitializeAsync(cancellation);
        }

        // Last line wins in PostgreSQL's settings; ours are read after its own.
        await RunAsync("sh", ["-c", "cat > \"$0\"", Path.Combine(Data, "postgresql.auto.conf")], Settings(), cancellation);
    }

    public override async Task<bool> AnswersAsync(CancellationToken cancellation)
    {
        // Start-up message, protocol 3.0: 'R' asks for the password, 'E' says that it is not ready yet.
        var text = Encoding.ASCII.GetBytes("user\0postgres\0database\0postgres\0\0");
        var question = new byte[8 + text.Length];
        BinaryPrimitives.WriteInt32BigEndian(question, question.Length);
        BinaryPrimitives.WriteInt32BigEndian(question.AsSpan(4), 3 << 16);
        text.CopyTo(question, 8);
        return await AskAsync(question, cancellation) is [(byte)'R', ..];
    }

    public override Task AfterStartAsync(CancellationToken cancellation) =>
        databases.Count == 0 ? Task.CompletedTask : CreateDatabasesAsync(databases, cancellation);

    /// <summary>Makes the databases that are not there yet.</summary>
    public Task CreateDatabasesAsync(IReadOnlyList<string> names, CancellationToken cancellation = default)
    {
        var script = string.Concat(names.Select(name =>
            $"SELECT format('CREATE DATABASE %I', '{name}') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}')\\gexec\n"));
        return RunAsync(
            Path.Combine(Bin, "psql"),
            ["-h", "127.0.0.1", "-p", $"{Port}", "-U", "postgres", "-d", "postgres", "-qX", "-v", "ON_ERROR_STOP=1", "-f", "-"],
            script, cancellation, ("PGPASSWORD", password));
    }

    protected override bool MayTryAgain(LocalProcess ended) =>
        ended.LastLines.Any(line => line.Contains("still in use", StringComparison.Ordinal) || line.Contains("Is another postmaster", StringComparison.Ordinal));

    private async Task InitializeAsync(CancellationToken cancellation)
    {
        if (RunAs is not null)
        {
            await RunAsync("chown", [Owner, Folder], "", cancellation, asOwner: false);
        }

        var secret = Path.Combine(Folder, "first-password");
        await RunAsync("sh", ["-c", "umask 077; cat > \"$0\"", secret], password, cancellation);
        try
        {
            await RunAsync(
                Path.Combine(Bin, "initdb"),
                ["-D", Data, "-U", "postgres", "--encoding=UTF8", "--locale=C", "--auth=scram-sha-256", "--no-sync", $"--pwfile={secret}"],
                "", cancellation);
        }
        catch (ServerStartException)
        {
            // Half a data folder would look like a whole one at the next start.
            Directory.Delete(Data, recursive: true);
            throw;
        }
        finally
        {
            File.Delete(secret);
        }
    }

    private string Settings() => $"""
        listen_addresses = '127.0.0.1'
        port = {Port}
        # TCP only: a socket's path has a limit that the path of a data folder can pass.
        unix_socket_directories = ''
        max_connections = 200
        shared_buffers = 64MB
        logging_collector = off
        log_line_prefix = ''
        {(durable ? "" : "fsync = off\nfull_page_writes = off")}

        """;

    private async Task RunAsync(
        string program, IReadOnlyList<string> arguments, string input, CancellationToken cancellation,
        (string Name, string Value)? variable = null, bool asOwner = true)
    {
        var path = Path.IsPathRooted(program) ? program : Programs.Find(program)!;
        List<string> command = asOwner && RunAs is { } user
            ? [Programs.Find("setpriv") ?? "setpriv", "--reuid", user, "--regid", user, "--init-groups", "--", path]
            : [path];
        var info = new ProcessStartInfo(command[0], command.Skip(1).Concat(arguments))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = Folder,
        };
        if (variable is var (name, value))
        {
            info.Environment[name] = value;
        }

        using var process = new Process { StartInfo = info };
        process.Start();
        await process.StandardInput.WriteAsync(input);
        process.StandardInput.Close();
        var output = process.StandardOutput.ReadToEndAsync(cancellation);
        var errors = process.StandardError.ReadToEndAsync(cancellation);
        await process.WaitForExitAsync(cancellation);
        if (process.ExitCode != 0)
        {
            throw new ServerStartException($"postgres: {Path.GetFileName(program)} failed with code {process.ExitCode}:\n{await errors}{await output}");
        }
    }
}
