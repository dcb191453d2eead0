using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using Gateway.Launcher.Servers;

namespace Gateway.TestKit;

/// <summary>What a test's cluster differs in from `./run`.</summary>
public sealed record GatewayClusterOptions
{
    /// <summary>The text of config.yaml; null takes the repository's.</summary>
    public string? Config { get; init; }

    public int Replicas { get; init; } = 1;

    /// <summary>Null takes a free port.</summary>
    public int? Port { get; init; }

    /// <summary>Null takes a folder that goes with the test process. Give one to start a second time on the same data.</summary>
    public string? DataFolder { get; init; }

    /// <summary>Added to the AppHost's environment, and so to every service's; null takes a variable away.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>How long the start may take.</summary>
    public TimeSpan StartLimit { get; init; } = TimeSpan.FromSeconds(180);

    /// <summary>False: return at once; the test waits for what it wants.</summary>
    public bool WaitUntilReady { get; init; } = true;
}

/// <summary>One program of the cluster, as the dashboard tells it.</summary>
public sealed record ClusterProgram(
    string Name, string Resource, string Kind, string State, bool Healthy, int? ProcessId, int Restarts, int? LastExitCode, IReadOnlyList<string> Endpoints);

/// <summary>
/// The whole cluster as a person would start it: the built AppHost as a process of its own, with its own ports and data. Killed and paused
/// programs are found by their names. It ends with the test process, also when that is killed.
/// </summary>
public sealed class GatewayCluster : IAsyncDisposable
{
    private static readonly TimeSpan s_stopLimit = TimeSpan.FromSeconds(60);

    private readonly ConcurrentQueue<string> _lines = new();
    private readonly TaskCompletionSource _ready = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly HttpClient _dashboard = new() { Timeout = TimeSpan.FromSeconds(10) };

    private GatewayCluster(GatewayClusterOptions options)
    {
        Port = options.Port ?? FreePort.Take();
        DataFolder = options.DataFolder ?? Servers.NewFolder("cluster");
        DashboardPort = FreePort.Take();
        ConfigFile = options.Config is null ? Path.Combine(Repository, "config.yaml") : Path.Combine(DataFolder, "config.yaml");
        if (options.Config is not null)
        {
            Directory.CreateDirectory(DataFolder);
            File.WriteAllText(ConfigFile, options.Config);
        }

        Client = new HttpClient { BaseAddress = new Uri($"http://localhost:{Port}") };
    }

    /// <summary>The folder of Gateway.sln.</summary>
    public static string Repository { get; } = FindRepository();

    public int Port { get; }

    public int DashboardPort { get; }

    public string DataFolder { get; }

    public string ConfigFile { get; }

    /// <summary>Calls the edge; no key is set.</summary>
    public HttpClient Client { get; }

    /// <summary>The AppHost itself.</summary>
    public LocalProcess Process { get; private set; } = null!;

    /// <summary>How long it took from the start to "Gateway ready".</summary>
    public TimeSpan? ReadyAfter { get; private set; }

    /// <summary>Everything that the AppHost wrote until now: "edge | …" for a program's lines.</summary>
    public IReadOnlyList<string> Lines => [.. _lines];

    /// <summary>The administrator's key that the AppHost made (when the configuration gives none).</summary>
    public string MasterKey => File.ReadAllText(Path.Combine(DataFolder, "secrets", "master-key")).Trim();

    /// <summary>Ends at the line "Gateway ready".</summary>
    public Task Ready => _ready.Task;

    public static async Task<GatewayCluster> StartAsync(GatewayClusterOptions? options = null, CancellationToken cancellation = default)
    {
        options ??= new GatewayClusterOptions();
        var cluster = new GatewayCluster(options);
        cluster.Start(options);
        if (options.WaitUntilReady)
        {
            try
            {
                await cluster.WaitUntilReadyAsync(options.StartLimit, cancellation);
            }
            catch
            {
                await cluster.DisposeAsync();
                throw;
            }
        }

        return cluster;
    }

    public async Task WaitUntilReadyAsync(TimeSpan limit, CancellationToken cancellation = default)
    {
        var late = Task.Delay(limit, cancellation);
        var first = await Task.WhenAny(Ready, Process.Exited, late);
        cancellation.ThrowIfCancellationRequested();
        if (first != Ready)
        {
            var why = first == late ? $"was not ready within {limit.TotalSeconds:0} s" : $"ended with code {await Process.Exited}";
            throw new InvalidOperationException($"The cluster {why}:\n{string.Join('\n', Lines.TakeLast(60))}");
        }
    }

    /// <summary>All programs as they are now.</summary>
    public async Task<IReadOnlyList<ClusterProgram>> ProgramsAsync(CancellationToken cancellation = default) =>
        await _dashboard.GetFromJsonAsync<List<ClusterProgram>>(new Uri($"http://localhost:{DashboardPort}/api/resources"), cancellation) ?? [];

