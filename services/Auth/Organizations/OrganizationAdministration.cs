using Gateway.Auth.Access;
using Gateway.Auth.Audit;
using Gateway.Auth.Requests;
using Gateway.Auth.Spend;
using Gateway.Contracts;
using Npgsql;

namespace Gateway.Auth.Organizations;

/// <summary>What administrators do with organizations.</summary>
internal sealed class OrganizationAdministration(NpgsqlDataSource database, LedgerSpend ledger, AccessDefaults defaults, TimeProvider clock)
{
    private const int DeletedAtOnceMax = 100;

    public async Task<Outcome<OrganizationView>> NewAsync(RequestBody body, Actor actor, CancellationToken cancellation)
    {
        await using var transaction = await AccessTransaction.BeginAsync(database, actor, clock, cancellation);
        var organization = OrganizationFields.Apply(
            body, new OrganizationRecord { OrganizationId = body.Id("organization_id") ?? Guid.NewGuid().ToString(), Stamp = Stamp.New(transaction, 0) });
        if (body.Refusal is { } refusal)
        {
            return refusal;
        }

        if (await OrganizationStore.FindAsync(transaction.Connection, organization.OrganizationId, cancellation) is not null)
        {
            return Refusal.Exists("organization", "organization_id", "Change it with POST /organization/update.");
        }

        organization = await OrganizationStore.CreateAsync(transaction, organization, cancellation);
        await transaction.CommitAsync(cancellation);
        return OrganizationView.Of(organization, clock.GetUtcNow(), defaults.TimeZone) with { Spend = 0, TotalSpend = 0, Warnings = body.Warnings() };
    }

    public async Task<Outcome<OrganizationView>> UpdateAsync(RequestBody body, Actor actor, CancellationToken cancellation)
    {
        var id = body.Id("organization_id");
        if (id is null && body.Refusal is null)
        {
            body.Problem("organization_id", "is missing: which organization.");
        }

        if (body.Refusal is { } wrong)
        {
            return wrong;
        }

        await using var transaction = await AccessTransaction.BeginAsync(database, actor, clock, cancellation);
        if (await OrganizationStore.FindAsync(transaction.Connection, id!, cancellation) is not { } before)
        {
            return Refusal.NotFound("organization", "organization_id");
        }

        var after = OrganizationFields.Apply(body, before);
        if (body.Refusal is { } refusal)
        {
            return refusal;
        }

        after = await OrganizationStore.UpdateAsync(transaction, before, after, cancellation);
        await transaction.CommitAsync(cancellation);
        return (await ShowAsync([after], cancellation))[0] with { Warnings = body.Warnings() };
    }

    /// <summary>Deletes organizations to which nothing belongs any more: deleting teams and keys along would be a surprise that cannot be undone.</summary>
    public async Task<Outcome<DeletedOrganizations>> DeleteAsync(RequestBody body, Actor actor, CancellationToken cancellation)
    {
        var ids = body.Texts("organization_ids", null) ?? [];
        if (ids.Length is 0 or > DeletedAtOnceMax && body.Refusal is null)
        {
            body.Problem("organization_ids", $"name 1 to {DeletedAtOnceMax} organizations.");
        }

        if (body.Refusal is { } refusal)
        {
            return refusal;
        }

        await using var transaction = await AccessTransaction.BeginAsync(database, actor, clock, cancellation);
        var organizations = await OrganizationStore.FindAsync(transaction.Connection, ids, cancellation);
        if (organizations.Count == 0)
        {
            return Refusal.NotFound("organization", "organization_ids");
        }

        if (await OrganizationStore.AreInUseAsync(transaction.Connection, ids, cancellation))
        {
            return new Refusal(409, "in_use", "Teams, users or keys still belong to it. Delete or move them first.", "organization_ids");
        }

        foreach (var organization in organizations)
        {
            await OrganizationStore.DeleteAsync(transaction, organization, cancellation);
        }

        await transaction.CommitAsync(cancellation);
        return new DeletedOrganizations([.. organizations.Select(organization => organization.OrganizationId)]);
    }

    public async Task<bool> ExistsAsync(string organizationId, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return RequestBody.IsId(organizationId) && await OrganizationStore.FindAsync(connection, organizationId, cancellation) is not null;
    }

    /// <summary>An organization as <paramref name="caller"/> may see it: administrators see all, others the one of their key.</summary>
    public async Task<Outcome<OrganizationView>> InfoAsync(string? organizationId, AccessSnapshot caller, CancellationToken cancellation)
    {
        var id = organizationId ?? caller.OrganizationId;
        if (!Callers.SeesAll(caller) && (caller.Role != CallerRole.OrganizationAdmin || id is null || id != caller.OrganizationId))
        {
            return Refusal.Denied();
        }

        await using var connection = await database.OpenConnectionAsync(cancellation);
        if (id is null || !RequestBody.IsId(id) || await OrganizationStore.FindAsync(connection, id, cancellation) is not { } organization)
        {
            return Refusal.NotFound("organization", "organization_id");
        }

        await connection.CloseAsync();
        return (await ShowAsync([organization], cancellation))[0];
    }

    public async Task<OrganizationView[]> ListAsync(PageQuery query, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var organizations = await OrganizationStore.ListAsync(connection, query.Page, query.Size, cancellation);
        await connection.CloseAsync();
        return await ShowAsync(organizations, cancellation);
    }

    private async Task<OrganizationView[]> ShowAsync(IReadOnlyCollection<OrganizationRecord> organizations, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var teams = await OrganizationStore.TeamsOfAsync(connection, [.. organizations.Select(one => one.OrganizationId)], cancellation);
        await connection.CloseAsync();
        var spend = await ledger.OfAsync([.. organizations.Select(one => BudgetId.Of(BudgetId.OrganizationScope, one.OrganizationId))], cancellation);
        return [.. organizations.Select(one => (OrganizationView.Of(one, now, defaults.TimeZone) with { Teams = [.. teams[one.OrganizationId]] })
            .WithSpend(spend, BudgetId.Of(BudgetId.OrganizationScope, one.OrganizationId), now, defaults.TimeZone))];
    }
}
