using Gateway.Bench.Machine;
using Gateway.Launcher.Servers;
using Gateway.TestKit;
using Npgsql;
using StackExchange.Redis;

namespace Gateway.Bench.Peers;

/// <summary>
/// Our own edge with everything on, in front of a whole cluster as ./run starts it: keys, budgets, leases, spool, RabbitMQ, both ledgers.
/// Prometheus is frozen: its scrapes are no part of a request.
/// </summary>
internal sealed class GatewayPeer : Peer
{
    private static readonly TimeSpan s_look = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan s_settleLimit = TimeSpan.FromSeconds(30);

    private readonly GatewayCluster cluster;
    private readonly int[] servants;
    private readonly int[] all;
    private readonly ConnectionMultiplexer redis;
    private readonly string[] databases;
    private readonly bool prometheus;

    private GatewayPeer(GatewayCluster cluster, Dictionary<string, int> programs, ConnectionMultiplexer redis, string[] databases, bool prometheus)
        : base("edge", $"http://127.0.0.1:{cluster.Port}", () => [programs["edge"]])
    {
        this.cluster = cluster;
        this.redis = redis;
        this.databases = databases;
        this.prometheus = prometheus;
        Programs = programs;
        servants = [.. programs.Where(program => program.Key != "edge").Select(program => program.Value)];
        all = [.. programs.Values];
    }

    /// <summary>The programs of the cluster: edge, auth, ledger, metering, redis, rabbit, postgres.</summary>
    public Dictionary<string, int> Programs { get; }

    /// <summary>What each program uses when nothing happens, in microseconds a second.</summary>
    public Dictionary<string, double> IdleCpuPerSecond { get; private set; } = [];

    public static async Task<GatewayPeer> StartAsync(Peer upstream, CancellationToken cancellation)
    {
        var cluster = await GatewayCluster.StartAsync(new GatewayClusterOptions
        {
            Config = GatewayConfig.For(upstream),
            // As it runs for teams: Development adds a page for programmers around each request.
            Environment = new Dictionary<string, string?> { ["ASPNETCORE_ENVIRONMENT"] = "Production", ["DOTNET_ENVIRONMENT"] = "Production" },
        }, cancellation);
        var programs = await cluster.ProgramsAsync(cancellation);
        var counted = programs.Where(program => program.Name is "edge" or "auth" or "ledger" or "metering" or "redis" or "rabbit" or "postgres")
            .ToDictionary(program => program.Name, program => program.ProcessId ?? throw new InvalidOperationException($"{program.Name} does not run."));
        var prometheus = programs.Any(program => program is { Name: "prometheus", ProcessId: not null });
        if (prometheus)
        {
            await cluster.SendAsync("prometheus", Signal.Stop, cancellation);
        }

        var connection = await ConnectionMultiplexer.ConnectAsync(EnvironmentOf(counted["edge"], "ConnectionStrings__redis") + ",allowAdmin=true");
        string[] databases = [.. new[] { "auth", "ledger", "metering" }.Select(name => EnvironmentOf(counted[name], $"ConnectionStrings__{name}"))];
        var peer = new GatewayPeer(cluster, counted, connection, databases, prometheus) { Headers = { ["Authorization"] = $"Bearer {GatewayConfig.Key}" } };
        return peer;
    }

    /// <summary>Looks for a while at what an idle cluster uses.</summary>
    public async Task MeasureIdleAsync(TimeSpan span, CancellationToken cancellation)
    {
        var before = Programs.Keys.ToDictionary(program => program, CpuMicrosecondsOf);
        await Task.Delay(span, cancellation);
        IdleCpuPerSecond = before.ToDictionary(program => program.Key, program => (CpuMicrosecondsOf(program.Key) - program.Value) / span.TotalSeconds);
    }

    public override double? WholeCpuMicroseconds() => CpuClock.Microseconds(all);

    /// <summary>Processor time of one of the cluster's programs.</summary>
    public double CpuMicrosecondsOf(string program) => CpuClock.Microseconds([Programs[program]]);

    /// <summary>
    /// Waits until the records have gone through the queues into the tables: the processes behind the edge are as idle as before. It asks
    /// nobody, because an answer would be work too.
    /// </summary>
    public override async Task SettleAsync(CancellationToken cancellation)
    {
        var calm = 0;
        var limit = Environment.TickCount64 + (long)s_settleLimit.TotalMilliseconds;
        // A record waits for its batch at most this long before the queue sees it.
        await Task.Delay(s_look, cancellation);
        while (calm < 2 && Environment.TickCount64 < limit)
        {
            var before = CpuClock.Microseconds(servants);
            await Task.Delay(s_look, cancellation);
            var used = (CpuClock.Microseconds(servants) - before) / s_look.TotalSeconds;
            // Two ticks of the clock are noise.
            calm = used <= (IdleCpuPerSecond.Values.Sum() * 1.5) + 80_000 ? calm + 1 : 0;
        }
    }

    /// <summary>Measures while Ledger and Metering stand still: records wait in their queues, and the edge goes on.</summary>
    public async Task<T> WithoutReceiversAsync<T>(Func<Task<T>> measure)
    {
        await using var ledger = await cluster.FreezeAsync("ledger");
        await using var metering = await cluster.FreezeAsync("metering");
        return await measure();
    }

    /// <summary>Calls of each Redis command since its start, those inside scripts included.</summary>
    public async Task<Dictionary<string, long>> RedisCallsAsync()
    {
        // cmdstat_hget:calls=21,usec=175,…
        var text = (string?)await redis.GetDatabase().ExecuteAsync("INFO", "commandstats") ?? "";
        return text.Split("\r\n").Where(line => line.StartsWith("cmdstat_", StringComparison.Ordinal)).Select(line => line.Split([':', '=', ','])).ToDictionary(
            parts => parts[0]["cmdstat_".Length..], parts => long.Parse(parts[2], System.Globalization.CultureInfo.InvariantCulture));
    }

    /// <summary>Transactions committed in the three databases since their start. PostgreSQL's own counters lag by up to ten seconds.</summary>
    public async Task<long> TransactionsAsync(CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(databases[1]);
        await connection.OpenAsync(cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = "select sum(xact_commit)::bigint from pg_stat_database where datname in ('auth', 'ledger', 'metering')";
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>Usage rows stored so far.</summary>
    public async Task<long> RowsAsync(CancellationToken cancellation)
    {
        await using var connection = new NpgsqlConnection(databases[2]);
        await connection.OpenAsync(cancellation);
        await using var command = connection.CreateCommand();
        command.CommandText = "select count(*) from usage_records";
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    protected override async ValueTask StopAsync()
    {
        await redis.DisposeAsync();
        if (prometheus)
        {
            // A frozen program would not see that it should end.
            await cluster.SendAsync("prometheus", Signal.Continue);
        }

        await cluster.DisposeAsync();
    }

    /// <summary>A variable of a process that this program started: AppHost made the addresses and passwords.</summary>
    private static string EnvironmentOf(int process, string name) =>
        File.ReadAllText($"/proc/{process}/environ").Split('\0').First(pair => pair.StartsWith(name + "=", StringComparison.Ordinal))[(name.Length + 1)..];
}
