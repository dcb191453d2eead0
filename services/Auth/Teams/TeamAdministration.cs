using Gateway.Auth.Access;
using Gateway.Auth.Audit;
using Gateway.Auth.Keys;
using Gateway.Auth.Organizations;
using Gateway.Auth.Requests;
using Gateway.Auth.Spend;
using Gateway.Auth.Users;
using Gateway.Contracts;
using Npgsql;

namespace Gateway.Auth.Teams;

/// <summary>What administrators do with teams.</summary>
internal sealed class TeamAdministration(NpgsqlDataSource database, KeyAdministration keys, LedgerSpend ledger, AccessDefaults defaults, TimeProvider clock)
{
    private const int DeletedAtOnceMax = 100;
    private const int KeysShownMax = 1_000;

    public async Task<Outcome<TeamView>> NewAsync(RequestBody body, Actor actor, CancellationToken cancellation)
    {
        await using var transaction = await AccessTransaction.BeginAsync(database, actor, clock, cancellation);
        var empty = new TeamRecord { TeamId = body.Id("team_id") ?? Guid.NewGuid().ToString(), Stamp = Stamp.New(transaction, 0) };
        var team = TeamFields.Apply(body, empty);
        var members = body.Objects("members_with_roles") ?? [];
        if ((body.Refusal ?? await CheckAsync(transaction, team, empty, cancellation)) is { } refusal)
        {
            return refusal;
        }

        if (await TeamStore.FindAsync(transaction.Connection, team.TeamId, cancellation) is not null)
        {
            return Refusal.Exists("team", "team_id", "Change it with POST /team/update.");
        }

        team = await TeamStore.CreateAsync(transaction, team, cancellation);
        var added = await AddAsync(transaction, team.TeamId, body, members, "members_with_roles", cancellation);
        if (added.Refusal is { } refused)
        {
            return refused;
        }

        await transaction.CommitAsync(cancellation);
        return TeamView.Of(team, added.Value!, clock.GetUtcNow(), defaults.TimeZone) with { Spend = 0, TotalSpend = 0, Warnings = body.Warnings() };
    }

    public Task<Outcome<TeamView>> UpdateAsync(RequestBody body, Actor actor, CancellationToken cancellation) =>
        ChangeAsync(body, "updated", actor, team => TeamFields.Apply(body, team), null, cancellation);

    public Task<Outcome<TeamView>> BlockAsync(RequestBody body, bool blocked, Actor actor, CancellationToken cancellation) =>
        ChangeAsync(body, blocked ? "blocked" : "unblocked", actor, team => team with { Blocked = blocked }, null, cancellation);

    /// <summary>Adds one member (an object) or several (a list). A user that does not exist yet is made.</summary>
    public Task<Outcome<TeamView>> AddMembersAsync(RequestBody body, Actor actor, CancellationToken cancellation) =>
        ChangeAsync(body, null, actor, null, async (transaction, team) =>
        {
            var members = body.Objects("member") ?? [];
            if (members.Count == 0 && body.Refusal is null)
            {
                body.Problem("member", "is missing: {\"role\":\"user\",\"user_id\":\"…\"}, or a list of them.");
            }

            return body.Refusal ?? (await AddAsync(transaction, team.TeamId, body, members, "member", cancellation)).Refusal;
        }, cancellation);

    public Task<Outcome<TeamView>> DeleteMemberAsync(RequestBody body, Actor actor, CancellationToken cancellation) =>
        ChangeAsync(body, null, actor, null, async (transaction, team) =>
        {
            if (await MemberAsync(transaction, team, body, cancellation) is not { } member)
            {
                return body.Refusal ?? Refusal.NotFound("user", "user_id");
            }

            await TeamMembers.DeleteAsync(transaction, member, cancellation);
            return null;
        }, cancellation);

    public async Task<Outcome<TeamMemberView>> UpdateMemberAsync(RequestBody body, Actor actor, CancellationToken cancellation)
    {
        TeamMember? after = null;
        var changed = await ChangeAsync(body, null, actor, null, async (transaction, team) =>
        {
            if (await MemberAsync(transaction, team, body, cancellation) is not { } before)
            {
                return body.Refusal ?? Refusal.NotFound("user", "user_id");
            }

            after = TeamFields.Apply(body, before);
            if (body.Refusal is { } refusal)
            {
                return refusal;
            }

            await TeamMembers.SaveAsync(transaction, after, before, cancellation);
            return null;
        }, cancellation);
        return changed.Refusal is { } refused ? refused : TeamMemberView.Of(after!);
    }

