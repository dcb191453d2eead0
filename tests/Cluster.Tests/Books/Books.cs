using System.Globalization;
using Gateway.TestKit;
using Npgsql;
using StackExchange.Redis;

namespace Gateway.Cluster.Tests.Books;

/// <summary>Rows and their sum, in nano-dollars.</summary>
internal readonly record struct Tally(long Rows, long Cost);

/// <summary>What Redis holds of one edge in a window: granted less released, posted.</summary>
internal readonly record struct EdgeLease(long Granted, long Posted);

/// <summary>A budget window in Redis.</summary>
internal sealed record RedisWindow(long Limit, long Spent, long Leased, IReadOnlyDictionary<string, EdgeLease> Edges)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"limit {Limit} spent {Spent} leased {Leased} edges [{string.Join(", ", Edges.Select(edge => $"{edge.Key}: granted {edge.Value.Granted} posted {edge.Value.Posted}"))}]");
}

/// <summary>The same requests in all books.</summary>
internal sealed record Accounts(Tally Usage, Tally Journal, RedisWindow? Window)
{
    /// <summary>Nothing is under way: the books agree, and no edge holds more than was posted for it.</summary>
    public bool AtRest => Usage == Journal && (Window is null
        || (Window.Spent == Journal.Cost && Window.Leased == 0 && Window.Edges.Values.All(static edge => edge.Granted == edge.Posted)));
}

/// <summary>
/// The cluster's books, read where they are kept and not through the services: the journal in Ledger's database, the rows in Metering's,
/// the windows in Redis.
/// </summary>
internal sealed class Books : IAsyncDisposable
{
    private readonly NpgsqlDataSource ledger;
    private readonly NpgsqlDataSource metering;
    private readonly IConnectionMultiplexer redis;

    private Books(NpgsqlDataSource ledger, NpgsqlDataSource metering, IConnectionMultiplexer redis)
    {
        this.ledger = ledger;
        this.metering = metering;
        this.redis = redis;
    }

    public static async Task<Books> OpenAsync(GatewayCluster cluster)
    {
        var postgres = await EndpointAsync(cluster, "postgres");
        var password = Secret(cluster, "postgres-password");
        // No pool: a connection that it kept from before a kill of PostgreSQL would fail the first look after it.
        NpgsqlDataSource Database(string name) => NpgsqlDataSource.Create(
            $"Host=localhost;Port={postgres};Username=postgres;Password={password};Database={name};Pooling=false;Timeout=30");
        var settings = ConfigurationOptions.Parse($"localhost:{await EndpointAsync(cluster, "redis")}");
        settings.Password = Secret(cluster, "redis-password");
        settings.AbortOnConnectFail = false;
        settings.AllowAdmin = true;
        return new Books(Database("ledger"), Database("metering"), await ConnectionMultiplexer.ConnectAsync(settings));
    }

    /// <summary>What the journal has on an account (<c>key/…</c>, <c>user/…</c>); everything for null.</summary>
    public Task<Tally> JournalAsync(string? account = null) => TallyAsync(
        ledger,
        "select count(*), coalesce(sum(case when reverses then -amount_nano else amount_nano end), 0)::bigint from journal.booked where kind = 'usage' and ($1::text is null or accounts @> array[$1::text])",
        account);

    /// <summary>What the usage rows of a key come to; of all keys for null.</summary>
    public Task<Tally> UsageAsync(string? keyId = null) => TallyAsync(
        metering,
        "select count(*), coalesce(sum(cost), 0)::bigint from usage_records where $1::text is null or key_no = (select no from names where name = $1)",
        keyId);

    /// <summary>The ids of a key's usage rows; one that stands there twice is there twice.</summary>
    public async Task<IReadOnlyList<Guid>> UsageIdsAsync(string keyId) =>
        await ReadAsync(metering, "select request_id from usage_records where key_no = (select no from names where name = $1)", keyId, static row => row.GetGuid(0));

    /// <summary>The ids of a key's journal entries.</summary>
    public async Task<IReadOnlyList<Guid>> JournalIdsAsync(string keyId) =>
        await ReadAsync(ledger, "select id from journal.booked where kind = 'usage' and accounts @> array[$1::text]", $"key/{keyId}", static row => row.GetGuid(0));

    /// <summary>The budget windows that a request was booked in, once it is in the journal.</summary>
    public async Task<IReadOnlyList<string>> WindowsOfAsync(Guid requestId) => (await Eventually.Is(
        () => ReadAsync(ledger, "select windows from journal.booked where id = $1::uuid", requestId.ToString(), static row => row.GetFieldValue<string[]>(0)),
        static found => found.Count == 1,
        $"request {requestId} is in the journal"))[0];

