using System.Diagnostics;
using Gateway.Auth.Keys;
using Gateway.Auth.Teams;
using Gateway.Auth.Users;
using Gateway.Contracts;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Auth.Access;

/// <summary>
/// Turns a key into everything that an edge must know of it, with one query. What a caller sends is only ever a parameter, and only as
/// its hash: no text of a caller reaches SQL.
/// </summary>
internal sealed class KeyResolver(
    NpgsqlDataSource database, KeyPeppers peppers, MasterKey master, ChangeLog changes, AccessDefaults defaults, AuthMetrics metrics, TimeProvider clock, ILogger<KeyResolver> logger)
{
    private static readonly string Columns = $"""
        select k.key_id, k.hash, k.pepper_id, k.key_alias, k.expires, k.allowed_routes, k.tags, k.blocked or k.disabled as k_blocked, k.revision as k_revision,
          k.user_id, k.team_id,
          u.user_role, coalesce(u.blocked or u.disabled, false) as u_blocked, u.revision as u_revision,
          t.team_alias, coalesce(t.blocked, false) as t_blocked, t.revision as t_revision,
          o.organization_id, coalesce(o.blocked, false) as o_blocked, o.revision as o_revision,
          m.max_budget as m_max_budget, m.budget_duration as m_budget_duration, m.rpm_limit as m_rpm_limit, m.tpm_limit as m_tpm_limit, m.revision as m_revision,
          {RowReader.Columns("k", RowReader.AllowanceColumns)}, {RowReader.Columns("u", RowReader.AllowanceColumns)},
          {RowReader.Columns("t", RowReader.AllowanceColumns)}, {RowReader.Columns("o", RowReader.AllowanceColumns)}, r.last
        from keys k
        left join users u on u.user_id = k.user_id
        left join teams t on t.team_id = k.team_id
        left join team_members m on m.team_id = k.team_id and m.user_id = k.user_id
        left join organizations o on o.organization_id = coalesce(k.organization_id, t.organization_id, u.organization_id)
        cross join access_revision r
        """;

    private static readonly string ByHash = $"{Columns} where k.hash = any($1)";
    private static readonly string ById = $"{Columns} where k.key_id = $1";

    /// <summary>The snapshot of a key; null for an unknown one.</summary>
    public async Task<AccessSnapshot?> ResolveAsync(string key, CancellationToken cancellation)
    {
        var started = Stopwatch.GetTimestamp();
        var outcome = "failed";
        try
        {
            var snapshot = await FindAsync(key, cancellation);
            outcome = snapshot is null ? "unknown" : snapshot.KeyId == MasterKey.Id ? "master" : snapshot.Status switch
            {
                KeyStatus.Blocked => "blocked",
                KeyStatus.Expired => "expired",
                _ => "active",
            };
            return snapshot;
        }
        finally
        {
            metrics.Resolved(outcome, Stopwatch.GetElapsedTime(started));
        }
    }

    /// <summary>The snapshot of the key with an id; null for an unknown one.</summary>
    public async Task<AccessSnapshot?> OfIdAsync(string keyId, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand(ById);
        command.Parameters.Add(new NpgsqlParameter { Value = keyId });
        await using var row = await command.ExecuteReaderAsync(cancellation);
        return await row.ReadAsync(cancellation) ? Snapshot(row) : null;
    }

    private async Task<AccessSnapshot?> FindAsync(string key, CancellationToken cancellation)
    {
        if (master.Is(key))
        {
            return MasterKey.Snapshot(changes.Last);
        }

        if (key.Length is 0 or > KeyMaker.KeyCharactersMax)
        {
            return null;
        }

        var candidates = peppers.Candidates(key);
        AccessSnapshot? snapshot = null;
        KeyHash found = default;
        await using (var command = database.CreateCommand(ByHash))
        {
            command.Parameters.Add(new NpgsqlParameter
            {
                Value = candidates.Select(candidate => candidate.Hash).ToArray(), NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Bytea,
            });
            await using var row = await command.ExecuteReaderAsync(cancellation);
            if (await row.ReadAsync(cancellation))
            {
                var stored = row.GetFieldValue<byte[]>(row.GetOrdinal("hash"));
                // The index has compared already; this one takes the same time whatever the bytes.
                if (candidates.Aggregate(false, (same, candidate) => same | KeyPeppers.AreSame(candidate.Hash, stored)))
                {
                    found = new KeyHash(row.Text("pepper_id")!, stored);
                    snapshot = Snapshot(row);
                }
            }
        }

        if (snapshot is not null && found.PepperId != peppers.CurrentId)
        {
            await HashAnewAsync(snapshot.KeyId, found, peppers.Hash(key), cancellation);
        }

        return snapshot;
    }

    private AccessSnapshot Snapshot(NpgsqlDataReader row)
    {
        var (key, user, team, organization) = (row.Allowance("k_"), row.Allowance("u_"), row.Allowance("t_"), row.Allowance("o_"));
        var (keyId, userId, teamId, organizationId) = (row.Text("key_id")!, row.Text("user_id"), row.Text("team_id"), row.Text("organization_id"));
        var budgets = new List<BudgetDefinition>();
        var models = new List<ModelBudget>();
        var limits = new List<LimitDefinition>();
        Add(BudgetId.Of(BudgetId.KeyScope, keyId), key with { MaxParallelRequests = key.MaxParallelRequests ?? defaults.MaxParallelRequests }, row.Number("k_revision"));
        // The user's budget and limits hold for a team's key too: who pays for a person wants to see all that the person spends.
        if (userId is not null)
        {
            Add(BudgetId.Of(BudgetId.UserScope, userId), user, row.Number("u_revision"));
        }

        if (teamId is not null)
        {
            Add(BudgetId.Of(BudgetId.TeamScope, teamId), team, row.Number("t_revision"));
        }

        if (row.Number("m_revision") is { } member)
        {
            var allowance = new Allowance
            {
                MaxBudget = row.Amount("m_max_budget"), BudgetDuration = row.Text("m_budget_duration"),
                RpmLimit = row.Number("m_rpm_limit"), TpmLimit = row.Number("m_tpm_limit"),
            };
            Add(TeamMember.OwnerOf(teamId!, userId!), allowance, member);
        }

        if (organizationId is not null)
        {
            Add(BudgetId.Of(BudgetId.OrganizationScope, organizationId), organization, row.Number("o_revision"));
        }

        var expires = row.Time("expires");
        return new AccessSnapshot
        {
            KeyId = keyId,
            Status = row.Flag("k_blocked") || row.Flag("u_blocked") || row.Flag("t_blocked") || row.Flag("o_blocked") ? KeyStatus.Blocked
                : expires <= clock.GetUtcNow() ? KeyStatus.Expired
                : KeyStatus.Active,
            ExpiresAt = expires,
            KeyAlias = row.Text("key_alias"),
            Role = Roles.Of(row.Text("user_role")),
            UserId = userId,
            TeamId = teamId,
            TeamAlias = row.Text("team_alias"),
            OrganizationId = organizationId,
            Models = ModelGrants.Of(key.Models, teamId is not null, team.Models, user.Models, organization.Models),
            Credentials = OwnCredentials.Joined(key.Credentials, team.Credentials, user.Credentials, organization.Credentials),
            AllowedRoutes = row.Texts("allowed_routes"),
            Tags = row.Texts("tags") ?? [],
            Budgets = [.. budgets],
            ModelBudgets = [.. models],
            Limits = [.. limits],
            Revision = row.Number("last")!.Value,
        };

        void Add(string owner, Allowance allowance, long? revision)
        {
            budgets.AddRange(allowance.BudgetsOf(owner, defaults.TimeZone, revision ?? 0));
            models.AddRange(allowance.ModelBudgetsOf(owner, defaults.TimeZone, revision ?? 0));
            limits.AddRange(allowance.LimitsOf(owner));
        }
    }

    /// <summary>A key under an older pepper moves to the current one. If that fails the key is answered all the same, and moves the next time.</summary>
    private async Task HashAnewAsync(string keyId, KeyHash old, KeyHash current, CancellationToken cancellation)
    {
        try
        {
            await using var command = database.CreateCommand("update keys set hash = $1, pepper_id = $2 where key_id = $3 and hash = $4");
            foreach (var value in (object[])[current.Hash, current.PepperId, keyId, old.Hash])
            {
                command.Parameters.Add(new NpgsqlParameter { Value = value });
            }

            if (await command.ExecuteNonQueryAsync(cancellation) > 0)
            {
                metrics.HashedAnew();
            }
        }
        catch (NpgsqlException error)
        {
            logger.KeyNotHashedAnew(keyId, error.GetType().Name);
        }
    }
}
