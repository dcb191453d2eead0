using Gateway.ServiceDefaults;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Ledger.Duties;

/// <summary>
/// Which Ledger processes may have messages in their hands. Each says so before it takes the first one, again and again while it lives, and
/// takes its name back when it has stopped and has none any more. One that was killed, or that hangs, stays here for
/// <see cref="GoneAfter"/>; for those of an older version, which have no name, there is one for an hour (Schema/0014). So a process that finds no other name knows that nobody else is about to book something;
/// of the others each says when its hands are empty (<see cref="EmptyHands"/>).
/// </summary>
internal sealed class LedgerProcesses(NpgsqlDataSource database, IOptions<LedgerOptions> options, TimeProvider clock, ILogger<LedgerProcesses> logger)
    : BackgroundJob(clock, logger), IHostedLifecycleService
{
    // Since when this process has said that it lives without missing more than a turn or two, and when it did so last.
    private long since;
    private long last;

    /// <summary>This process' name.</summary>
    public string Own { get; } = Guid.NewGuid().ToString("N");

    // The database ends the session of a duty that hangs for as long.
    private TimeSpan GoneAfter => options.Value.DutyEvery * 6;

    /// <summary>Before any message is taken.</summary>
    public async Task StartingAsync(CancellationToken cancellationToken)
    {
        since = last = Clock.GetTimestamp();
        await SayAsync(cancellationToken, atStart: true);
    }

    public Task StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StoppingAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    /// <summary>After the last one is out of its hands.</summary>
    public async Task StoppedAsync(CancellationToken cancellationToken)
    {
        try
        {
            await using var command = database.CreateCommand("delete from ledger_processes where process_id = $1");
            command.Parameters.AddWithValue(Own);
            await command.ExecuteNonQueryAsync(cancellationToken);
        }
        catch (Exception error) when (error is NpgsqlException or OperationCanceledException)
        {
            // The others wait a little longer: as they should where this one had no time to let go of its messages.
        }
    }

    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        await Task.Delay(options.Value.DutyEvery, Clock, stoppingToken);
        await SayAsync(stoppingToken);
    }

    private async Task SayAsync(CancellationToken cancellation, bool atStart = false)
    {
        // After an outage of the database all are silent, and all must have had the time to speak before one of them is taken for gone.
        if (Clock.GetElapsedTime(last) > GoneAfter / 2)
        {
            since = Clock.GetTimestamp();
        }

        await using var command = database.CreateCommand("""
            with own as (
                insert into ledger_processes (process_id, emptied_at) values ($1, case when $4 then now() else '-infinity' end)
                on conflict (process_id) do update set seen_at = now())
            delete from ledger_processes where $2 and process_id <> $1 and seen_at < now() - $3
            """);
        command.Parameters.AddWithValue(Own);
        command.Parameters.AddWithValue(Clock.GetElapsedTime(since) >= GoneAfter);
        command.Parameters.AddWithValue(GoneAfter);
        command.Parameters.AddWithValue(atStart);
        await command.ExecuteNonQueryAsync(cancellation);
        last = Clock.GetTimestamp();
    }
}
