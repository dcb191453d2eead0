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
    private string? _home;

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

    private string Data => Path.Combine(Home, "data");

    private string Home => _home ??= FindHome();

    private static string? RunAs => Environment.IsPrivilegedProcess ? Owner : null;

    public static async Task<PostgresServer> StartAsync(
        string folder, int port, string password, IReadOnlyList<string> databases, bool durable = true,
        Action<string>? onLine = null, CancellationToken cancellation = default)
    {
        var server = new PostgresServer(folder, port, password, databases, durable) { OnLine = onLine };
        await server.StartAsync(cancellation);
        return server;
    }

    /// <summary>The first message of a client, protocol 3.0.</summary>
    internal static byte[] StartupMessage
    {
        get
        {
            var text = Encoding.ASCII.GetBytes("user\0postgres\0database\0postgres\0\0");
            var message = new byte[8 + text.Length];
            BinaryPrimitives.WriteInt32BigEndian(message, message.Length);
            BinaryPrimitives.WriteInt32BigEndian(message.AsSpan(4), 3 << 16);
            text.CopyTo(message, 8);
            return message;
        }
    }

    /// <summary>Makes the databases that are not there, for psql.</summary>
    internal static string CreateScript(IReadOnlyList<string> names) => string.Concat(names.Select(name =>
        $"SELECT format('CREATE DATABASE %I', '{name}') WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{name}')\\gexec\n"));

    public string ConnectionStringOf(string database) => $"{ConnectionString};Database={database}";

    public override async Task PrepareAsync(CancellationToken cancellation)
    {
        if (!File.Exists(Path.Combine(Data, "PG_VERSION")))
        {
            await InitializeAsync(cancellation);
        }

        // Last line wins in PostgreSQL's settings; ours are read after its own.
        await RunAsync("sh", ["-c", "cat > \"$0\"", Path.Combine(Data, "postgresql.auto.conf")], Settings(), cancellation);
    }

    // 'R' asks for the password, 'E' says that it is not ready yet.
    public override async Task<bool> AnswersAsync(CancellationToken cancellation) => await AskAsync(StartupMessage, cancellation) is [(byte)'R', ..];

    public override Task AfterStartAsync(CancellationToken cancellation) =>
        databases.Count == 0 ? Task.CompletedTask : CreateDatabasesAsync(databases, cancellation);

    /// <summary>Makes the databases that are not there yet.</summary>
    public Task CreateDatabasesAsync(IReadOnlyList<string> names, CancellationToken cancellation = default) => RunAsync(
        Path.Combine(Bin, "psql"),
        ["-h", "127.0.0.1", "-p", $"{Port}", "-U", "postgres", "-d", "postgres", "-qX", "-v", "ON_ERROR_STOP=1", "-f", "-"],
        CreateScript(names), cancellation, ("PGPASSWORD", password));

    protected override bool MayTryAgain(LocalProcess ended) =>
        ended.LastLines.Any(line => line.Contains("still in use", StringComparison.Ordinal) || line.Contains("Is another postmaster", StringComparison.Ordinal));

    /// <summary>
    /// The folder, or, where user postgres cannot get to it (a clone below /root), one that it can, with a link to it in our folder: whoever
    /// deletes our folder gets an empty database the next time.
    /// </summary>
    private string FindHome()
    {
        Directory.CreateDirectory(Folder);
        if (RunAs is null || OperatingSystem.IsWindows() || Above(Folder).All(OthersMayPass))
        {
            return Folder;
        }

        var link = Path.Combine(Folder, "elsewhere");
        if (new DirectoryInfo(link).LinkTarget is { } kept && Directory.Exists(kept))
        {
            return kept;
        }

        var home = $"/var/lib/ai-gateway/postgres-{Guid.CreateVersion7():N}";
        Directory.CreateDirectory(home);
        File.Delete(link);
        File.CreateSymbolicLink(link, home);
        OnLine?.Invoke($"User {Owner} cannot reach {Folder}: the database is in {home}.");
        return home;
    }

    [System.Runtime.Versioning.UnsupportedOSPlatform("windows")]
    private static bool OthersMayPass(string folder) => File.GetUnixFileMode(folder).HasFlag(UnixFileMode.OtherExecute);

    private static IEnumerable<string> Above(string folder)
    {
        for (var above = new DirectoryInfo(folder).Parent; above is not null; above = above.Parent)
        {
            yield return above.FullName;
        }
    }

    private async Task InitializeAsync(CancellationToken cancellation)
    {
        if (RunAs is not null)
        {
            await RunAsync("chown", [Owner, Home], "", cancellation, asOwner: false);
        }

        var secret = Path.Combine(Home, "first-password");
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
            WorkingDirectory = Home,
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
