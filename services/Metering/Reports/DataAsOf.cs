using Npgsql;

namespace Gateway.Metering.Reports;

/// <summary>
/// How late reports are: the header <c>x-gateway-data-as-of</c> of every report. With an empty queue that is now; with a backlog, or without
/// a broker to ask, it is the start of the newest request that is stored.
/// </summary>
internal sealed class DataAsOf(NpgsqlDataSource database, Backlog backlog, TimeProvider clock) : IDisposable
{
    public const string Header = "x-gateway-data-as-of";

    private static readonly TimeSpan s_keptFor = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim one = new(1, 1);
    private DateTimeOffset? newest;
    private DateTimeOffset readAt = DateTimeOffset.MinValue;

    public async Task<DateTimeOffset?> GetAsync(CancellationToken cancellation)
    {
        if (backlog.EmptyAt is { } emptyAt)
        {
            return emptyAt;
        }

        await one.WaitAsync(cancellation);
        try
        {
            var now = clock.GetUtcNow();
            if (now - readAt >= s_keptFor)
            {
                // A week is enough, and keeps the look-up to a handful of partitions; the other side leaves out clocks that go wrong.
                await using var command = database.CreateCommand(
                    "select started_at from usage_records where started_at > $1 and started_at <= $2 order by started_at desc limit 1");
                command.Parameters.AddWithValue(now.UtcDateTime.AddDays(-7));
                command.Parameters.AddWithValue(now.UtcDateTime);
                newest = await command.ExecuteScalarAsync(cancellation) is DateTime time ? new DateTimeOffset(time, TimeSpan.Zero) : null;
                readAt = now;
            }

            return newest;
        }
        finally
        {
            one.Release();
        }
    }

    public void Dispose() => one.Dispose();
}
