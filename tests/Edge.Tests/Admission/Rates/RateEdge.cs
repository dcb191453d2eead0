using System.Diagnostics.Metrics;
using Gateway.Contracts;
using Gateway.Edge.Admission.Rates;
using Gateway.TestKit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Edge.Tests.Admission.Rates;

/// <summary>The rate limits of one edge, as a process of its own would have them: its own id, its own connection to Redis.</summary>
internal sealed class RateEdge : IAsyncDisposable
{
    private static int s_count;
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly ConnectionMultiplexer redis;

    private RateEdge(ConnectionMultiplexer redis, RateOptions options, ILogger<RateGates>? logger)
    {
        this.redis = redis;
        Metrics = new RateMetrics(services.GetRequiredService<IMeterFactory>());
        Gates = new RateGates(
            redis,
            new EdgeIdentity(new ConfigurationBuilder().Build()),
            TimeProvider.System,
            Options.Create(options),
            Metrics,
            logger ?? new RecordingLogger());
    }

    /// <summary>A window of two seconds, so that a test can watch it slide.</summary>
    public static RateOptions Short { get; } = new()
    {
        Window = TimeSpan.FromSeconds(2),
        Hold = TimeSpan.FromMilliseconds(200),
        SlotTimeToLive = TimeSpan.FromSeconds(2),
        ForgetAfter = TimeSpan.FromSeconds(2),
        IdleAfter = TimeSpan.FromMilliseconds(300),
        RefusalMemory = TimeSpan.FromMilliseconds(100),
    };

    public RateGates Gates { get; }

    public RateMetrics Metrics { get; }

    public static LimitDefinition NewLimit(LimitKind kind, long limit) =>
        new($"key/{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}", kind, limit);

    public static async Task<RateEdge> StartAsync(
        string? connection = null, RateOptions? options = null, ILogger<RateGates>? logger = null)
    {
        connection ??= (await Servers.Shared.RedisAsync()).ConnectionString;
        var edge = new RateEdge(await ConnectionMultiplexer.ConnectAsync(connection + ",abortConnect=false"), options ?? new RateOptions(), logger);
        await edge.Gates.StartAsync(default);
        return edge;
    }

    public static async Task<RateEdge[]> StartAsync(int count, string? connection = null, RateOptions? options = null)
    {
        connection ??= (await Servers.Shared.RedisAsync()).ConnectionString;
        return await Task.WhenAll(Enumerable.Range(0, count).Select(_ => StartAsync(connection, options)));
    }

    /// <summary>Polls until it is so; the test fails when it is not so in time.</summary>
    public static async Task UntilAsync(Func<Task<bool>> condition, int seconds = 20)
    {
        var started = TimeProvider.System.GetTimestamp();
        while (!await condition())
        {
            Assert.True(TimeProvider.System.GetElapsedTime(started).TotalSeconds < seconds, "It did not come true in time.");
            await Task.Delay(10);
        }
    }

    /// <summary>Ends as a killed process would: nothing is given back.</summary>
    public async Task CrashAsync()
    {
        await redis.DisposeAsync();
        await Gates.StopAsync(default);
    }

    public async ValueTask DisposeAsync()
    {
        await Gates.StopAsync(default);
        await redis.DisposeAsync();
        await services.DisposeAsync();
    }

    public sealed class RecordingLogger : ILogger<RateGates>
    {
        private readonly List<EventId> events = [];

        public int Count(int id)
        {
            lock (events)
            {
                return events.Count(known => known.Id == id);
            }
        }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (events)
            {
                events.Add(eventId);
            }
        }
    }
}
