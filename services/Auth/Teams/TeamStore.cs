using Gateway.Auth.Access;
using Gateway.Contracts;
using Npgsql;

namespace Gateway.Auth.Teams;

/// <summary>Reads and writes the table of teams.</summary>
internal static class TeamStore
{
    public static async Task<TeamRecord?> FindAsync(NpgsqlConnection connection, string teamId, CancellationToken cancellation) =>
        (await SelectAsync(connection, "team_id = any($1)", new string[] { teamId }, cancellation)).FirstOrDefault();

    public static Task<List<TeamRecord>> FindAsync(NpgsqlConnection connection, string[] teamIds, CancellationToken cancellation) =>
        SelectAsync(connection, "team_id = any($1)", teamIds, cancellation);

    public static Task<List<TeamRecord>> OfUserAsync(NpgsqlConnection connection, string userId, CancellationToken cancellation) =>
        SelectAsync(connection, "team_id in (select team_id from team_members where user_id = $1)", userId, cancellation);

    public static async Task<List<TeamRecord>> ListAsync(NpgsqlConnection connection, string? organizationId, string? userId, int page, int size, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            """
            select * from teams
            where ($1::text is null or organization_id = $1) and ($2::text is null or team_id in (select team_id from team_members where user_id = $2))
            order by created_at desc, team_id limit $3 offset $4
            """,
            connection)
        {
            Parameters =
            {
                new() { Value = organizationId ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
                new() { Value = userId ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text },
                new() { Value = (long)size },
                new() { Value = (page - 1L) * size },
            },
        };
        return await ReadAsync(command, cancellation);
    }

    public static async Task<TeamRecord> CreateAsync(AccessTransaction transaction, TeamRecord team, CancellationToken cancellation)
    {
        team = team with { Stamp = Stamp.New(transaction, transaction.Change(AccessChangeKind.Team, team.TeamId)) };
        await SaveAsync(transaction, team, cancellation);
        transaction.Audit("created", "team", team.TeamId, null, TeamView.Image(team));
        return team;
    }

    public static async Task<TeamRecord> UpdateAsync(AccessTransaction transaction, string action, TeamRecord before, TeamRecord after, CancellationToken cancellation)
    {
        after = after with { Stamp = before.Stamp.Changed(transaction, transaction.Change(AccessChangeKind.Team, after.TeamId)) };
        await SaveAsync(transaction, after, cancellation);
        transaction.Audit(action, "team", after.TeamId, TeamView.Image(before), TeamView.Image(after));
        return after;
    }

    public static async Task DeleteAsync(AccessTransaction transaction, TeamRecord team, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(transaction.Connection);
        foreach (var sql in (string[])["delete from team_members where team_id = $1", "delete from teams where team_id = $1"])
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql) { Parameters = { new() { Value = team.TeamId } } });
        }

        await batch.ExecuteNonQueryAsync(cancellation);
        transaction.Change(AccessChangeKind.Team, team.TeamId);
        transaction.Audit("deleted", "team", team.TeamId, TeamView.Image(team), null);
    }

    private static Task SaveAsync(AccessTransaction transaction, TeamRecord team, CancellationToken cancellation) =>
        new RowWriter("teams", "team_id")
            .Text("team_id", team.TeamId)
            .Text("team_alias", team.TeamAlias)
            .Text("organization_id", team.OrganizationId)
            .Allowance(team.Allowance)
            .Json("metadata", team.Metadata)
            .Flag("blocked", team.Blocked)
            .Stamp(team.Stamp)
            .SaveAsync(transaction, cancellation);

    private static async Task<List<TeamRecord>> SelectAsync(NpgsqlConnection connection, string where, object value, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand($"select * from teams where {where} order by created_at desc, team_id", connection) { Parameters = { new() { Value = value } } };
        return await ReadAsync(command, cancellation);
    }

    private static async Task<List<TeamRecord>> ReadAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        var teams = new List<TeamRecord>();
        while (await rows.ReadAsync(cancellation))
        {
            teams.Add(new TeamRecord
            {
                TeamId = rows.Text("team_id")!,
                TeamAlias = rows.Text("team_alias"),
                OrganizationId = rows.Text("organization_id"),
                Allowance = rows.Allowance(),
                Metadata = rows.Text("metadata")!,
                Blocked = rows.Flag("blocked"),
                Stamp = rows.Stamp(),
            });
        }

        return teams;
    }
}
