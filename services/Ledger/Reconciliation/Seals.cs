using Npgsql;

namespace Gateway.Ledger.Reconciliation;

/// <summary>
/// What the entries before an instant come to, in each window and for each account and day. Added up once, and not read again by the next
/// comparison: that costs then what was booked since, and not what there ever was. A record that came late, for a time that is sealed, is
/// noticed by the count of entries that stands beside each total. So nothing is taken for granted but that nobody changes an entry, which the
/// journal refuses, or the seals: for that there is the full comparison.
/// </summary>
internal static class Seals
{
    /// <summary>How old an entry is when it is sealed: few are booked later, and each of these has what it is late for added up anew.</summary>
    private static readonly TimeSpan After = TimeSpan.FromHours(1);

    /// <summary>
    /// Seals what is not sealed, month by month, each in a transaction of its own: the first comparison has the whole journal to read, and one
    /// that is cut short must not begin anew. Months that were taken out before are noticed as late records are.
    /// </summary>
    /// <param name="database">Ledger's.</param>
    /// <param name="from">Days before it are not compared any more.</param>
    /// <param name="now">The time.</param>
    /// <param name="cancellation">Ends it between months, and within one.</param>
    public static async Task CatchUpAsync(NpgsqlDataSource database, DateTimeOffset from, DateTimeOffset now, CancellationToken cancellation)
    {
        var (before, end) = (DateTime.MinValue, (now - After > from ? now - After : from).UtcDateTime);
        while (before < end)
        {
            await using var connection = await database.OpenConnectionAsync(cancellation);
            await using var month = await connection.BeginTransactionAsync(cancellation);
            before = await BeforeAsync(connection, cancellation) ?? await FirstAsync(connection, cancellation) ?? end;
            if (before < end)
            {
                var next = new DateTime(before.Year, before.Month, 1, 0, 0, 0, DateTimeKind.Utc).AddMonths(1);
                next = next < end ? next : end;
                await WindowComparison.SealAsync(connection, before, next, cancellation);
                await DayComparison.SealAsync(connection, from.UtcDateTime, before, next, cancellation);
                before = next;
            }

            await LongStatement.RunAsync(connection, "update windows_sealed set before = $1 where before < $1", cancellation, before);
            await month.CommitAsync(cancellation);
        }
    }

    /// <summary>Up to when is sealed; null when nothing is. Two that compare at once take turns at this row.</summary>
    public static async Task<DateTime?> BeforeAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var read = LongStatement.Of(connection, "select nullif(before, '-infinity') from windows_sealed for update");
        return await read.ExecuteScalarAsync(cancellation) as DateTime?;
    }

    /// <summary>Seals anew, all windows up to <paramref name="before"/> and no day: for a full comparison.</summary>
    public static async Task SealAnewAsync(NpgsqlConnection connection, DateTime before, CancellationToken cancellation)
    {
        await BeforeAsync(connection, cancellation);
        await WindowComparison.SealAllAsync(connection, before, cancellation);
        await DayComparison.UnsealAsync(connection, cancellation);
        await LongStatement.RunAsync(connection, "update windows_sealed set before = $1", cancellation, before);
    }

    /// <summary>When the journal begins; null when it has no entry.</summary>
    public static async Task<DateTime?> FirstAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var first = new NpgsqlCommand("select min(at) from journal.entries", connection);
        return await first.ExecuteScalarAsync(cancellation) as DateTime?;
    }
}
