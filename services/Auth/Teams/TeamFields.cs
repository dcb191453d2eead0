using Gateway.Auth.Requests;

namespace Gateway.Auth.Teams;

/// <summary>Reads <c>/team/*</c>'s fields over what holds already.</summary>
internal static class TeamFields
{
    public static TeamRecord Apply(RequestBody body, TeamRecord before) => before with
    {
        TeamAlias = body.Text("team_alias", before.TeamAlias),
        OrganizationId = body.Id("organization_id", before.OrganizationId),
        Allowance = AllowanceFields.Apply(body, before.Allowance),
        Metadata = body.Object("metadata", before.Metadata),
        Blocked = body.Flag("blocked", before.Blocked),
    };

    /// <summary>A member's fields; <c>max_budget_in_team</c> is LiteLLM's name of its budget.</summary>
    public static TeamMember Apply(RequestBody body, TeamMember before)
    {
        var role = body.Text("role", before.Role) ?? "user";
        if (role is not ("admin" or "user"))
        {
            body.Problem("role", "must be admin or user.");
        }

        return before with
        {
            Role = role,
            MaxBudget = body.Dollars("max_budget_in_team", before.MaxBudget),
            BudgetDuration = body.Period("budget_duration", before.BudgetDuration),
            RpmLimit = body.Count("rpm_limit", before.RpmLimit),
            TpmLimit = body.Count("tpm_limit", before.TpmLimit),
        };
    }
}
