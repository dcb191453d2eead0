using System.Collections.Concurrent;
using Npgsql;

namespace Gateway.Ledger.Journal;

/// <summary>Makes the journal's months: this one and the next ahead of time, an older one when a late record needs it.</summary>
internal sealed class Partitions(NpgsqlDataSource database, TimeProvider clock)
{
    private readonly ConcurrentDictionary<DateOnly, bool> made = new();

    /// <summary>Makes this month and the next.</summary>
    public async Task PrepareAsync(CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        await EnsureAsync([now, now.AddDays(31 - Math.Min(31, now.Day) + 15)], cancellation);
    }

    /// <summary>Makes the months of <paramref name="instants"/> that are not there.</summary>
    public async Task EnsureAsync(IEnumerable<DateTimeOffset> instants, CancellationToken cancellation)
    {
        foreach (var month in instants.Select(MonthOf).Distinct().Order())
        {
            if (made.ContainsKey(month))
            {
                continue;
            }

            await using var command = database.CreateCommand("select journal.add_month($1)");
            command.Parameters.AddWithValue(month);
            await command.ExecuteNonQueryAsync(cancellation);
            made[month] = true;
        }
    }

    private static DateOnly MonthOf(DateTimeOffset instant) => new(instant.UtcDateTime.Year, instant.UtcDateTime.Month, 1);
}
