using System.Net;
using Gateway.ServiceDefaults;
using Gateway.TestKit;
using Npgsql;

namespace Gateway.Ledger.Tests.Schema;

/// <summary>What a service asks of its PostgreSQL: a bounded number of connections, and a schema that a crash leaves at a step.</summary>
[Collection(LedgerTurns.Name)]
public sealed class DatabaseTests
{
    [Fact]
    public async Task T51_whatever_comes_at_once_a_process_has_a_bounded_number_of_connections_and_all_are_answered()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var calls = Enumerable.Range(0, 400).Select(async number => number % 2 == 0
            ? (await ledger.AsAdminAsync(HttpMethod.Get, "/budget/list")).StatusCode
            : (await ledger.EnsureAsync("edge-1", Build.Ensure(Build.NewId(), 1_000))).Windows.Length == 1 ? HttpStatusCode.OK : HttpStatusCode.NotFound);

        Assert.All(await Task.WhenAll(calls), static status => Assert.Equal(HttpStatusCode.OK, status));

        // The pool keeps what it opened: so many there were at most.
        Assert.InRange(await ledger.ScalarAsync<long>("select count(*) from pg_stat_activity where datname = current_database()"), 2, Database.ConnectionsMax);
    }

    [Theory]
    [InlineData("", Database.ConnectionsMax)]
    [InlineData(";Maximum Pool Size=7", 7)]
    public void T51_a_connection_string_may_say_another_number(string said, int most)
    {
        var source = new NpgsqlDataSourceBuilder("Host=localhost" + said);
        Database.KeepSessions(source);
        Assert.Equal(most, source.ConnectionStringBuilder.MaxPoolSize);
    }

    [Fact]
    public async Task T54_a_start_that_dies_in_the_middle_of_the_schema_is_gone_on_with_by_the_next_one()
    {
        var database = await Servers.Shared.NewDatabaseAsync("ledger");
        await using var outside = NpgsqlDataSource.Create(database + ";Pooling=false");
        await using (var holder = await outside.OpenConnectionAsync())
        await using (var transaction = await holder.BeginTransactionAsync())
        {
            // A name that a later step wants in its middle, not there yet: that step waits for it.
            await using (var claim = new NpgsqlCommand("create table alert_deliveries (id int)", holder))
            {
                await claim.ExecuteNonQueryAsync();
            }

            var dying = LedgerHost.StartAsync(database);
            await Eventually.HoldsAsync(async () => await CountAsync(outside, $"pg_stat_activity where {Others(holder)} and wait_event_type = 'Lock'") > 0, "a step waits");
            await CountAsync(outside, $"(select pg_terminate_backend(pid) from pg_stat_activity where {Others(holder)}) as ended");
            await Assert.ThrowsAnyAsync<Exception>(() => dying);
        }

        var steps = Directory.GetFiles(Path.Combine(GatewayCluster.Repository, "services", "Ledger", "Schema"), "*.sql").Length;
        Assert.InRange(await CountAsync(outside, "schema_versions"), 1, steps - 1);
        Assert.Equal(0, await CountAsync(outside, "pg_class where relname in ('alerts', 'alert_deliveries')"));

        await using var ledger = await LedgerHost.StartAsync(database);
        Assert.Equal("Healthy", await ledger.Http.GetStringAsync("/health/ready"));
        Assert.Equal(steps, await CountAsync(outside, "schema_versions"));
    }

    private static string Others(NpgsqlConnection holder) => $"datname = current_database() and pid not in (pg_backend_pid(), {holder.ProcessID})";

    private static async Task<long> CountAsync(NpgsqlDataSource database, string from)
    {
        await using var command = database.CreateCommand($"select count(*) from {from}");
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
