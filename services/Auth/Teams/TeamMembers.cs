using System.Text.Json;
using Gateway.Auth.Access;
using Gateway.Contracts;
using Npgsql;

namespace Gateway.Auth.Teams;

/// <summary>Reads and writes the table of members.</summary>
internal static class TeamMembers
{
    public static async Task<List<TeamMember>> OfAsync(NpgsqlConnection connection, string[] teamIds, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select * from team_members where team_id = any($1) order by team_id, user_id", connection)
        {
            Parameters = { new() { Value = teamIds } },
        };
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        var members = new List<TeamMember>();
        while (await rows.ReadAsync(cancellation))
        {
            members.Add(new TeamMember
            {
                TeamId = rows.Text("team_id")!,
                UserId = rows.Text("user_id")!,
                Role = rows.Text("role")!,
                MaxBudget = rows.Amount("max_budget"),
                BudgetDuration = rows.Text("budget_duration"),
                RpmLimit = rows.Number("rpm_limit"),
                TpmLimit = rows.Number("tpm_limit"),
                Revision = rows.Number("revision")!.Value,
            });
        }

        return members;
    }

    public static async Task SaveAsync(AccessTransaction transaction, TeamMember member, TeamMember? before, CancellationToken cancellation)
    {
        // The member's keys of every team are forgotten: fewer than all keys of the team.
        await new RowWriter("team_members", "team_id", "user_id")
            .Text("team_id", member.TeamId)
            .Text("user_id", member.UserId)
            .Text("role", member.Role)
            .Amount("max_budget", member.MaxBudget)
            .Text("budget_duration", member.BudgetDuration)
            .Number("rpm_limit", member.RpmLimit)
            .Number("tpm_limit", member.TpmLimit)
            .Number("revision", transaction.Change(AccessChangeKind.User, member.UserId))
            .SaveAsync(transaction, cancellation);
        transaction.Audit(before is null ? "member_added" : "member_updated", "team", member.TeamId, Image(before), Image(member));
    }

    public static async Task DeleteAsync(AccessTransaction transaction, TeamMember member, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("delete from team_members where team_id = $1 and user_id = $2", transaction.Connection)
        {
            Parameters = { new() { Value = member.TeamId }, new() { Value = member.UserId } },
        };
        await command.ExecuteNonQueryAsync(cancellation);
        transaction.Change(AccessChangeKind.User, member.UserId);
        transaction.Audit("member_deleted", "team", member.TeamId, Image(member), null);
    }

    private static string? Image(TeamMember? member) =>
        member is null ? null : JsonSerializer.Serialize(TeamMemberView.Of(member), AuthJson.Default.TeamMemberView);
}