    /// <summary>One program: redis, rabbit, postgres, auth, ledger, metering, sample-provider, edge (edge-1 … with replicas), prometheus.</summary>
    public async Task<ClusterProgram> ProgramAsync(string name, CancellationToken cancellation = default) =>
        (await ProgramsAsync(cancellation)).SingleOrDefault(program => program.Name == name)
        ?? throw new ArgumentException($"The cluster has no program {name}.", nameof(name));

    /// <summary>Sends a signal to a program and all below it: Kill, Stop (freeze), Continue, Terminate.</summary>
    public async Task SendAsync(string name, Signal signal, CancellationToken cancellation = default)
    {
        var processId = (await ProgramAsync(name, cancellation)).ProcessId ?? throw new InvalidOperationException($"{name} does not run.");
        var below = ProcessTree.Descendants(processId);
        foreach (var id in below.Prepend(processId))
        {
            Signals.Send(id, signal);
        }
    }

    /// <summary>Freezes a program as a machine that hangs does: it answers nothing and refuses nothing. Disposing lets it go on.</summary>
    public async Task<IAsyncDisposable> FreezeAsync(string name)
    {
        await SendAsync(name, Signal.Stop);
        return new Thaw(this, name);
    }

    /// <summary>Kills a program (kill -9) and returns when the AppHost has started it again and it is healthy.</summary>
    public async Task KillAndWaitAsync(string name, CancellationToken cancellation = default)
    {
        var before = await ProgramAsync(name, cancellation);
        await SendAsync(name, Signal.Kill, cancellation);
        await WaitForAsync(name, program => program.Restarts > before.Restarts && program.Healthy, cancellation);
    }

    /// <summary>Waits until a program is as wanted, at most a minute.</summary>
    public async Task<ClusterProgram> WaitForAsync(string name, Func<ClusterProgram, bool> wanted, CancellationToken cancellation = default)
    {
        var started = Stopwatch.GetTimestamp();
        while (true)
        {
            var program = await ProgramAsync(name, cancellation);
            if (wanted(program))
            {
                return program;
            }

            if (Stopwatch.GetElapsedTime(started) > TimeSpan.FromMinutes(1))
            {
                throw new TimeoutException($"{name} is {program}:\n{string.Join('\n', Lines.TakeLast(40))}");
            }

            await Task.Delay(50, cancellation);
        }
    }

    /// <summary>SIGTERM, as Ctrl-C does; returns the exit code when everything has stopped.</summary>
    public async Task<int> StopAsync()
    {
        await Process.StopAsync(s_stopLimit);
        return await Process.Exited;
    }

    public async ValueTask DisposeAsync()
    {
        if (Process is not null)
        {
            await StopAsync();
            await Process.DisposeAsync();
        }

        Client.Dispose();
        _dashboard.Dispose();
    }

    private void Start(GatewayClusterOptions options)
    {
        var started = Stopwatch.GetTimestamp();
        var spec = new ProcessSpec("apphost", Programs.Find("dotnet") ?? "dotnet",
        [
            AppHostDll(), "--config", ConfigFile, "--port", $"{Port}", "--replicas", $"{options.Replicas}",
            "--data", DataFolder, "--dashboard-port", $"{DashboardPort}",
        ])
        {
            Environment = options.Environment,
            WorkingDirectory = Repository,
        };
        Process = LocalProcess.Start(spec, line =>
        {
            _lines.Enqueue(line);
            if (line.StartsWith("Gateway ready:", StringComparison.Ordinal))
            {
                ReadyAfter = Stopwatch.GetElapsedTime(started);
                _ready.TrySetResult();
            }
        });
    }

    /// <summary>The AppHost of the configuration that the tests were built in.</summary>
    private static string AppHostDll()
    {
        // …/bin/Release/net10.0/
        var own = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar).Split(Path.DirectorySeparatorChar);
        var path = Path.Combine(Repository, "AppHost", "bin", own[^2], own[^1], "AppHost.dll");
        return File.Exists(path)
            ? path
            : throw new InvalidOperationException($"{path} is not built: dotnet build AppHost -c {own[^2]} (or reference AppHost.csproj with ReferenceOutputAssembly=\"false\").");
    }

    private static string FindRepository()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (folder is not null && !File.Exists(Path.Combine(folder.FullName, "Gateway.sln")))
        {
            folder = folder.Parent;
        }

        return folder?.FullName ?? throw new InvalidOperationException("Gateway.sln was not found above the tests.");
    }

    private sealed class Thaw(GatewayCluster cluster, string name) : IAsyncDisposable
    {
        public async ValueTask DisposeAsync() => await cluster.SendAsync(name, Signal.Continue);
    }
}
