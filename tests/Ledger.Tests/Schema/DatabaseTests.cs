using System.Net;
using Gateway.Ledger.Journal;
using Gateway.ServiceDefaults;
using Gateway.TestKit;
using Microsoft.Extensions.DependencyInjection;
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

    [Fact]
    public async Task A_journal_of_before_its_terms_stood_apart_is_taken_over_to_the_last_word()
    {
        var database = await Servers.Shared.NewDatabaseAsync("ledger");
        await using var outside = NpgsqlDataSource.Create(database + ";Pooling=false");
        await MigrateUntilAsync(outside, "0017");
        await using (var book = outside.CreateCommand("""
            select journal.add_month('2026-10-01'), journal.add_month('2026-11-01');
            insert into journal.entries (at, id, kind, debit, credit, amount_nano, reverses, accounts, windows, edge_id, price, reason, author, about)
            select '2026-10-31 23:59:58+00'::timestamptz + i * interval '1 second', gen_random_uuid(), 'usage', 'key/k' || i % 2, 'provider/p', i, i = 3,
                array['gateway/all', 'key/k' || i % 2], array['user/u', 'team/t'], case when i < 3 then 'edge-1' end, case when i <> 1 then 'a price' end, null, null, null
            from generate_series(0, 7) i;
            insert into journal.entries (at, id, kind, debit, credit, amount_nano, reverses, accounts, windows, reason, author, about)
            values ('2026-11-15 12:00:00+00', gen_random_uuid(), 'adjustment', 'user/u', 'adjustment/gateway', 9, false, array['user/u'], array[]::text[], 'a "reason"', 'ann', gen_random_uuid());
            """))
        {
            await book.ExecuteNonQueryAsync();
        }

        // A person's own partition would become a month: that is the person's to decide.
        await using (var foreign = outside.CreateCommand("create table journal.kept_by_hand partition of journal.entries for values from ('1999-01-01') to ('1999-02-01')"))
        {
            await foreign.ExecuteNonQueryAsync();
        }

        var refused = await Assert.ThrowsAnyAsync<Exception>(() => LedgerHost.StartAsync(database));
        Assert.Contains("Detach it from journal.entries", refused.ToString(), StringComparison.Ordinal);
        await using (var detach = outside.CreateCommand("alter table journal.entries detach partition journal.kept_by_hand"))
        {
            await detach.ExecuteNonQueryAsync();
        }

        const string words = "(at, id, kind, debit, credit, amount_nano, reverses, accounts, windows, edge_id, price, reason, author, about, posted_at)";
        var before = await TextsAsync(outside, $"select string_agg({words}::text, ' ' order by id) from journal.entries");

        await using var ledger = await LedgerHost.StartAsync(database);

        Assert.Equal(before, await TextsAsync(outside, $"select string_agg({words}::text, ' ' order by id) from journal.booked"));
        // Two keys; then one with an edge, and both without one; and the adjustment.
        Assert.Equal(["2026-10-31: 2", "2026-11-01: 3", "2026-11-15: 1"], await TextsAsync(outside, "select day || ': ' || count(*) from journal.terms group by day order by day"));
        await ledger.Services.GetRequiredService<JournalWriter>().AddAsync([JournalRules.FromUsage(Build.Record(5))], CancellationToken.None);
        Assert.Equal(10, await CountAsync(outside, "journal.booked"));
    }

    private static async Task MigrateUntilAsync(NpgsqlDataSource database, string step)
    {
        var scripts = typeof(LedgerOptions).Assembly;
        await using (var table = database.CreateCommand("create table schema_versions (schemaversionsid serial primary key, scriptname varchar(255) not null, applied timestamp not null)"))
        {
            await table.ExecuteNonQueryAsync();
        }

        foreach (var name in scripts.GetManifestResourceNames().Order(StringComparer.Ordinal).TakeWhile(name => !name.Contains($".{step}_", StringComparison.Ordinal)))
        {
            using var script = new StreamReader(scripts.GetManifestResourceStream(name)!);
            await using var run = database.CreateCommand(await script.ReadToEndAsync());
            await run.ExecuteNonQueryAsync();
            await using var note = database.CreateCommand($"insert into schema_versions (scriptname, applied) values ('{name}', now())");
            await note.ExecuteNonQueryAsync();
        }
    }

    private static async Task<IReadOnlyList<string>> TextsAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return await command.TextsAsync();
    }

    private static string Others(NpgsqlConnection holder) => $"datname = current_database() and pid not in (pg_backend_pid(), {holder.ProcessID})";

    private static async Task<long> CountAsync(NpgsqlDataSource database, string from)
    {
        await using var command = database.CreateCommand($"select count(*) from {from}");
        return (long)(await command.ExecuteScalarAsync())!;
    }
}
