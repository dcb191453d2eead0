using Gateway.Auth.Access;
using Gateway.Auth.Audit;
using Gateway.Auth.Keys;
using Gateway.Auth.Organizations;
using Gateway.Auth.Requests;
using Gateway.Auth.Spend;
using Gateway.Auth.Teams;
using Gateway.Contracts;
using Npgsql;

namespace Gateway.Auth.Users;

/// <summary>What administrators do with users.</summary>
internal sealed class UserAdministration(NpgsqlDataSource database, KeyAdministration keys, LedgerSpend ledger, AccessDefaults defaults, TimeProvider clock)
{
    private const int DeletedAtOnceMax = 100;
    private const int KeysShownMax = 1_000;

    /// <summary>Makes a user and, unless <c>auto_create_key</c> is false, its first key.</summary>
    public async Task<Outcome<UserView>> NewAsync(RequestBody body, Actor actor, CancellationToken cancellation)
    {
        await using var transaction = await AccessTransaction.BeginAsync(database, actor, clock, cancellation);
        var empty = new UserRecord { UserId = body.Id("user_id") ?? Guid.NewGuid().ToString(), Stamp = Stamp.New(transaction, 0) };
        var user = UserFields.Apply(body, empty);
        var teams = body.Texts("teams", null) ?? [];
        var makesKey = body.Flag("auto_create_key", otherwise: true);
        if ((body.Refusal ?? await CheckAsync(transaction, user, empty, cancellation)) is { } refusal)
        {
            return refusal;
        }

        if (await UserStore.FindAsync(transaction.Connection, user.UserId, cancellation) is not null)
        {
            return Refusal.Exists("user", "user_id", "Change it with POST /user/update.");
        }

        user = await UserStore.CreateAsync(transaction, user, cancellation);
        foreach (var team in teams)
        {
            if (await TeamStore.FindAsync(transaction.Connection, team, cancellation) is not { } found)
            {
                return Refusal.Invalid("teams", "One of the teams does not exist. Make it with POST /team/new first.");
            }

            await TeamMembers.SaveAsync(transaction, new TeamMember { TeamId = found.TeamId, UserId = user.UserId }, null, cancellation);
        }

        var view = UserView.Of(user, clock.GetUtcNow(), defaults.TimeZone) with { Teams = teams, Spend = 0, TotalSpend = 0 };
        if (makesKey)
        {
            // The budgets are the user's: on the key too they would only be counted twice.
            var made = await keys.GenerateAsync(RequestBody.Of(writer => writer.WriteString("user_id", user.UserId), body, "key_alias", "duration", "team_id", "key"), transaction, cancellation);
            if (made.Refusal is { } refused)
            {
                return refused;
            }

            view = view with { Key = made.Value!.Key, KeyName = made.Value.KeyName, Token = made.Value.Token, Expires = made.Value.Expires };
        }

        await transaction.CommitAsync(cancellation);
        return view with { Warnings = body.Warnings() };
    }

    public async Task<Outcome<UserView>> UpdateAsync(RequestBody body, Actor actor, CancellationToken cancellation)
    {
        await using var transaction = await AccessTransaction.BeginAsync(database, actor, clock, cancellation);
        var id = body.Id("user_id");
        if (id is null && body.Refusal is null && body.Text("user_email") is { } email)
        {
            id = (await UserStore.FindByEmailAsync(transaction.Connection, email, cancellation))?.UserId;
        }

        if (body.Refusal is { } wrong)
        {
            return wrong;
        }

        if (id is null || await UserStore.FindAsync(transaction.Connection, id, cancellation) is not { } before)
        {
            return Refusal.NotFound("user", "user_id");
        }

        var after = UserFields.Apply(body, before);
        if ((body.Refusal ?? await CheckAsync(transaction, after, before, cancellation)) is { } refusal)
        {
            return refusal;
        }

        after = await UserStore.UpdateAsync(transaction, "updated", before, after, cancellation);
        await transaction.CommitAsync(cancellation);
        if (after.Declared)
        {
            body.Warn("This user is declared in config.yaml (user_access): models, budgets and limits are set from there again at the next start or reload.");
        }

        var view = (await ShowAsync([after], cancellation))[0];
        return view with { Warnings = body.Warnings() };
    }

