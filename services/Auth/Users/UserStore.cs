using Gateway.Auth.Access;
using Gateway.Contracts;
using Npgsql;

namespace Gateway.Auth.Users;

/// <summary>Reads and writes the table of users.</summary>
internal static class UserStore
{
    public static async Task<UserRecord?> FindAsync(NpgsqlConnection connection, string userId, CancellationToken cancellation) =>
        (await FindAsync(connection, [userId], cancellation)).FirstOrDefault();

    public static async Task<List<UserRecord>> FindAsync(NpgsqlConnection connection, string[] userIds, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select * from users where user_id = any($1)", connection) { Parameters = { new() { Value = userIds } } };
        return await ReadAsync(command, cancellation);
    }

    public static async Task<UserRecord?> FindByEmailAsync(NpgsqlConnection connection, string email, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select * from users where lower(user_email) = lower($1)", connection) { Parameters = { new() { Value = email } } };
        return (await ReadAsync(command, cancellation)).FirstOrDefault();
    }

    public static async Task<List<UserRecord>> DeclaredAsync(NpgsqlConnection connection, CancellationToken cancellation)
    {
        await using var command = new NpgsqlCommand("select * from users where declared", connection);
        return await ReadAsync(command, cancellation);
    }

    public static async Task<(List<UserRecord> Users, long Total)> ListAsync(NpgsqlConnection connection, string? role, string? email, int page, int size, CancellationToken cancellation)
    {
        const string where = "where ($1::text is null or user_role = $1) and ($2::text is null or strpos(lower(user_email), lower($2)) > 0)";
        await using var count = new NpgsqlCommand($"select count(*) from users {where}", connection);
        await using var command = new NpgsqlCommand($"select * from users {where} order by created_at desc, user_id limit $3 offset $4", connection);
        foreach (var one in (NpgsqlCommand[])[count, command])
        {
            one.Parameters.Add(new NpgsqlParameter { Value = role ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
            one.Parameters.Add(new NpgsqlParameter { Value = email ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.Text });
        }

        command.Parameters.Add(new NpgsqlParameter { Value = (long)size });
        command.Parameters.Add(new NpgsqlParameter { Value = (page - 1L) * size });
        var total = (long)(await count.ExecuteScalarAsync(cancellation))!;
        return (await ReadAsync(command, cancellation), total);
    }

    /// <summary>Makes a user without limits when there is none of this id, and says so in the audit.</summary>
    public static async Task EnsureAsync(AccessTransaction transaction, string userId, CancellationToken cancellation)
    {
        if (await FindAsync(transaction.Connection, userId, cancellation) is null)
        {
            await CreateAsync(transaction, new UserRecord { UserId = userId, Stamp = Stamp.New(transaction, 0) }, cancellation);
        }
    }

    public static async Task<UserRecord> CreateAsync(AccessTransaction transaction, UserRecord user, CancellationToken cancellation)
    {
        user = user with { Stamp = Stamp.New(transaction, transaction.Change(AccessChangeKind.User, user.UserId)) };
        await SaveAsync(transaction, user, cancellation);
        transaction.Audit("created", "user", user.UserId, null, UserView.Image(user));
        return user;
    }

    public static async Task<UserRecord> UpdateAsync(AccessTransaction transaction, string action, UserRecord before, UserRecord after, CancellationToken cancellation)
    {
        after = after with { Stamp = before.Stamp.Changed(transaction, transaction.Change(AccessChangeKind.User, after.UserId)) };
        await SaveAsync(transaction, after, cancellation);
        transaction.Audit(action, "user", after.UserId, UserView.Image(before), UserView.Image(after));
        return after;
    }

    public static async Task DeleteAsync(AccessTransaction transaction, UserRecord user, CancellationToken cancellation)
    {
        await using var batch = new NpgsqlBatch(transaction.Connection);
        foreach (var sql in (string[])["delete from team_members where user_id = $1", "delete from users where user_id = $1"])
        {
            batch.BatchCommands.Add(new NpgsqlBatchCommand(sql) { Parameters = { new() { Value = user.UserId } } });
        }

        await batch.ExecuteNonQueryAsync(cancellation);
        transaction.Change(AccessChangeKind.User, user.UserId);
        transaction.Audit("deleted", "user", user.UserId, UserView.Image(user), null);
    }

    private static Task SaveAsync(AccessTransaction transaction, UserRecord user, CancellationToken cancellation) =>
        new RowWriter("users", "user_id")
            .Text("user_id", user.UserId)
            .Text("user_alias", user.UserAlias)
            .Text("user_email", user.UserEmail)
            .Text("user_role", Roles.NameOf(user.Role))
            .Text("organization_id", user.OrganizationId)
            .Allowance(user.Allowance)
            .Json("metadata", user.Metadata)
            .Flag("blocked", user.Blocked)
            .Flag("declared", user.Declared)
            .Flag("disabled", user.Disabled)
            .Stamp(user.Stamp)
            .SaveAsync(transaction, cancellation);

    private static async Task<List<UserRecord>> ReadAsync(NpgsqlCommand command, CancellationToken cancellation)
    {
        await using var rows = await command.ExecuteReaderAsync(cancellation);
        var users = new List<UserRecord>();
        while (await rows.ReadAsync(cancellation))
        {
            users.Add(new UserRecord
            {
                UserId = rows.Text("user_id")!,
                UserAlias = rows.Text("user_alias"),
                UserEmail = rows.Text("user_email"),
                Role = Roles.Of(rows.Text("user_role")),
                OrganizationId = rows.Text("organization_id"),
                Allowance = rows.Allowance(),
                Metadata = rows.Text("metadata")!,
                Blocked = rows.Flag("blocked"),
                Declared = rows.Flag("declared"),
                Disabled = rows.Flag("disabled"),
                Stamp = rows.Stamp(),
            });
        }

        return users;
    }
}
