using Gateway.Auth.Access;
using Gateway.Contracts;
using Npgsql;

namespace Gateway.Auth.Organizations;

/// <summary>Reads and writes the table of organizations.</summary>
internal static class OrganizationStore
{
    public static async Task<OrganizationRecord?> FindAsync(NpgsqlConnection connection, string organizationId, CancellationToken cancellation) =>
        (await FindAsync(connection, [organizationId], cancellation)).FirstOrDefault();

    public static async Task<List<OrganizationRecord>> FindAsync(NpgsqlConnection connection, string[] organizationIds, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select * from organizations where organization_id = any($1)", connection)
        {
            Parameters = { new() { Value = organizationIds } },
        };
        return await ReadAsync(command, cancellation);
    }

    public static async Task<List<OrganizationRecord>> ListAsync(NpgsqlConnection connection, int page, int size, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select * from organizations order by created_at desc, organization_id limit $1 offset $2", connection)
        {
            Parameters = { new() { Value = (long)size }, new() { Value = (page - 1L) * size } },
        };
        return await ReadAsync(command, cancellation);
    }

    /// <summary>The teams of some organizations: organization and team.</summary>
    public static async Task<ILookup<string, string>> TeamsOfAsync(NpgsqlConnection connection, string[] organizationIds, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select organization_id, team_id from teams where organization_id = any($1) order by team_id", connection)
        {
            Parameters = { new() { Value = organizationIds } },
        };
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        var pairs = new List<(string Organization, string Team)>();
        while (await rows.ReadAsync(cancellation))
        {
            pairs.Add((rows.GetString(0), rows.GetString(1)));
        }

        return pairs.ToLookup(pair => pair.Organization, pair => pair.Team, StringComparer.Ordinal);
    }

    /// <summary>Whether a team, a user or a key belongs to one of them.</summary>
    public static async Task<bool> AreInUseAsync(NpgsqlConnection connection, string[] organizationIds, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            """
            select exists (select from teams where organization_id = any($1)) or exists (select from users where organization_id = any($1))
                or exists (select from keys where organization_id = any($1))
            """,
            connection)
        {
            Parameters = { new() { Value = organizationIds } },
        };
        return (bool)(await command.ExecuteScalarAsync(cancellation))!;
    }

    public static async Task<OrganizationRecord> CreateAsync(AccessTransaction transaction, OrganizationRecord organization, CancellationToken cancellation)
    {
        organization = organization with { Stamp = Stamp.New(transaction, transaction.Change(AccessChangeKind.Organization, organization.OrganizationId)) };
        await SaveAsync(transaction, organization, cancellation);
        transaction.Audit("created", "organization", organization.OrganizationId, null, OrganizationView.Image(organization));
        return organization;
    }

    public static async Task<OrganizationRecord> UpdateAsync(AccessTransaction transaction, OrganizationRecord before, OrganizationRecord after, CancellationToken cancellation)
    {
        after = after with { Stamp = before.Stamp.Changed(transaction, transaction.Change(AccessChangeKind.Organization, after.OrganizationId)) };
        await SaveAsync(transaction, after, cancellation);
        transaction.Audit("updated", "organization", after.OrganizationId, OrganizationView.Image(before), OrganizationView.Image(after));
        return after;
    }

    public static async Task DeleteAsync(AccessTransaction transaction, OrganizationRecord organization, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("delete from organizations where organization_id = $1", transaction.Connection)
        {
            Parameters = { new() { Value = organization.OrganizationId } },
        };
        await command.ExecuteNonQueryAsync(cancellation);
        transaction.Change(AccessChangeKind.Organization, organization.OrganizationId);
        transaction.Audit("deleted", "organization", organization.OrganizationId, OrganizationView.Image(organization), null);
    }

    private static Task SaveAsync(AccessTransaction transaction, OrganizationRecord organization, CancellationToken cancellation) =>
        new RowWriter("organizations", "organization_id")
            .Text("organization_id", organization.OrganizationId)
            .Text("organization_alias", organization.OrganizationAlias)
            .Allowance(organization.Allowance)
            .Json("metadata", organization.Metadata)
            .Flag("blocked", organization.Blocked)
            .Stamp(organization.Stamp)
            .SaveAsync(transaction, cancellation);

    private static async Task<List<OrganizationRecord>> ReadAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        var organizations = new List<OrganizationRecord>();
        while (await rows.ReadAsync(cancellation))
        {
            organizations.Add(new OrganizationRecord
            {
                OrganizationId = rows.Text("organization_id")!,
                OrganizationAlias = rows.Text("organization_alias"),
                Allowance = rows.Allowance(),
                Metadata = rows.Text("metadata")!,
                Blocked = rows.Flag("blocked"),
                Stamp = rows.Stamp(),
            });
        }

        return organizations;
    }
}
