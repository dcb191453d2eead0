using Gateway.Auth.Access;
using Gateway.Auth.Audit;
using Gateway.Auth.Keys;
using Gateway.Auth.Teams;
using Gateway.Auth.Users;
using Gateway.Configuration;
using Gateway.Contracts;
using Npgsql;

namespace Gateway.Auth.Configuration;

/// <summary>What a synchronization found and did.</summary>
internal sealed record SyncReport(int Users, int Keys, int Changed, string? Problem);

/// <summary>
/// Makes the database say what config.yaml declares: users and their keys. What is already so is left alone, so that a start changes
/// nothing and several processes may start at once. An entry that went is disabled, not deleted: its spending and audit stay, and it
/// comes back as it was. It never undoes what an administrator blocked.
/// </summary>
internal sealed class AccessSync(
    NpgsqlDataSource database, KeyPeppers peppers, MasterKey master, AccessDefaults defaults, IHostEnvironment environment, TimeProvider clock, ILogger<AccessSync> logger)
{
    public async Task<SyncReport> SynchronizeAsync(DeclaredAccess declared, CancellationToken cancellation)
    {
        if (declared.Problem(environment.IsDevelopment()) is { } problem)
        {
            return new SyncReport(0, 0, 0, problem);
        }

        await using var transaction = await AccessTransaction.BeginAsync(database, Actor.Configuration, clock, cancellation);
        var changed = 0;

        // 1. What there is: declared rows, rows of the declared ids, rows of the declared keys.
        var users = (await UserStore.DeclaredAsync(transaction.Connection, cancellation))
            .Concat(await UserStore.FindAsync(transaction.Connection, [.. declared.Users.Select(user => user.UserId)], cancellation))
            .DistinctBy(user => user.UserId).ToDictionary(user => user.UserId, StringComparer.Ordinal);
        var declaredKeys = await KeyStore.DeclaredAsync(transaction.Connection, cancellation);
        var keys = new Dictionary<string, KeyRecord?>(StringComparer.Ordinal);
        foreach (var entry in declared.Users)
        {
            keys[entry.UserId] = await KeyStore.FindAsync(transaction.Connection, entry.ApiKey.Reveal(), peppers, cancellation);
            if (keys[entry.UserId] is { Declared: false })
            {
                return new SyncReport(0, 0, 0, $"user_access: the api_key of {entry.UserId} is a key that an administrator made for somebody else. Give the user another one, or delete that key.");
            }
        }

        // 2. What went is disabled first: a key's alias may pass to its successor.
        var stay = keys.Values.OfType<KeyRecord>().Select(key => key.KeyId).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in declaredKeys.Where(key => !key.Disabled && !stay.Contains(key.KeyId)))
        {
            await SaveKeyAsync(transaction, "disabled", gone, gone with { Disabled = true, KeyAlias = null }, cancellation);
            changed++;
        }

        var names = declared.Users.Select(user => user.UserId).ToHashSet(StringComparer.Ordinal);
        foreach (var gone in users.Values.Where(user => user is { Declared: true, Disabled: false } && !names.Contains(user.UserId)))
        {
            await UserStore.UpdateAsync(transaction, "disabled", gone, gone with { Disabled = true }, cancellation);
            logger.UserDisabled(gone.UserId);
            changed++;
        }

        // 3. What is declared.
        foreach (var entry in declared.Users)
        {
            if (entry.TeamId is { } team && await TeamStore.FindAsync(transaction.Connection, team, cancellation) is null)
            {
                await TeamStore.CreateAsync(transaction, new TeamRecord { TeamId = team, Stamp = Stamp.New(transaction, 0) }, cancellation);
                changed++;
            }

            changed += await PutUserAsync(transaction, entry, users.GetValueOrDefault(entry.UserId), cancellation);
            changed += await PutKeyAsync(transaction, entry, keys[entry.UserId], cancellation);
        }

        // 4. What every snapshot depends on.
        var masterKey = declared.MasterKey?.Reveal();
        if (await RememberAsync(transaction, "master_key", masterKey is null ? "none" : Convert.ToHexStringLower(peppers.Hash(masterKey).Hash), cancellation))
        {
            transaction.Change(AccessChangeKind.Key, MasterKey.Id);
            transaction.Audit("changed", "master_key", MasterKey.Id, null, null);
        }

        if (await RememberAsync(transaction, "defaults", FormattableString.Invariant($"{declared.TimeZone} {declared.MaxParallelRequests}"), cancellation))
        {
            transaction.Change(AccessChangeKind.Everything, null);
        }

        // In force before edges hear of it: whoever asks again then gets the new answer.
        master.Set(masterKey);
        defaults.Set(declared.TimeZone, declared.MaxParallelRequests);
        await transaction.CommitAsync(cancellation);
        if (masterKey is null)
        {
            logger.NoMasterKey();
        }
        else if (masterKey.Length < MasterKey.CharactersMin)
        {
            logger.MasterKeyIsWeak(MasterKey.CharactersMin);
        }

        return new SyncReport(declared.Users.Count, declared.Users.Count, changed, null);
    }

    private static Allowance AllowanceOf(UserAccess entry, Allowance? before) => Kept(before) with
    {
        Models = ModelsOf(entry),
        Credentials = OwnCredentials.Of(entry.Credentials, before?.Credentials),
        MaxBudget = entry.MaxBudget,
        SoftBudget = entry.SoftBudget,
        BudgetDuration = entry.BudgetDuration,
        RpmLimit = entry.RpmLimit,
        TpmLimit = entry.TpmLimit,
        MaxParallelRequests = entry.MaxParallelRequests,
    };

    /// <summary>What the file cannot say stays as administrators set it.</summary>
    private static Allowance Kept(Allowance? before) => before is null ? new Allowance() : new Allowance
    {
        ModelMaxBudget = before.ModelMaxBudget, Credentials = before.Credentials, TempBudgetIncrease = before.TempBudgetIncrease, TempBudgetExpiry = before.TempBudgetExpiry,
    };

    /// <summary>In the file an empty list grants nothing; in the database it bounds nothing.</summary>
    private static string[] ModelsOf(UserAccess entry) =>
        entry.Models.Count == 0 ? [ModelGrants.NoDefaultModels] : [.. entry.Models];

    private static async Task<int> PutUserAsync(AccessTransaction transaction, UserAccess entry, UserRecord? before, CancellationToken cancellation)
    {
        var after = (before ?? new UserRecord { UserId = entry.UserId, Stamp = Stamp.New(transaction, 0) }) with
        {
            Allowance = AllowanceOf(entry, before?.Allowance), Declared = true, Disabled = false,
        };
        if (before is null)
        {
            await UserStore.CreateAsync(transaction, after, cancellation);
            return 1;
        }

        if (before.Allowance.Grants(after.Allowance) && before is { Declared: true, Disabled: false })
        {
            return 0;
        }

        await UserStore.UpdateAsync(transaction, "updated", before, after, cancellation);
        return 1;
    }

    private async Task<int> PutKeyAsync(AccessTransaction transaction, UserAccess entry, KeyRecord? before, CancellationToken cancellation)
    {
        var value = entry.ApiKey.Reveal();
        // The models stand on the key too: a key of a team is bounded by the team's and not by its user's.
        var allowance = Kept(before?.Allowance) with { Models = ModelsOf(entry) };
        var after = (before ?? new KeyRecord
        {
            KeyId = peppers.NewKeyId(value), Hash = peppers.Hash(value), KeyName = KeyMaker.NameOf(value), Stamp = Stamp.New(transaction, 0),
        }) with
        { UserId = entry.UserId, TeamId = entry.TeamId, Allowance = allowance, Declared = true, Disabled = false };

        var named = (await KeyStore.OfAliasesAsync(transaction.Connection, [entry.UserId], cancellation)).FirstOrDefault();
        after = after with { KeyAlias = named is null || named.KeyId == after.KeyId ? entry.UserId : after.KeyAlias };
        if (before is not null && !before.Disabled && before.UserId == after.UserId && before.TeamId == after.TeamId && before.KeyAlias == after.KeyAlias
            && before.Allowance.Grants(allowance))
        {
            return 0;
        }

        await SaveKeyAsync(transaction, before is null ? "created" : "updated", before, after, cancellation);
        return 1;
    }

    private static async Task SaveKeyAsync(AccessTransaction transaction, string action, KeyRecord? before, KeyRecord after, CancellationToken cancellation)
    {
        var revision = transaction.Change(AccessChangeKind.Key, after.KeyId);
        after = after with { Stamp = before?.Stamp.Changed(transaction, revision) ?? Stamp.New(transaction, revision) };
        await KeyStore.SaveAsync(transaction, after, cancellation);
        transaction.Audit(action, "key", after.KeyId, before is null ? null : KeyView.Image(before), KeyView.Image(after));
    }

    /// <summary>Stores a value; true when it was another.</summary>
    private static async Task<bool> RememberAsync(AccessTransaction transaction, string name, string value, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand(
            "insert into declared (name, value) values ($1, $2) on conflict (name) do update set value = excluded.value where declared.value <> excluded.value",
            transaction.Connection)
        {
            Parameters = { new() { Value = name }, new() { Value = value } },
        };
        return await command.ExecuteNonQueryAsync(cancellation) > 0;
    }
}
