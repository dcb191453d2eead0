using Gateway.Contracts;
using Gateway.ServiceDefaults;
using Npgsql;
using NpgsqlTypes;

namespace Gateway.Auth.Audit;

/// <summary>Who changes something.</summary>
/// <param name="Name">The user, or <c>master key</c>, or <c>config.yaml</c>.</param>
/// <param name="KeyId">The key that was used: its id.</param>
/// <param name="ChangedBy">Whom the caller says it acts for (header <c>litellm-changed-by</c>): a claim, kept as one.</param>
internal sealed record Actor(string Name, string? KeyId = null, string? ChangedBy = null)
{
    private const int ChangedByCharactersMax = 256;

    /// <summary>The configuration file.</summary>
    public static readonly Actor Configuration = new("config.yaml");

    /// <summary>The caller of an admin route.</summary>
    public static Actor Of(HttpContext context)
    {
        var caller = CallerIdentity.From(context);
        var changedBy = context.Request.Headers["litellm-changed-by"].ToString();
        return new Actor(
            caller?.UserId ?? (caller?.KeyId == Keys.MasterKey.Id ? "master key" : caller?.KeyId ?? "unknown"),
            caller?.KeyId,
            changedBy is { Length: > 0 and <= ChangedByCharactersMax } ? changedBy : null);
    }
}

/// <summary>One line of the audit.</summary>
internal sealed record AuditLine(DateTimeOffset At, Actor Actor, string Action, string ObjectType, string ObjectId, string? Before, string? After)
{
    public NpgsqlBatchCommand ToInsert() => new(
        "insert into audit (at, actor, actor_key_id, changed_by, action, object_type, object_id, before, after) values ($1, $2, $3, $4, $5, $6, $7, $8, $9)")
    {
        Parameters =
        {
            new() { Value = At.ToUniversalTime(), NpgsqlDbType = NpgsqlDbType.TimestampTz },
            Text(Actor.Name), Text(Actor.KeyId), Text(Actor.ChangedBy), Text(Action), Text(ObjectType), Text(ObjectId), Json(Before), Json(After),
        },
    };

    private static NpgsqlParameter Text(string? value) => new() { Value = value ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    private static NpgsqlParameter Json(string? value) => new() { Value = value ?? (object)DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb };
}