    /// <summary>Deletes teams, their memberships and their keys.</summary>
    public async Task<Outcome<DeletedTeams>> DeleteAsync(RequestBody body, Actor actor, CancellationToken cancellation)
    {
        var ids = body.Texts("team_ids", null) ?? [];
        if (ids.Length is 0 or > DeletedAtOnceMax && body.Refusal is null)
        {
            body.Problem("team_ids", $"name 1 to {DeletedAtOnceMax} teams.");
        }

        if (body.Refusal is { } refusal)
        {
            return refusal;
        }

        await using var transaction = await AccessTransaction.BeginAsync(database, actor, clock, cancellation);
        var teams = await TeamStore.FindAsync(transaction.Connection, ids, cancellation);
        if (teams.Count == 0)
        {
            return Refusal.NotFound("team", "team_ids");
        }

        var owned = await KeyStore.OfTeamsAsync(transaction.Connection, [.. teams.Select(team => team.TeamId)], cancellation);
        if (owned.Any(key => key is { Declared: true, Disabled: false }))
        {
            return Refusal.Invalid("team_ids", "One of the teams has keys that config.yaml declares (user_access): take them out there first, else the next start makes them again.");
        }

        await KeyAdministration.DeleteAsync(transaction, owned, cancellation);
        foreach (var team in teams)
        {
            await TeamStore.DeleteAsync(transaction, team, cancellation);
        }

        await transaction.CommitAsync(cancellation);
        return new DeletedTeams([.. teams.Select(team => team.TeamId)], [.. owned.Select(key => key.KeyId)]);
    }

    public async Task<bool> ExistsAsync(string teamId, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return RequestBody.IsId(teamId) && await TeamStore.FindAsync(connection, teamId, cancellation) is not null;
    }

    /// <summary>A team as <paramref name="caller"/> may see it: administrators see all, others their own team and in it their own keys.</summary>
    public async Task<Outcome<TeamInfo>> InfoAsync(string? teamId, AccessSnapshot caller, CancellationToken cancellation)
    {
        var id = teamId ?? caller.TeamId;
        var all = Callers.SeesAll(caller);
        if (!all && (id is null || id != caller.TeamId))
        {
            return Refusal.Denied();
        }

        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (id is null || !RequestBody.IsId(id) || await TeamStore.FindAsync(connection, id, cancellation) is not { } team)
        {
            return Refusal.NotFound("team", "team_id");
        }

        var members = await TeamMembers.OfAsync(connection, [id], cancellation);
        var (owned, _) = await KeyStore.ListAsync(connection, new KeyFilter(null, id, null, null, null, 1, KeysShownMax), cancellation);
        await connection.CloseAsync();

        var now = clock.GetUtcNow();
        var views = owned.Where(key => all || Callers.Owns(caller, key)).Select(key => KeyView.Of(key, now, defaults.TimeZone)).ToArray();
        return new TeamInfo(
            id,
            (await BookedAsync([TeamView.Of(team, all ? members : [], now, defaults.TimeZone)], cancellation))[0],
            await keys.BookedAsync(views, cancellation),
            [.. members.Where(member => all || member.UserId == caller.UserId).Select(TeamMemberView.Of)]);
    }

    public async Task<TeamView[]> ListAsync(PageQuery query, string? organizationId, string? userId, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var teams = await TeamStore.ListAsync(connection, organizationId, userId, query.Page, query.Size, cancellation);
        var members = await TeamMembers.OfAsync(connection, [.. teams.Select(team => team.TeamId)], cancellation);
        await connection.CloseAsync();
        return await BookedAsync([.. teams.Select(team => TeamView.Of(team, members, clock.GetUtcNow(), defaults.TimeZone))], cancellation);
    }

