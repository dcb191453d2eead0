using Gateway.Ledger.Edges;
using Gateway.ServiceDefaults;
using Npgsql;

namespace Gateway.Ledger.Duties;

/// <summary>
/// Where several Ledger processes run, one of them can read that an edge is closed while another still has its last records in hand. Each
/// hears of it, and says when every message is booked that it had by then: what the edge held waits for all of them
/// (<see cref="Leases.LeasePassTables.ReadAsync"/>), and for <see cref="LedgerOptions.ClosedEdgeGrace"/> where one does not say so.
/// </summary>
internal sealed class EmptyHands(
    NpgsqlDataSource database, LedgerProcesses processes, MessagesUnderWay messages, IHostApplicationLifetime host, TimeProvider clock, ILogger<EmptyHands> logger)
    : BackgroundJob(clock, logger)
{
    /// <summary>The channel on which the database says that the queue was read up to an edge's end.</summary>
    public const string EdgesChannel = "edges_closed";

    // The queue gave a message to this process before it gave the edge's end to another one: a second later it is not on its way any more.
    private static readonly TimeSpan OnTheWay = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim asked = new(0, 1);

    /// <summary>An edge has closed.</summary>
    public void Ask()
    {
        try
        {
            asked.Release();
        }
        catch (SemaphoreFullException)
        {
            // The look that has not begun yet is for both.
        }
    }

    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        await asked.WaitAsync(stoppingToken);
        try
        {
            await using var now = database.CreateCommand("select now()");
            var time = (DateTime)(await now.ExecuteScalarAsync(stoppingToken))!;
            await Task.Delay(OnTheWay, Clock, stoppingToken);
            await messages.AllDoneAsync(stoppingToken);
            if (host.ApplicationStopping.IsCancellationRequested)
            {
                // What a process that stops breaks off is not booked: it goes back into the queue.
                return;
            }

            await using var say = database.CreateCommand("update ledger_processes set emptied_at = $2 where process_id = $1");
            say.Parameters.AddWithValue(processes.Own);
            say.Parameters.AddWithValue(time);
            await say.ExecuteNonQueryAsync(stoppingToken);
        }
        catch
        {
            Ask();
            throw;
        }
    }

    public override void Dispose()
    {
        asked.Dispose();
        base.Dispose();
    }
}