    /// <summary>Deletes users, their memberships and their keys.</summary>
    public async Task<Outcome<DeletedUsers>> DeleteAsync(RequestBody body, Actor actor, CancellationToken cancellation)
    {
        var ids = body.Texts("user_ids", null) ?? [];
        if (ids.Length is 0 or > DeletedAtOnceMax && body.Refusal is null)
        {
            body.Problem("user_ids", $"name 1 to {DeletedAtOnceMax} users.");
        }

        if (body.Refusal is { } refusal)
        {
            return refusal;
        }

        await using var transaction = await AccessTransaction.BeginAsync(database, actor, clock, cancellation);
        var users = await UserStore.FindAsync(transaction.Connection, ids, cancellation);
        if (users.Count == 0)
        {
            return Refusal.NotFound("user", "user_ids");
        }

        if (users.Any(user => user is { Declared: true, Disabled: false }))
        {
            return Refusal.Invalid("user_ids", "One of the users is declared in config.yaml (user_access): take it out there first, else the next start makes it again.");
        }

        var owned = await KeyStore.OfUsersAsync(transaction.Connection, [.. users.Select(user => user.UserId)], cancellation);
        await KeyAdministration.DeleteAsync(transaction, owned, cancellation);
        foreach (var user in users)
        {
            await UserStore.DeleteAsync(transaction, user, cancellation);
        }

        await transaction.CommitAsync(cancellation);
        return new DeletedUsers([.. users.Select(user => user.UserId)], [.. owned.Select(key => key.KeyId)]);
    }

    public async Task<bool> ExistsAsync(string userId, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return RequestBody.IsId(userId) && await UserStore.FindAsync(connection, userId, cancellation) is not null;
    }

    /// <summary>A user as <paramref name="caller"/> may see it; its own without an id.</summary>
    public async Task<Outcome<UserInfo>> InfoAsync(string? userId, AccessSnapshot caller, CancellationToken cancellation)
    {
        var id = userId ?? caller.UserId;
        if (!Callers.SeesAll(caller) && (id is null || id != caller.UserId))
        {
            return Refusal.Denied();
        }

        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (id is null || !RequestBody.IsId(id) || await UserStore.FindAsync(connection, id, cancellation) is not { } user)
        {
            return Refusal.NotFound("user", "user_id");
        }

        var (owned, _) = await KeyStore.ListAsync(connection, new KeyFilter(id, null, null, null, null, 1, KeysShownMax), cancellation);
        var teams = await TeamStore.OfUserAsync(connection, id, cancellation);
        await connection.CloseAsync();

        var now = clock.GetUtcNow();
        var view = (await ShowAsync([user], cancellation))[0] with { Teams = [.. teams.Select(team => team.TeamId)] };
        return new UserInfo(
            id, view,
            await keys.BookedAsync([.. owned.Select(key => KeyView.Of(key, now, defaults.TimeZone))], cancellation),
            // Amounts of a team are its administrators' matter.
            Callers.SeesAll(caller) ? [.. teams.Select(team => TeamView.Of(team, [], now, defaults.TimeZone))] : []);
    }

    public async Task<UserList> ListAsync(PageQuery query, string? role, string? email, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var (users, total) = await UserStore.ListAsync(connection, role, email, query.Page, query.Size, cancellation);
        await connection.CloseAsync();
        return new UserList(await ShowAsync(users, cancellation), total, query.Page, query.Size, query.PagesOf(total));
    }

    private async Task<UserView[]> ShowAsync(IReadOnlyCollection<UserRecord> users, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var spend = await ledger.OfAsync([.. users.Select(user => BudgetId.Of(BudgetId.UserScope, user.UserId))], cancellation);
        return [.. users.Select(user => UserView.Of(user, now, defaults.TimeZone).WithSpend(spend, BudgetId.Of(BudgetId.UserScope, user.UserId), now, defaults.TimeZone))];
    }

    private static async Task<Refusal?> CheckAsync(AccessTransaction transaction, UserRecord after, UserRecord before, CancellationToken cancellation)
    {
        if (after.UserEmail is { } email && await UserStore.FindByEmailAsync(transaction.Connection, email, cancellation) is { } other && other.UserId != after.UserId)
        {
            return Refusal.Exists("user", "user_email", "One address belongs to one user.");
        }

        return after.OrganizationId is { } organization && organization != before.OrganizationId
            && await OrganizationStore.FindAsync(transaction.Connection, organization, cancellation) is null
            ? Refusal.Invalid("organization_id", "There is no such organization. Make it with POST /organization/new first.")
            : null;
    }
}
