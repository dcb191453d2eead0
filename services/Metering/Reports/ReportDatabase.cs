using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Metering.Reports;

/// <summary>Runs the queries of reports, each with a bound on its time.</summary>
internal sealed class ReportDatabase(NpgsqlDataSource database, IOptions<MeteringOptions> options)
{
    private const decimal NanoDollarsPerDollar = 1_000_000_000m;

    /// <summary>A column of nano-dollars (a sum may be larger than a long) as exact dollars.</summary>
    public static decimal Dollars(NpgsqlDataReader reader, int column) => reader.GetFieldValue<decimal>(column) / NanoDollarsPerDollar;

    /// <summary>A name, or null where it is "nobody" or was not asked for.</summary>
    public static string? NameOrNull(NpgsqlDataReader reader, int column) => !reader.IsDBNull(column) && reader.GetString(column) is { Length: > 0 } name ? name : null;

    public async Task<List<T>> QueryAsync<T>(string sql, Where where, Func<NpgsqlDataReader, T> read, CancellationToken cancellation)
    {
        var rows = new List<T>();
        await using var command = database.CreateCommand(sql);
        where.Bind(command);
        command.CommandTimeout = (int)options.Value.ReportTimeMax.TotalSeconds;
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        while (await reader.ReadAsync(cancellation))
        {
            rows.Add(read(reader));
        }

        return rows;
    }
}