    /// <summary>What silent edges hold of a window, as Ledger has written it down.</summary>
    public async Task<long> HeldBySilentEdgesAsync(string windowId) => (await ReadAsync(
        ledger, "select coalesce(sum(granted_nano), 0)::bigint from held_by_silent_edges where window_id = $1", windowId, static row => row.GetInt64(0)))[0];

    /// <summary>A key's usage rows by how the requests ended.</summary>
    public async Task<IReadOnlyDictionary<Outcome, Tally>> OutcomesAsync(string keyId) => (await ReadAsync(
        metering,
        "select outcome, count(*), sum(cost)::bigint from usage_records where key_no = (select no from names where name = $1) group by outcome",
        keyId,
        static row => KeyValuePair.Create((Outcome)row.GetInt16(0), new Tally(row.GetInt64(1), row.GetInt64(2))))).ToDictionary();

    /// <summary>A key's completed requests that did not cost <paramref name="cost"/>, as text.</summary>
    public async Task<IReadOnlyList<string>> OddlyChargedAsync(string keyId, long cost) => (await ReadAsync(
        metering,
        "select request_id, cost, input, output, streamed, estimated, outcome, status from usage_records where outcome = 0 and key_no = (select no from names where name = $1)",
        keyId,
        static row => (Cost: row.GetInt64(1), Text: $"{row.GetGuid(0)}: {row.GetInt64(1)} for {row.GetInt64(2)} + {row.GetInt64(3)} tokens{(row.GetBoolean(4) ? ", streamed" : "")}{(row.GetBoolean(5) ? ", estimated" : "")}")))
        .Where(row => row.Cost != cost).Select(static row => row.Text).ToList();

    /// <summary>One request's usage row; null while it is on its way.</summary>
    public async Task<UsageRow?> UsageRowAsync(Guid requestId)
    {
        await using var command = metering.CreateCommand(
            "select cost, input, output, status, outcome, streamed, estimated, failed_attempts::text, m.name, d.name from usage_records r "
            + "join names m on m.no = r.model_no join names d on d.no = r.deployment_no where request_id = $1");
        command.Parameters.AddWithValue(requestId);
        await using var reader = await command.ExecuteReaderAsync();
        return await reader.ReadAsync()
            ? new UsageRow(
                reader.GetInt64(0), reader.GetInt64(1), reader.GetInt64(2), reader.GetInt16(3), (Outcome)reader.GetInt16(4), reader.GetBoolean(5), reader.GetBoolean(6),
                reader.IsDBNull(7) ? null : reader.GetString(7), reader.GetString(8), reader.GetString(9))
            : null;
    }

    /// <summary>Whether a request's row says that its model has no price.</summary>
    public async Task<bool> IsUnpricedAsync(Guid requestId) => (await Eventually.Is(
        () => ReadAsync(metering, "select unpriced from usage_records where request_id = $1::uuid", requestId.ToString(), static row => row.GetBoolean(0)),
        static found => found.Count == 1,
        $"there is a row of request {requestId}"))[0];

    /// <summary>What each window was charged by the journal's entries of usage of an account.</summary>
    public async Task<IReadOnlyDictionary<string, Tally>> WindowsChargedAsync(string account) => (await ReadAsync(
        ledger,
        "select w, count(*), sum(amount_nano)::bigint from journal.booked, unnest(windows) w where kind = 'usage' and accounts @> array[$1::text] group by w",
        account,
        static row => KeyValuePair.Create(row.GetString(0), new Tally(row.GetInt64(1), row.GetInt64(2))))).ToDictionary(StringComparer.Ordinal);

    /// <summary>What a request's row calls the operation.</summary>
    public async Task<string?> CallTypeAsync(Guid requestId)
    {
        await using var command = metering.CreateCommand("select n.name from usage_records r join names n on n.no = r.call_type_no where request_id = $1");
        command.Parameters.AddWithValue(requestId);
        return (string?)await command.ExecuteScalarAsync();
    }

    /// <summary>Waits for a request's usage row.</summary>
    public async Task<UsageRow> RowOfAsync(Guid requestId) =>
        (await Eventually.Is(() => UsageRowAsync(requestId), static row => row is not null, $"there is a row of request {requestId}"))!;

