using Gateway.Launcher.Servers;
using Npgsql;
using TestServers = Gateway.TestKit.Servers;

namespace Gateway.AppHost.Tests.Servers;

/// <summary>The real servers of this machine: each starts, survives a kill on the same data and port, and leaves nothing behind.</summary>
[Collection("servers")]
public sealed class LocalServerTests
{
    [Fact]
    public async Task Redis_answers_is_killed_and_answers_again_on_the_same_port()
    {
        await using var redis = await TestServers.NewRedisAsync();
        var port = redis.Port;
        await redis.KillAsync();
        Assert.False(await redis.AnswersAsync(default));
        await redis.StartAsync();
        Assert.Equal(port, redis.Port);
        Assert.True(await redis.AnswersAsync(default));
    }

    [Fact]
    public async Task A_paused_redis_does_not_answer_until_it_is_resumed()
    {
        await using var redis = await TestServers.NewRedisAsync();
        redis.Pause();
        Assert.False(await redis.AnswersAsync(default));
        redis.Resume();
        Assert.True(await redis.AnswersAsync(default));
    }

    [Fact]
    public async Task Postgres_has_the_databases_and_keeps_what_was_written_over_a_kill()
    {
        await using var postgres = await TestServers.NewPostgresAsync("auth", "ledger");
        await ExecuteAsync(postgres.ConnectionStringOf("ledger"), "create table t (n int); insert into t values (7)");
        await postgres.KillAsync();
        await postgres.StartAsync();
        Assert.Equal(7, await ExecuteAsync(postgres.ConnectionStringOf("ledger"), "select n from t"));
        await ExecuteAsync(postgres.ConnectionStringOf("auth"), "select 1");

        // A stop waits for the real server, not for a process that stands before it.
        var all = ProcessTree.Descendants(postgres.Process!.Id).Append(postgres.Process.Id).ToList();
        Assert.True(all.Count > 3);
        await postgres.StopAsync();
        Assert.DoesNotContain(all, ProcessTree.IsAlive);
    }

    [Fact]
    public async Task RabbitMq_answers_again_after_a_kill_and_leaves_no_epmd_behind()
    {
        var rabbit = await TestServers.NewRabbitMqAsync();
        await rabbit.KillAsync();
        await rabbit.StartAsync();
        Assert.True(await rabbit.AnswersAsync(default));
        var all = ProcessTree.Descendants(Environment.ProcessId).Where(id => IsRabbit(id, rabbit.Folder)).ToList();
        Assert.Contains(all, id => File.ReadAllText($"/proc/{id}/comm").StartsWith("epmd", StringComparison.Ordinal));
        await rabbit.DisposeAsync();
        Assert.DoesNotContain(all, ProcessTree.IsAlive);
    }

    [Fact]
    public async Task A_new_database_of_the_shared_server_is_empty()
    {
        var database = await TestServers.Shared.NewDatabaseAsync();
        await ExecuteAsync(database, "create table only_here (n int)");
        Assert.NotEqual(database, await TestServers.Shared.NewDatabaseAsync());
    }

    private static bool IsRabbit(int processId, string folder)
    {
        try
        {
            return File.ReadAllText($"/proc/{processId}/environ").Contains($"HOME={folder}", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static async Task<object?> ExecuteAsync(string connectionString, string sql)
    {
        await using var connection = new NpgsqlConnection(connectionString + ";Pooling=false");
        await connection.OpenAsync();
        await using var command = new NpgsqlCommand(sql, connection);
        return await command.ExecuteScalarAsync();
    }
}
