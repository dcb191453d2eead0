using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;
using StackExchange.Redis;

namespace Gateway.Ledger.Leases;

/// <summary>
/// A Ledger that stops takes the windows that no living edge uses out of Redis and writes down who still holds what. The next one opens
/// such a window at once: nobody is left who could know more. Without this, a cluster that was stopped and started would wait a time to
/// live for edges that are gone, as it has to after a loss of Redis.
/// </summary>
internal sealed class WindowParking(NpgsqlDataSource database, LeaseStore store, IOptions<LedgerOptions> options, ILogger<WindowParking> logger) : IHostedService
{
    // Windows in one transaction: bounds how long rows stay locked.
    private const int RoundSize = 256;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public async Task StopAsync(CancellationToken cancellationToken)
    {
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            await ParkAsync(patience.Token);
        }
        catch (Exception error) when (error is NpgsqlException or RedisException or TimeoutException or OperationCanceledException or System.Net.Sockets.SocketException)
        {
            // What is not parked waits at the next start, and nothing else.
            logger.ParkingFailed(error.GetType().Name);
        }
    }

    private async Task ParkAsync(CancellationToken cancellation)
    {
        var closed = await ColumnAsync("select edge_id from closed_edges where reclaimed_at is null", cancellation);
        var windows = await ColumnAsync(
            "select window_id from windows where installed_at is not null and parked_at is null and coalesce(ends_at, 'infinity') > now() order by window_id", cancellation);
        foreach (var round in windows.Chunk(RoundSize))
        {
            await ParkAsync(round, closed, cancellation);
        }
    }

    private async Task ParkAsync(string[] windows, List<string> closed, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        // Locked as the installer locks them: no window comes back while it is parked.
        await using (var take = new NpgsqlCommand("select from windows where window_id = any($1) order by window_id for update", connection))
        {
            take.Parameters.Add(new() { Value = windows });
            await take.ExecuteNonQueryAsync(cancellation);
        }

        var parked = (await Task.WhenAll(windows.Select(async window => (Window: window, Held: await store.ParkAsync(window, options.Value.LeaseTimeToLive, closed)))))
            .Where(pair => pair.Held is not null)
            .ToArray();
        var held = parked.SelectMany(pair => pair.Held!.Select(holding => (pair.Window, holding.EdgeId, holding.Granted))).ToArray();
        await using var write = new NpgsqlBatch(connection)
        {
            BatchCommands =
            {
                new("update windows set parked_at = now() where window_id = any($1)") { Parameters = { new() { Value = parked.Select(pair => pair.Window).ToArray() } } },
                new("""
                    insert into held_by_silent_edges (window_id, edge_id, granted_nano) select * from unnest($1, $2, $3)
                    on conflict (window_id, edge_id) do update set granted_nano = excluded.granted_nano
                    """)
                {
                    Parameters =
                    {
                        new() { Value = held.Select(item => item.Window).ToArray() },
                        new() { Value = held.Select(item => item.EdgeId).ToArray() },
                        new() { Value = held.Select(item => item.Granted).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bigint },
                    },
                },
            },
        };
        await write.ExecuteNonQueryAsync(cancellation);
        await transaction.CommitAsync(cancellation);
    }

    private async Task<List<string>> ColumnAsync(string sql, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(sql);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var values = new List<string>();
        while (await reader.ReadAsync(cancellation))
        {
            values.Add(reader.GetString(0));
        }

        return values;
    }
}