    private async Task<Outcome<TeamView>> ChangeAsync(
        RequestBody body, string? action, Actor actor, Func<TeamRecord, TeamRecord>? change,
        Func<AccessTransaction, TeamRecord, Task<Refusal?>>? also, CancellationToken cancellation)
    {
        var id = body.Id("team_id");
        if (id is null && body.Refusal is null)
        {
            body.Problem("team_id", "is missing: which team.");
        }

        if (body.Refusal is { } wrong)
        {
            return wrong;
        }

        await using var transaction = await AccessTransaction.BeginAsync(database, actor, clock, cancellation);
        if (await TeamStore.FindAsync(transaction.Connection, id!, cancellation) is not { } team)
        {
            return Refusal.NotFound("team", "team_id");
        }

        if (change is not null)
        {
            var after = change(team);
            if ((body.Refusal ?? await CheckAsync(transaction, after, team, cancellation)) is { } refusal)
            {
                return refusal;
            }

            team = await TeamStore.UpdateAsync(transaction, action!, team, after, cancellation);
        }

        if (also is not null && await also(transaction, team) is { } refused)
        {
            return refused;
        }

        var members = await TeamMembers.OfAsync(transaction.Connection, [team.TeamId], cancellation);
        await transaction.CommitAsync(cancellation);
        var view = (await BookedAsync([TeamView.Of(team, members, clock.GetUtcNow(), defaults.TimeZone)], cancellation))[0];
        return view with { Warnings = body.Warnings() };
    }

    private static async Task<Outcome<List<TeamMember>>> AddAsync(
        AccessTransaction transaction, string teamId, RequestBody body, IReadOnlyList<RequestBody> members, string field, CancellationToken cancellation)
    {
        var known = await TeamMembers.OfAsync(transaction.Connection, [teamId], cancellation);
        foreach (var one in members)
        {
            var (id, email) = (one.Id("user_id"), one.Text("user_email"));
            if (id is null && email is null && one.Refusal is null)
            {
                one.Problem("user_id", "is missing: name the user by user_id or user_email.");
            }

            // The budget stands beside the member in LiteLLM's request, and holds for each of them.
            var member = TeamFields.Apply(one, TeamFields.Apply(body, new TeamMember { TeamId = teamId, UserId = id ?? "" }));
            body.Adopt(field, one);
            if (body.Refusal is { } refusal)
            {
                return refusal;
            }

            var user = id is not null
                ? await UserStore.FindAsync(transaction.Connection, id, cancellation)
                : await UserStore.FindByEmailAsync(transaction.Connection, email!, cancellation);
            user ??= await UserStore.CreateAsync(
                transaction, new UserRecord { UserId = id ?? Guid.NewGuid().ToString(), UserEmail = email, Stamp = Stamp.New(transaction, 0) }, cancellation);
            if (known.Any(existing => existing.UserId == user.UserId))
            {
                return Refusal.Exists("member", "user_id", "Change it with POST /team/member_update.");
            }

            member = member with { UserId = user.UserId };
            await TeamMembers.SaveAsync(transaction, member, null, cancellation);
            known.Add(member);
        }

        return known;
    }

    private static async Task<TeamMember?> MemberAsync(AccessTransaction transaction, TeamRecord team, RequestBody body, CancellationToken cancellation)
    {
        var id = body.Id("user_id");
        if (id is null && body.Text("user_email") is { } email)
        {
            id = (await UserStore.FindByEmailAsync(transaction.Connection, email, cancellation))?.UserId;
        }

        return (await TeamMembers.OfAsync(transaction.Connection, [team.TeamId], cancellation)).FirstOrDefault(member => member.UserId == id);
    }

    private async Task<TeamView[]> BookedAsync(TeamView[] teams, CancellationToken cancellation)
    {
        var spend = await ledger.OfAsync([.. teams.Select(team => BudgetId.Of(BudgetId.TeamScope, team.TeamId))], cancellation);
        return [.. teams.Select(team => team.WithSpend(spend, BudgetId.Of(BudgetId.TeamScope, team.TeamId), clock.GetUtcNow(), defaults.TimeZone))];
    }

    private static async Task<Refusal?> CheckAsync(AccessTransaction transaction, TeamRecord after, TeamRecord before, CancellationToken cancellation) =>
        after.OrganizationId is { } organization && organization != before.OrganizationId
        && await OrganizationStore.FindAsync(transaction.Connection, organization, cancellation) is null
            ? Refusal.Invalid("organization_id", "There is no such organization. Make it with POST /organization/new first.")
            : null;
}
