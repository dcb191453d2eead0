using Gateway.Ledger.Duties;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Ledger.Batches;

/// <summary>
/// Forgets batches that were settled <see cref="LedgerOptions.BatchesKeptFor"/> ago, and files that their provider has deleted by its own word.
/// Never a batch that is not settled, nor its input. What they cost stays in the journal.
/// </summary>
internal sealed class BatchRetention(NpgsqlDataSource database, Duty duty, IOptions<LedgerOptions> options, TimeProvider clock, ILogger<BatchRetention> logger) : HourlyDuty(clock, logger)
{
    private const string Settled = """
        with gone as (
            delete from batches where id in (select id from batches where state = 'Settled' and changed_at < $1 order by changed_at limit $2 for update skip locked)
            returning 1)
        """;

    private const string Expired = """
        with gone as (
            delete from files where id in (
                select id from files f where expires_at < $1 and not exists (select from batches b where b.input_file_id = f.id and b.state <> 'Settled')
                order by expires_at limit $2 for update skip locked)
            returning 1)
        """;

    /// <summary>One run: how many of each were forgotten.</summary>
    public async Task<(int Batches, int Files)> RunAsync(CancellationToken cancellation)
    {
        if (!duty.IsMine)
        {
            return default;
        }

        var now = Clock.GetUtcNow();
        var batches = await ForgottenPieces.DeleteAsync(database, Settled, now - options.Value.BatchesKeptFor, cancellation);
        var files = await ForgottenPieces.DeleteAsync(database, Expired, now, cancellation);
        if (batches + files > 0)
        {
            Logger.BatchesForgotten(batches, files);
        }

        return (batches, files);
    }

    protected override Task LookAsync(CancellationToken cancellation) => RunAsync(cancellation);
}
