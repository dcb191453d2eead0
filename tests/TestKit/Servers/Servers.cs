using Gateway.Launcher.Servers;

namespace Gateway.TestKit;

/// <summary>
/// The real Redis, RabbitMQ and PostgreSQL for tests: started when the first test asks, shared by all tests of the process, ended with
/// it. Use it as a class or collection fixture (<c>ICollectionFixture&lt;Servers&gt;</c>) or through <see cref="Shared"/>; a test that
/// kills or pauses a server takes one of its own (<see cref="NewRedisAsync"/> …).
/// </summary>
public sealed class Servers
{
    private const string Password = "for-tests-only";

    private static readonly Lazy<Task<RedisServer>> s_redis = new(() => NewRedisAsync());
    private static readonly Lazy<Task<RabbitMqServer>> s_rabbit = new(() => NewRabbitMqAsync());
    private static readonly Lazy<Task<PostgresServer>> s_postgres = new(() => NewPostgresAsync());
    private static int s_count;

    public static Servers Shared { get; } = new();

    /// <summary>A folder that goes when the test process ends.</summary>
    public static string NewFolder(string name) =>
        Directory.CreateDirectory(Path.Combine(TestFolder.OfThisProcess, $"{name}-{Interlocked.Increment(ref s_count)}")).FullName;

    public Task<RedisServer> RedisAsync() => s_redis.Value;

    public Task<RabbitMqServer> RabbitMqAsync() => s_rabbit.Value;

    public Task<PostgresServer> PostgresAsync() => s_postgres.Value;

    /// <summary>Makes an empty database with a name that no other test has, and returns its connection string.</summary>
    public async Task<string> NewDatabaseAsync(string prefix = "test")
    {
        var server = await PostgresAsync();
        var name = $"{prefix}_{Environment.ProcessId}_{Interlocked.Increment(ref s_count)}";
        await server.CreateDatabasesAsync([name]);
        return server.ConnectionStringOf(name);
    }

    /// <summary>A Redis of the test's own, to be stopped, paused and killed. The caller disposes it.</summary>
    public static Task<RedisServer> NewRedisAsync() => RedisServer.StartAsync(NewFolder("redis"), FreePort.Take(), Password);

    /// <summary>A RabbitMQ of the test's own. The caller disposes it.</summary>
    public static Task<RabbitMqServer> NewRabbitMqAsync() => RabbitMqServer.StartAsync(NewFolder("rabbit"), FreePort.Take(), Password);

    /// <summary>A PostgreSQL of the test's own. It does not flush to disk: a killed process loses nothing, only a power cut would.</summary>
    public static Task<PostgresServer> NewPostgresAsync(params string[] databases) =>
        PostgresServer.StartAsync(NewFolder("postgres"), FreePort.Take(), Password, databases, durable: false);
}
