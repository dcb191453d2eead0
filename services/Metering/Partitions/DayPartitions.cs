using System.Collections.Concurrent;
using System.Globalization;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Metering.Partitions;

/// <summary>
/// The days of <c>usage_records</c>. A day is made ahead by <see cref="RetentionJob"/>, or here when a record needs it first. Where it cannot
/// be made at once, its records stand in the partition for everything else, and move when the day is made: no insert waits or fails.
/// </summary>
internal sealed class DayPartitions(NpgsqlDataSource database, IOptions<MeteringOptions> options, TimeProvider clock, ILogger<DayPartitions> logger)
{
    /// <summary>Days made ahead. A record further in the future than this comes from a wrong clock and gets no day of its own.</summary>
    public const int DaysAhead = 7;

    private const string Prefix = "usage_records_";
    private const long PartitionLock = 0x7573_6167_6564_6179;

    // Making or dropping a day needs a moment in which nobody reads. A long export may hold that up: then we go on without, and try again.
    private static readonly TimeSpan s_tryAgainAfter = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<DateOnly, DateTimeOffset> seen = new();

    /// <summary>The first day that is kept.</summary>
    public DateOnly FirstKept => Today.AddDays(-options.Value.RetentionDays);

    /// <summary>The last day that is made ahead.</summary>
    public DateOnly LastAhead => Today.AddDays(DaysAhead);

    private DateOnly Today => DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);

    /// <summary>Makes the days that are missing, as far as they can be made now.</summary>
    public async Task EnsureAsync(IEnumerable<DateOnly> days, CancellationToken cancellation)
    {
        foreach (var day in days.Where(day => day >= FirstKept && day <= LastAhead).Order())
        {
            if (seen.TryGetValue(day, out var until) && clock.GetUtcNow() < until)
            {
                continue;
            }

            seen[day] = await MakeAsync(day, cancellation) ? DateTimeOffset.MaxValue : clock.GetUtcNow() + s_tryAgainAfter;
        }
    }

    /// <summary>Makes the days of records that stand with everything else, so that they move there (and go, when the day is too old).</summary>
    public async Task SortOutAsync(CancellationToken cancellation)
    {
        var days = new List<DateOnly>();
        await using (var command = database.CreateCommand(
            "select distinct (started_at at time zone 'UTC')::date from usage_records_other where started_at < $1 order by 1 limit 100"))
        {
            command.Parameters.AddWithValue(StartOf(LastAhead.AddDays(1)));
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
            {
                days.Add(reader.GetFieldValue<DateOnly>(0));
            }
        }

        foreach (var day in days)
        {
            await MakeAsync(day, cancellation);
        }
    }

    /// <summary>Drops the days before <see cref="FirstKept"/>, each as a whole: no row is deleted, no memory is used, the disk is free at once.</summary>
    public async Task<int> DropOldAsync(CancellationToken cancellation)
    {
        var dropped = 0;
        foreach (var day in (await ListAsync(cancellation)).Where(day => day < FirstKept))
        {
            if (await ChangeAsync(day, $"drop table if exists {NameOf(day)}", cancellation))
            {
                seen.TryRemove(day, out _);
                dropped++;
            }
        }

        return dropped;
    }

    /// <summary>The days that are there, in order.</summary>
    public async Task<IReadOnlyList<DateOnly>> ListAsync(CancellationToken cancellation)
    {
        var days = new List<DateOnly>();
        await using var command = database.CreateCommand("""
            select c.relname from pg_inherits i join pg_class c on c.oid = i.inhrelid
            where i.inhparent = 'usage_records'::regclass and c.relname ~ '^usage_records_[0-9]{8}$' order by 1
            """);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            days.Add(DateOnly.ParseExact(reader.GetString(0)[Prefix.Length..], "yyyyMMdd", CultureInfo.InvariantCulture));
        }

        return days;
    }

    private static DateTime StartOf(DateOnly day) => day.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc);

    private static string NameOf(DateOnly day) => Prefix + day.ToString("yyyyMMdd", CultureInfo.InvariantCulture);

    private static string Literal(DateOnly day) => day.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) + " 00:00:00+00";

    private async Task<bool> MakeAsync(DateOnly day, CancellationToken cancellation)
    {
        var name = NameOf(day);
        await using (var exists = database.CreateCommand("select to_regclass($1) is not null"))
        {
            exists.Parameters.AddWithValue(name);
            if ((bool)(await exists.ExecuteScalarAsync(cancellation))!)
            {
                return true;
            }
        }

        // Made apart and then attached: that leaves the readers and writers of the other days alone. The partition for everything else is
        // locked first, so that no record of this day slips into it between the move and the attachment.
        var (from, to) = (Literal(day), Literal(day.AddDays(1)));
        return await ChangeAsync(day, $"""
            lock table only usage_records in share update exclusive mode;
            lock table usage_records_other in access exclusive mode;
            create table {name} (like usage_records including all);
            with moved as (delete from usage_records_other where started_at >= '{from}' and started_at < '{to}' returning *)
                insert into {name} select * from moved;
            alter table usage_records attach partition {name} for values from ('{from}') to ('{to}');
            """, cancellation);
    }

    private async Task<bool> ChangeAsync(DateOnly day, string change, CancellationToken cancellation)
    {
        try
        {
            await using var connection = await database.OpenConnectionAsync(cancellation);
            await using var transaction = await connection.BeginTransactionAsync(cancellation);
            // One process at a time: two that make the same day would both find it missing.
            await using var command = new NpgsqlCommand(
                $"set local lock_timeout = '2s'; select pg_advisory_xact_lock({PartitionLock}); {change}", connection, transaction);
            await command.ExecuteNonQueryAsync(cancellation);
            await transaction.CommitAsync(cancellation);
            return true;
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.DuplicateTable)
        {
            // Another process made it while this one waited.
            return true;
        }
        catch (PostgresException error) when (error.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            logger.PartitionWaits(day, error.SqlState);
            return false;
        }
    }
}
