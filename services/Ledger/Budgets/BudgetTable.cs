using System.Text.Json;
using Gateway.Contracts;
using Npgsql;

namespace Gateway.Ledger.Budgets;

/// <summary>A definition with what only administrators see.</summary>
internal sealed record BudgetRow(
    BudgetDefinition Definition, AppliesTo? AppliesTo, bool FromAuth, JsonElement Settings, DateTimeOffset CreatedAt, string? CreatedBy, DateTimeOffset UpdatedAt, string? UpdatedBy);

/// <summary>The definitions in force.</summary>
internal sealed class BudgetTable(NpgsqlDataSource database)
{
    private const string Columns =
        "select budget_id, period, limit_nano, time_zone, soft_limit_nano, revision, source, settings, created_at, created_by, updated_at, updated_by, applies_to, increase_nano, increase_until from budgets";

    /// <summary>Budgets that may be made here: every edge has all of them in memory.</summary>
    public const int AdministratorsMax = 10_000;

    /// <summary>How many were made here.</summary>
    public async Task<long> CountAsync(CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("select count(*) from budgets where source = 'admin'");
        return (long)(await command.ExecuteScalarAsync(cancellation))!;
    }

    /// <summary>The budgets that were made here, for edges to apply.</summary>
    public async Task<BudgetDefinition[]> AdministratorsAsync(CancellationToken cancellation) =>
        [.. (await ReadAsync($"{Columns} where source = 'admin' order by budget_id, period", [], cancellation)).Select(row => row.Definition)];

    public Task<List<BudgetRow>> OfAsync(IEnumerable<string> budgetIds, CancellationToken cancellation) =>
        ReadAsync($"{Columns} where budget_id = any($1) order by budget_id, period", [new() { Value = budgetIds.ToArray() }], cancellation);

    public Task<List<BudgetRow>> ListAsync(int limit, int offset, CancellationToken cancellation) =>
        ReadAsync($"{Columns} order by budget_id, period limit $1 offset $2", [new() { Value = limit }, new() { Value = offset }], cancellation);

    /// <summary>Makes or changes a budget of the administrators'; false when it is Auth's, or (for a new one) there already.</summary>
    /// <param name="definition">What it is to be.</param>
    /// <param name="appliesTo">Whose requests it counts.</param>
    /// <param name="settings">What is kept and shown.</param>
    /// <param name="author">Who changes it.</param>
    /// <param name="isNew">Whether it must not be there yet.</param>
    /// <param name="replaces">The period that it had until now; null when it keeps it.</param>
    /// <param name="cancellation">Ends the write.</param>
    public async Task<bool> SaveAsync(
        BudgetDefinition definition, AppliesTo? appliesTo, string settings, string author, bool isNew, string? replaces, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("""
            with saved as (
                insert into budgets as b (
                    budget_id, period, limit_nano, time_zone, soft_limit_nano, revision, source, settings, created_by, updated_by, applies_to, increase_nano, increase_until)
                values ($1, $2, $3, $4, $5, (extract(epoch from clock_timestamp()) * 1000)::bigint, 'admin', $6::jsonb, $7, $7, $9::jsonb, $11, $12)
                on conflict (budget_id, period) do update
                set limit_nano = excluded.limit_nano, time_zone = excluded.time_zone, soft_limit_nano = excluded.soft_limit_nano, settings = excluded.settings,
                    applies_to = excluded.applies_to, increase_nano = excluded.increase_nano, increase_until = excluded.increase_until, revision = greatest(b.revision + 1, excluded.revision), source = 'admin', updated_at = now(), updated_by = excluded.updated_by
                where (b.source = 'admin' and not $8) or (b.source = 'auth' and split_part(b.budget_id, '/', 1) = any($10))
                returning 1),
            former as (delete from budgets where budget_id = $1 and period = $13 and source = 'admin' and exists (select from saved))
            select count(*) from saved
            """);
        command.Parameters.AddWithValue(definition.Id);
        command.Parameters.AddWithValue(definition.Period ?? "");
        command.Parameters.AddWithValue(definition.Limit.NanoDollars);
        command.Parameters.AddWithValue(definition.TimeZone);
        command.Parameters.Add(new() { Value = (object?)definition.SoftLimit?.NanoDollars ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint });
        command.Parameters.AddWithValue(settings);
        command.Parameters.AddWithValue(author);
        command.Parameters.AddWithValue(isNew);
        command.Parameters.Add(new() { Value = appliesTo is null ? DBNull.Value : JsonSerializer.Serialize(appliesTo), NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        // A row of these that an edge sent along is one of the administrators' all the same: of one end user under end_user/*, or one that an
        // edge went on with for the seconds after it was deleted. The revision starts with the clock, so that what is made anew under an old
        // name is newer than what edges and Redis know of the old one.
        command.Parameters.AddWithValue(new[] { BudgetId.SharedScope, BudgetId.TagScope, BudgetId.ModelScope, BudgetId.EndUserScope });
        command.Parameters.Add(new() { Value = (object?)definition.Increase?.NanoDollars ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Bigint });
        command.Parameters.Add(new() { Value = (object?)definition.IncreaseUntil?.UtcDateTime ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz });
        command.Parameters.Add(new() { Value = (object?)replaces ?? DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        return (long)(await command.ExecuteScalarAsync(cancellation))! == 1;
    }

    /// <summary>How many were removed; Auth's stay.</summary>
    public async Task<int> DeleteAsync(string budgetId, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("delete from budgets where budget_id = $1 and source = 'admin'");
        command.Parameters.AddWithValue(budgetId);
        return await command.ExecuteNonQueryAsync(cancellation);
    }

    private async Task<List<BudgetRow>> ReadAsync(string text, NpgsqlParameter[] parameters, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(text);
        command.Parameters.AddRange(parameters);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var rows = new List<BudgetRow>();
        while (await reader.ReadAsync(cancellation))
        {
            var definition = new BudgetDefinition
            {
                Id = reader.GetString(0),
                Period = reader.GetString(1) is { Length: > 0 } period ? period : null,
                Limit = new(reader.GetInt64(2)),
                TimeZone = reader.GetString(3),
                SoftLimit = reader.IsDBNull(4) ? null : new Money(reader.GetInt64(4)),
                Revision = reader.GetInt64(5),
                Increase = reader.IsDBNull(13) ? null : new Money(reader.GetInt64(13)),
                IncreaseUntil = reader.IsDBNull(14) ? null : new DateTimeOffset(reader.GetDateTime(14)),
            };
            var appliesTo = reader.IsDBNull(12) ? null : JsonSerializer.Deserialize<AppliesTo>(reader.GetString(12));
            rows.Add(new(
                definition with { Share = appliesTo?.ToShare() }, appliesTo, reader.GetString(6) == "auth", JsonSerializer.Deserialize<JsonElement>(reader.GetString(7)),
                new(reader.GetDateTime(8)), reader.IsDBNull(9) ? null : reader.GetString(9),
                new(reader.GetDateTime(10)), reader.IsDBNull(11) ? null : reader.GetString(11)));
        }

        return rows;
    }
}
