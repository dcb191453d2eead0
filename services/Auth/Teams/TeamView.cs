using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Auth.Access;
using Gateway.Auth.Keys;

namespace Gateway.Auth.Teams;

/// <summary>A member as the admin API shows it.</summary>
internal sealed record TeamMemberView(
    string TeamId, string UserId, string Role, decimal? MaxBudgetInTeam, string? BudgetDuration, long? RpmLimit, long? TpmLimit)
{
    public static TeamMemberView Of(TeamMember member) => new(
        member.TeamId, member.UserId, member.Role, member.MaxBudget?.ToDollars(), member.BudgetDuration, member.RpmLimit, member.TpmLimit);
}

/// <summary>LiteLLM's short form of a member.</summary>
internal sealed record MemberWithRole(string UserId, string Role);

/// <summary>A team as the admin API shows it.</summary>
internal sealed record TeamView : AllowanceView
{
    public string TeamId { get; init; } = "";

    public string? TeamAlias { get; init; }

    public string? OrganizationId { get; init; }

    public MemberWithRole[] MembersWithRoles { get; init; } = [];

    public static TeamView Of(TeamRecord team, IEnumerable<TeamMember> members, DateTimeOffset now, string timeZone) => new TeamView
    {
        TeamId = team.TeamId,
        TeamAlias = team.TeamAlias,
        OrganizationId = team.OrganizationId,
        MembersWithRoles = [.. members.Where(member => member.TeamId == team.TeamId).Select(member => new MemberWithRole(member.UserId, member.Role))],
        Blocked = team.Blocked,
    }.Fill(team.Allowance, team.Stamp, team.Metadata, now, timeZone);

    public static string Image(TeamRecord team) =>
        JsonSerializer.Serialize(Of(team, [], team.Stamp.UpdatedAt, "UTC") with { BudgetResetAt = null }, AuthJson.Default.TeamView);
}

/// <summary>Answer of <c>POST /team/update</c>.</summary>
internal sealed record TeamUpdated(string TeamId, TeamView Data);

/// <summary>Answer of <c>GET /team/info</c>.</summary>
internal sealed record TeamInfo(string TeamId, [property: JsonPropertyName("team_info")] TeamView Info, KeyView[] Keys, TeamMemberView[] TeamMemberships);

/// <summary>Answer of <c>POST /team/delete</c>.</summary>
internal sealed record DeletedTeams([property: JsonPropertyName("deleted_teams")] string[] Teams, [property: JsonPropertyName("deleted_keys")] string[] Keys);
