using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Ledger;
using Gateway.ServiceDefaults;
using Gateway.TestKit;
using MassTransit;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using StackExchange.Redis;

namespace Gateway.Ledger.Tests;

/// <summary>
/// The real Ledger, from its own Program, in this process: over a database of its own, and the shared Redis and RabbitMQ unless it is
/// given others. Tests with it run one after the other (they share a queue) and use budget names that no other test has.
/// </summary>
internal sealed class LedgerHost : IAsyncDisposable
{
    private const string Secret = "a-secret-for-tests-only";
    private static readonly AsyncLocal<TaskCompletionSource<IHost>?> s_starting = new();

    private readonly IHost host;
    private readonly Task running;

    static LedgerHost() => DiagnosticListener.AllListeners.Subscribe(new Listeners());

    private LedgerHost(IHost host, Task running, string database)
    {
        this.host = host;
        this.running = running;
        DatabaseConnection = database;
        var address = host.Services.GetRequiredService<Microsoft.AspNetCore.Hosting.Server.IServer>().Features.Get<IServerAddressesFeature>()!.Addresses.First();
        Http = new HttpClient { BaseAddress = new Uri(address) };
        Http.DefaultRequestHeaders.Add(ServiceHeaders.Secret, Secret);
    }

    public string DatabaseConnection { get; }

    public HttpClient Http { get; }

    public IServiceProvider Services => host.Services;

    public NpgsqlDataSource Database => Services.GetRequiredService<NpgsqlDataSource>();

    public IDatabase Redis => Services.GetRequiredService<IConnectionMultiplexer>().GetDatabase();

    /// <summary>Starts a Ledger; <paramref name="settings"/> are configuration keys and values.</summary>
    public static async Task<LedgerHost> StartAsync(string? database = null, string? redis = null, string? rabbit = null, params (string Key, string Value)[] settings)
    {
        database ??= await Servers.Shared.NewDatabaseAsync("ledger");
        redis ??= (await Servers.Shared.RedisAsync()).ConnectionString;
        rabbit ??= (await Servers.Shared.RabbitMqAsync()).ConnectionString;
        string[] arguments =
        [
            "--urls=http://127.0.0.1:0", "--environment=Testing", $"--contentRoot={AppContext.BaseDirectory}",
            $"--ConnectionStrings:ledger={database}", $"--ConnectionStrings:redis={redis}", $"--ConnectionStrings:rabbit={rabbit}",
            $"--Gateway:ServiceSecret={Secret}", "--Logging:LogLevel:Default=Warning",
            .. settings.Select(setting => $"--{setting.Key}={setting.Value}"),
        ];
        var built = new TaskCompletionSource<IHost>(TaskCreationOptions.RunContinuationsAsynchronously);
        var running = Task.Run(async () =>
        {
            s_starting.Value = built;
            try
            {
                await (Task)typeof(LedgerOptions).Assembly.GetType("Program")!
                    .GetMethod("<Main>$", System.Reflection.BindingFlags.Static | System.Reflection.BindingFlags.NonPublic)!.Invoke(null, [arguments])!;
                built.TrySetException(new InvalidOperationException("Ledger ended before it had started."));
            }
            catch (Exception error)
            {
                built.TrySetException(error);
                throw;
            }
        });
        var host = await built.Task;
        var started = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var registration = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStarted.Register(() => started.TrySetResult());
        await Task.WhenAny(started.Task, running);
        if (running.IsCompleted)
        {
            await running;
        }

        // A bus that is stopped before it has started goes on without its services, in this process: in the next test.
        await host.Services.GetRequiredService<IBusControl>().WaitForHealthStatus(BusHealthStatus.Healthy, TimeSpan.FromSeconds(60));
        return new(host, running, database);
    }

    /// <summary>Sends records as an edge does: batches on the bus.</summary>
    public Task PublishAsync(IEnumerable<UsageRecord> records, string edge = "edge-1") =>
        PublishAsync(edge, [.. records.Select(record => JsonSerializer.SerializeToUtf8Bytes(record, ContractsJson.Default.UsageRecord))]);

    public Task PublishAsync(string edge, params byte[][] lines) =>
        Services.GetRequiredService<IBus>().Publish(new UsageRecorded { EdgeId = edge, Count = lines.Length, Records = [.. lines.SelectMany(line => line.Append((byte)'\n'))] });

    public async Task<EnsuredBudgets> EnsureAsync(string edge, params EnsureBudget[] budgets)
    {
        var response = await Http.PostAsJsonAsync("/internal/budgets/ensure", new EnsureBudgets(edge, budgets), ContractsJson.Default.EnsureBudgets);
        Assert.True(response.IsSuccessStatusCode, await response.Content.ReadAsStringAsync());
        return (await response.Content.ReadFromJsonAsync(ContractsJson.Default.EnsuredBudgets))!;
    }

    public Task<HttpResponseMessage> AsAdminAsync(HttpMethod method, string path, object? body = null)
    {
        var request = new HttpRequestMessage(method, path) { Content = body is null ? null : JsonContent.Create(body) };
        request.Headers.Add(ServiceHeaders.Caller, CallerIdentity.ToHeader(new AccessSnapshot { KeyId = "master", UserId = "admin-ann", Role = CallerRole.ProxyAdmin }));
        return Http.SendAsync(request);
    }

    /// <summary>Warnings and errors that are logged from now on.</summary>
    public ConcurrentQueue<string> Listen()
    {
        var lines = new ConcurrentQueue<string>();
        Services.GetRequiredService<ILoggerFactory>().AddProvider(new QueueLogger(lines));
        return lines;
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async ValueTask DisposeAsync()
    {
        Http.Dispose();
        // Not host.StopAsync: the program itself stops its services, in their order, when it is told to.
        host.Services.GetRequiredService<IHostApplicationLifetime>().StopApplication();
        await running;
    }

    private sealed class QueueLogger(ConcurrentQueue<string> lines) : ILoggerProvider, ILogger
    {
        public ILogger CreateLogger(string categoryName) => this;

        public void Dispose()
        {
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            lines.Enqueue($"{logLevel} {formatter(state, exception)}");
    }

    private sealed class Listeners : IObserver<DiagnosticListener>, IObserver<KeyValuePair<string, object?>>
    {
        public void OnNext(DiagnosticListener value)
        {
            if (value.Name == "Microsoft.Extensions.Hosting")
            {
                value.Subscribe(this);
            }
        }

        public void OnNext(KeyValuePair<string, object?> value)
        {
            if (value is { Key: "HostBuilt", Value: IHost built })
            {
                s_starting.Value?.TrySetResult(built);
            }
        }

        public void OnCompleted()
        {
        }

        public void OnError(Exception error)
        {
        }
    }
}

/// <summary>Tests that run a Ledger take turns.</summary>
[CollectionDefinition(Name)]
public sealed class LedgerTurns
{
    public const string Name = "ledger";
}

/// <summary>Waits for what must become true, and says what did not.</summary>
internal static class Eventually
{
    public static async Task HoldsAsync(Func<Task<bool>> condition, string what, int seconds = 30)
    {
        var until = Stopwatch.GetTimestamp() + (seconds * Stopwatch.Frequency);
        while (!await condition())
        {
            Assert.True(Stopwatch.GetTimestamp() < until, $"Not within {seconds} s: {what}");
            await Task.Delay(20);
        }
    }
}
