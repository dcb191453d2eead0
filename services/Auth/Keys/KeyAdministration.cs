using Gateway.Auth.Access;
using Gateway.Auth.Audit;
using Gateway.Auth.Organizations;
using Gateway.Auth.Requests;
using Gateway.Auth.Spend;
using Gateway.Auth.Teams;
using Gateway.Auth.Users;
using Gateway.Contracts;
using Npgsql;

namespace Gateway.Auth.Keys;

/// <summary>What administrators do with keys.</summary>
internal sealed class KeyAdministration(
    NpgsqlDataSource database, KeyPeppers peppers, MasterKey master, KeyResolver resolver, AccessDefaults defaults, LedgerSpend ledger, IHostEnvironment environment, TimeProvider clock)
{
    private const int DeletedAtOnceMax = 500;

    public async Task<Outcome<KeyView>> GenerateAsync(RequestBody body, Actor actor, CancellationToken cancellation)
    {
        await using var transaction = await AccessTransaction.BeginAsync(database, actor, clock, cancellation);
        var made = await GenerateAsync(body, transaction, cancellation);
        if (made.Refusal is null)
        {
            await transaction.CommitAsync(cancellation);
        }

        return made;
    }

    /// <summary>Makes a key in a mutation that does more (a new user's first key).</summary>
    public async Task<Outcome<KeyView>> GenerateAsync(RequestBody body, AccessTransaction transaction, CancellationToken cancellation)
    {
        var key = OwnKey(body) ?? KeyMaker.NewKey();
        var empty = new KeyRecord
        {
            KeyId = peppers.NewKeyId(key, salt: Guid.NewGuid().ToString("N")), Hash = peppers.Hash(key), KeyName = KeyMaker.NameOf(key), Stamp = Stamp.New(transaction, 0),
        };
        var record = KeyFields.Apply(body, empty, transaction.Now);
        if ((body.Refusal ?? await CheckAsync(transaction, record, empty, cancellation)) is { } refusal)
        {
            return refusal;
        }

        if (master.Is(key) || await KeyStore.FindAsync(transaction.Connection, key, peppers, cancellation) is not null)
        {
            return Refusal.Exists("key", "key", "Leave the field out to get a random one.");
        }

        record = record with { Stamp = Stamp.New(transaction, transaction.Change(AccessChangeKind.Key, record.KeyId)) };
        await KeyStore.SaveAsync(transaction, record, cancellation);
        transaction.Audit("created", "key", record.KeyId, null, KeyView.Image(record));
        return Show(record, body) with { Key = key, Spend = 0, TotalSpend = 0 };
    }

    public Task<Outcome<KeyView>> UpdateAsync(RequestBody body, Actor actor, CancellationToken cancellation) =>
        ChangeAsync(body.Text("key"), body, "updated", actor, (key, now) => KeyFields.Apply(body, key, now), cancellation);

    public Task<Outcome<KeyView>> BlockAsync(RequestBody body, bool blocked, Actor actor, CancellationToken cancellation) =>
        ChangeAsync(body.Text("key"), body, blocked ? "blocked" : "unblocked", actor, (key, _) => key with { Blocked = blocked }, cancellation);

    /// <summary>Gives a key another value: same id, budgets and spending. The old value stops with the answer.</summary>
    public async Task<Outcome<KeyView>> RegenerateAsync(string keyOrId, RequestBody body, Actor actor, CancellationToken cancellation)
    {
        await using var transaction = await AccessTransaction.BeginAsync(database, actor, clock, cancellation);
        if (await KeyStore.FindAsync(transaction.Connection, keyOrId, peppers, cancellation) is not { } before)
        {
            return Refusal.NotFound("key", "key");
        }

        if (before.Declared)
        {
            return Refusal.Invalid("key", "This key is declared in config.yaml (user_access): change its api_key there.");
        }

        var key = OwnKey(body, "new_key") ?? KeyMaker.NewKey();
        var after = KeyFields.Apply(body, before, transaction.Now) with { KeyName = KeyMaker.NameOf(key) };
        if ((body.Refusal ?? await CheckAsync(transaction, after, before, cancellation)) is { } refusal)
        {
            return refusal;
        }

        if (master.Is(key) || await KeyStore.FindAsync(transaction.Connection, key, peppers, cancellation) is not null)
        {
            return Refusal.Exists("key", "new_key", "Leave the field out to get a random one.");
        }

        after = after with { Stamp = before.Stamp.Changed(transaction, transaction.Change(AccessChangeKind.Key, after.KeyId)) };
        await KeyStore.SaveAsync(transaction, after, cancellation);
        await KeyStore.ReplaceHashAsync(transaction, after.KeyId, peppers.Hash(key), cancellation);
        transaction.Audit("regenerated", "key", after.KeyId, KeyView.Image(before), KeyView.Image(after));
        await transaction.CommitAsync(cancellation);
        return await BookedAsync(Show(after, body) with { Key = key }, cancellation);
    }

    public async Task<Outcome<DeletedKeys>> DeleteAsync(RequestBody body, Actor actor, CancellationToken cancellation)
    {
        var asked = body.Texts("keys", null) ?? [];
        var aliases = body.Texts("key_aliases", null) ?? [];
        if (asked.Length + aliases.Length is 0 or > DeletedAtOnceMax && body.Refusal is null)
        {
            body.Problem("keys", $"name 1 to {DeletedAtOnceMax} keys (or their ids) in keys, or key_aliases.");
        }

        if (body.Refusal is { } refusal)
        {
            return refusal;
        }

        await using var transaction = await AccessTransaction.BeginAsync(database, actor, clock, cancellation);
        var found = new List<(string Asked, KeyRecord Key)>();
        foreach (var key in asked)
        {
            if (await KeyStore.FindAsync(transaction.Connection, key, peppers, cancellation) is { } record)
            {
                found.Add((key, record));
            }
        }

        if (aliases.Length > 0)
        {
            found.AddRange((await KeyStore.OfAliasesAsync(transaction.Connection, aliases, cancellation)).Select(key => (key.KeyId, key)));
        }

        if (found.Count == 0)
        {
            return Refusal.NotFound("key", asked.Length > 0 ? "keys" : "key_aliases");
        }

        if (found.Any(one => one.Key is { Declared: true, Disabled: false }))
        {
            return Refusal.Invalid("keys", "One of the keys is declared in config.yaml (user_access) and would come back at the next start: take it out there, or block it with POST /key/block, which holds.");
        }

        await DeleteAsync(transaction, [.. found.Select(one => one.Key)], cancellation);
        await transaction.CommitAsync(cancellation);
        return new DeletedKeys([.. found.Select(one => one.Asked)]) { NotFound = asked.Length + aliases.Length - found.Count };
    }

    /// <summary>Deletes keys in a mutation that does more (their user goes).</summary>
    public static async Task DeleteAsync(AccessTransaction transaction, IReadOnlyList<KeyRecord> keys, CancellationToken cancellation)
    {
        await KeyStore.DeleteAsync(transaction, keys, cancellation);
        foreach (var key in keys.DistinctBy(key => key.KeyId))
        {
            transaction.Change(AccessChangeKind.Key, key.KeyId);
            transaction.Audit("deleted", "key", key.KeyId, KeyView.Image(key), null);
        }
    }

    /// <summary>The public id of a key, or of an id; null for an unknown one.</summary>
    public async Task<string?> IdOfAsync(string keyOrId, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        return (await KeyStore.FindAsync(connection, keyOrId, peppers, cancellation))?.KeyId;
    }

    /// <summary>A key as <paramref name="caller"/> may see it: administrators see all, others their own and those of their user.</summary>
    public async Task<Outcome<KeyInfo>> InfoAsync(string? keyOrId, AccessSnapshot caller, CancellationToken cancellation)
    {
        if (keyOrId is null && caller.KeyId == MasterKey.Id)
        {
            var view = new KeyView { Token = MasterKey.Id, KeyName = "master key", KeyAlias = "master-key" }.Fill(
                new Allowance(), new Stamp(0, clock.GetUtcNow(), "config.yaml", clock.GetUtcNow(), "config.yaml"), "{}", clock.GetUtcNow(), defaults.TimeZone);
            view = view with { Aliases = view.Metadata };
            return new KeyInfo(MasterKey.Id, await BookedAsync(view, cancellation));
        }

        await using var connection = await database.OpenConnectionAsync(cancellation);
        var key = await KeyStore.FindAsync(connection, keyOrId ?? caller.KeyId, peppers, cancellation);
        await connection.CloseAsync();
        if (!Callers.SeesAll(caller) && (key is null || !Callers.Owns(caller, key)))
        {
            // Whether somebody else's key exists is not theirs to know.
            return Refusal.Denied();
        }

        if (key is null)
        {
            return Refusal.NotFound("key", "key");
        }

        var booked = BookedAsync(KeyView.Of(key, clock.GetUtcNow(), defaults.TimeZone), cancellation);
        var above = await resolver.OfIdAsync(key.KeyId, cancellation) is { } snapshot ? await ledger.AboveAsync(snapshot, cancellation) : null;
        return new KeyInfo(key.KeyId, (await booked).WithBudgets(above ?? []));
    }

    public async Task<(KeyView[] Keys, long Total)> ListAsync(KeyFilter filter, bool withSpend, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        var (keys, total) = await KeyStore.ListAsync(connection, filter, cancellation);
        await connection.CloseAsync();
        var views = keys.Select(key => KeyView.Of(key, clock.GetUtcNow(), defaults.TimeZone));
        return (withSpend ? await BookedAsync([.. views], cancellation) : [.. views], total);
    }

    /// <summary>Adds what is booked on each key, with one question to Ledger.</summary>
    public async Task<KeyView[]> BookedAsync(IReadOnlyCollection<KeyView> keys, CancellationToken cancellation)
    {
        var spend = await ledger.OfAsync([.. keys.Select(key => BudgetId.Of(BudgetId.KeyScope, key.Token))], cancellation);
        return [.. keys.Select(key => key.WithSpend(spend, BudgetId.Of(BudgetId.KeyScope, key.Token), clock.GetUtcNow(), defaults.TimeZone))];
    }

    private async Task<KeyView> BookedAsync(KeyView key, CancellationToken cancellation) => (await BookedAsync([key], cancellation))[0];

    private KeyView Show(KeyRecord key, RequestBody body) => KeyView.Of(key, clock.GetUtcNow(), defaults.TimeZone) with { Warnings = body.Warnings() };

    private async Task<Outcome<KeyView>> ChangeAsync(
        string? keyOrId, RequestBody body, string action, Actor actor, Func<KeyRecord, DateTimeOffset, KeyRecord> change, CancellationToken cancellation)
    {
        if (keyOrId is null && body.Refusal is null)
        {
            body.Problem("key", "is missing: the key, or its id (token).");
        }

        if (body.Refusal is { } wrong)
        {
            return wrong;
        }

        await using var transaction = await AccessTransaction.BeginAsync(database, actor, clock, cancellation);
        if (await KeyStore.FindAsync(transaction.Connection, keyOrId!, peppers, cancellation) is not { } before)
        {
            return Refusal.NotFound("key", "key");
        }

        var after = change(before, transaction.Now);
        if ((body.Refusal ?? await CheckAsync(transaction, after, before, cancellation)) is { } refusal)
        {
            return refusal;
        }

        after = after with { Stamp = before.Stamp.Changed(transaction, transaction.Change(AccessChangeKind.Key, after.KeyId)) };
        await KeyStore.SaveAsync(transaction, after, cancellation);
        transaction.Audit(action, "key", after.KeyId, KeyView.Image(before), KeyView.Image(after));
        await transaction.CommitAsync(cancellation);
        if (after.Declared)
        {
            body.Warn("This key is declared in config.yaml (user_access): models, budgets and limits are set from there again at the next start or reload.");
        }

        return await BookedAsync(Show(after, body), cancellation);
    }

    /// <summary>Checks what a key points to. A user that does not exist yet is made: LiteLLM's clients name one without making it first.</summary>
    private static async Task<Refusal?> CheckAsync(AccessTransaction transaction, KeyRecord after, KeyRecord before, CancellationToken cancellation)
    {
        if (after.KeyAlias is { } alias && alias != before.KeyAlias && (await KeyStore.OfAliasesAsync(transaction.Connection, [alias], cancellation)).Count > 0)
        {
            return Refusal.Exists("key", "key_alias", "Choose another alias, or change that key with /key/update.");
        }

        if (after.TeamId is { } team && team != before.TeamId && await TeamStore.FindAsync(transaction.Connection, team, cancellation) is null)
        {
            return Refusal.Invalid("team_id", "There is no such team. Make it with POST /team/new first.");
        }

        if (after.OrganizationId is { } organization && organization != before.OrganizationId
            && await OrganizationStore.FindAsync(transaction.Connection, organization, cancellation) is null)
        {
            return Refusal.Invalid("organization_id", "There is no such organization. Make it with POST /organization/new first.");
        }

        if (after.UserId is { } user && user != before.UserId)
        {
            await UserStore.EnsureAsync(transaction, user, cancellation);
        }

        return null;
    }

    private string? OwnKey(RequestBody body, string field = "key")
    {
        var key = body.Text(field, null, KeyMaker.KeyCharactersMax);
        if (key is { Length: < KeyMaker.OwnKeyCharactersMin })
        {
            if (environment.IsDevelopment())
            {
                body.Warn($"{field}: shorter than {KeyMaker.OwnKeyCharactersMin} characters, so it can be guessed. Outside of Development it is refused.");
            }
            else
            {
                body.Problem(field, $"must have at least {KeyMaker.OwnKeyCharactersMin} characters. Leave it out to get a random one.");
            }
        }

        if (key is not null && (key.Contains(' ', StringComparison.Ordinal) || KeyMaker.IsKeyId(key)))
        {
            body.Problem(field, "must not contain a space, nor look like a key's id (64 hexadecimal digits).");
        }

        return key;
    }
}