    public async Task<RedisWindow?> WindowAsync(string windowId)
    {
        var fields = (await redis.GetDatabase().HashGetAllAsync($"budget:{{{windowId}}}"))
            .ToDictionary(static field => field.Name.ToString(), static field => field.Value.ToString(), StringComparer.Ordinal);
        if (!fields.ContainsKey("limit"))
        {
            return null;
        }

        long Number(string name) => fields.TryGetValue(name, out var text) ? long.Parse(text, CultureInfo.InvariantCulture) : 0;
        return new RedisWindow(
            Number("limit"), Number("spent"), Number("leased"),
            fields.Keys.Where(static name => name.StartsWith("g:", StringComparison.Ordinal)).Select(static name => name[2..])
                .ToDictionary(static edge => edge, edge => new EdgeLease(Number($"g:{edge}"), Number($"p:{edge}")), StringComparer.Ordinal));
    }

    /// <summary>Until when the limit of a window is a raise, as Redis knows it, in milliseconds; 0 for no raise.</summary>
    public async Task<long> RaiseEndsAsync(string windowId) => (long)await redis.GetDatabase().HashGetAsync($"budget:{{{windowId}}}", "limit_until");

    /// <summary>All books of one key, with the window of a budget that only this key spends from.</summary>
    public async Task<Accounts> AccountsAsync(string keyId, string? windowId = null) =>
        new(await UsageAsync(keyId), await JournalAsync($"key/{keyId}"), windowId is null ? null : await WindowAsync(windowId));

    /// <summary>Waits until so many requests of the key are in all books and nothing is on its way.</summary>
    public Task<Accounts> AtRestAsync(string keyId, long requests, string? windowId = null, TimeSpan? limit = null) =>
        Eventually.Is(
            () => AccountsAsync(keyId, windowId),
            accounts => accounts.Usage.Rows == requests && accounts.AtRest,
            $"all books have {requests} requests and are at rest",
            limit);

    /// <summary>
    /// After a failure: waits until every one of <paramref name="answered"/> is in all books, none twice, and nothing is on its way. There may be
    /// more rows, of requests whose clients did not see the last byte.
    /// </summary>
    public async Task<Accounts> HaveAllAsync(string keyId, IReadOnlyCollection<Guid> answered, string windowId, TimeSpan limit)
    {
        await Eventually.Is(
            async () => answered.Except(await UsageIdsAsync(keyId)).Count(), static missing => missing == 0, "no answered request is without its row", limit);
        var accounts = await Eventually.Is(() => AccountsAsync(keyId, windowId), static accounts => accounts.AtRest, "the books are at rest", limit);
        var rows = await UsageIdsAsync(keyId);
        Assert.Equal(rows.Count, rows.Distinct().Count());
        Assert.Equal(rows.Order(), (await JournalIdsAsync(keyId)).Order());
        Assert.Equal(answered.Count, answered.Distinct().Count());
        return accounts;
    }

    /// <summary>How many transactions have written anything in PostgreSQL since its start, in all databases.</summary>
    public async Task<long> WritingTransactionsAsync() =>
        (await ReadAsync(ledger, "select pg_snapshot_xmax(pg_current_snapshot())::text::bigint where $1::text is null", null, static row => row.GetInt64(0)))[0];

    /// <summary>Counts what reaches a cluster's Redis from now on.</summary>
    public static async Task<RedisCommands> WatchRedisAsync(GatewayCluster cluster) =>
        await RedisCommands.WatchAsync(int.Parse(await EndpointAsync(cluster, "redis"), CultureInfo.InvariantCulture), Secret(cluster, "redis-password"));

    /// <summary>Redis forgets everything, as one does whose disk is lost.</summary>
    public async Task LoseRedisAsync() => await redis.GetDatabase().ExecuteAsync("FLUSHALL");

    public async ValueTask DisposeAsync()
    {
        await ledger.DisposeAsync();
        await metering.DisposeAsync();
        await redis.DisposeAsync();
    }

    private static async Task<Tally> TallyAsync(NpgsqlDataSource database, string sql, string? owner) =>
        (await ReadAsync(database, sql, owner, static row => new Tally(row.GetInt64(0), row.GetInt64(1))))[0];

    private static async Task<List<T>> ReadAsync<T>(NpgsqlDataSource database, string sql, string? owner, Func<NpgsqlDataReader, T> read)
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.Add(new NpgsqlParameter { Value = (object?)owner ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        await using var reader = await command.ExecuteReaderAsync();
        var rows = new List<T>();
        while (await reader.ReadAsync())
        {
            rows.Add(read(reader));
        }

        return rows;
    }

    private static async Task<string> EndpointAsync(GatewayCluster cluster, string server) => (await cluster.ProgramAsync(server)).Endpoints[0].Split(':')[1];

    private static string Secret(GatewayCluster cluster, string name) => File.ReadAllText(Path.Combine(cluster.DataFolder, "secrets", name)).Trim();
}
