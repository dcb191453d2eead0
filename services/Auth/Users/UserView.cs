using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Auth.Access;
using Gateway.Auth.Keys;
using Gateway.Auth.Teams;

namespace Gateway.Auth.Users;

/// <summary>A user as the admin API shows it. <see cref="Key"/> is there only in the one answer that made it.</summary>
internal sealed record UserView : AllowanceView
{
    public string UserId { get; init; } = "";

    public string? UserAlias { get; init; }

    public string? UserEmail { get; init; }

    public string UserRole { get; init; } = "";

    public string? OrganizationId { get; init; }

    public string[] Teams { get; init; } = [];

    public bool Disabled { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Key { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? KeyName { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Token { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? Expires { get; init; }

    public static UserView Of(UserRecord user, DateTimeOffset now, string timeZone) => new UserView
    {
        UserId = user.UserId,
        UserAlias = user.UserAlias,
        UserEmail = user.UserEmail,
        UserRole = Roles.NameOf(user.Role),
        OrganizationId = user.OrganizationId,
        Blocked = user.Blocked,
        Disabled = user.Disabled,
    }.Fill(user.Allowance, user.Stamp, user.Metadata, now, timeZone);

    public static string Image(UserRecord user) =>
        JsonSerializer.Serialize(Of(user, user.Stamp.UpdatedAt, "UTC") with { BudgetResetAt = null }, AuthJson.Default.UserView);

    /// <summary>Leaves the key out.</summary>
    public override string ToString() => $"user {UserId}";
}

/// <summary>Answer of <c>GET /user/info</c>.</summary>
internal sealed record UserInfo(string UserId, [property: JsonPropertyName("user_info")] UserView Info, KeyView[] Keys, TeamView[] Teams);

/// <summary>Answer of <c>GET /user/list</c>.</summary>
internal sealed record UserList(UserView[] Users, long Total, int Page, int PageSize, int TotalPages);

/// <summary>Answer of <c>POST /user/delete</c>.</summary>
internal sealed record DeletedUsers([property: JsonPropertyName("deleted_users")] string[] Users, [property: JsonPropertyName("deleted_keys")] string[] Keys);
