using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Auth.Access;
using Gateway.Auth.Spend;

namespace Gateway.Auth.Keys;

/// <summary>A key as the admin API shows it. <see cref="Key"/> is there only in the one answer that made it.</summary>
internal sealed record KeyView : AllowanceView
{
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Key { get; init; }

    public string Token { get; init; } = "";

    public string TokenId => Token;

    public string KeyName { get; init; } = "";

    public string? KeyAlias { get; init; }

    public DateTimeOffset? Expires { get; init; }

    public string? UserId { get; init; }

    public string? TeamId { get; init; }

    public string? OrganizationId { get; init; }

    public string KeyType { get; init; } = "default";

    public string[] AllowedRoutes { get; init; } = [];

    public string[] Tags { get; init; } = [];

    public JsonElement Aliases { get; init; }

    /// <summary>How the budgets of <c>model_max_budget</c> stand, by model. Only in <c>/key/info</c>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public Dictionary<string, BudgetStanding>? ModelMaxBudgetUsage { get; init; }

    /// <summary>LiteLLM's field for settings that this gateway does not have.</summary>
    public Dictionary<string, string> Config { get; init; } = [];

    /// <summary>LiteLLM's field; budgets stand beside it.</summary>
    public string? LitellmBudgetTable { get; init; }

    /// <summary>
    /// The budget with least left of all that the key's requests are under: its own, its user's, team's and organization's, the gateway's,
    /// those on its tags. Only in <c>/key/info</c>; null when none has a limit, or while Ledger does not answer.
    /// </summary>
    public BudgetStanding? TightestBudget { get; init; }

    /// <summary>Whether config.yaml declared it and does so no more.</summary>
    public bool Disabled { get; init; }

    public static KeyView Of(KeyRecord key, DateTimeOffset now, string timeZone) => new KeyView
    {
        Token = key.KeyId,
        KeyName = key.KeyName,
        KeyAlias = key.KeyAlias,
        Expires = key.Expires,
        UserId = key.UserId,
        TeamId = key.TeamId,
        OrganizationId = key.OrganizationId,
        KeyType = key.KeyType,
        AllowedRoutes = key.AllowedRoutes ?? [],
        Tags = key.Tags,
        Aliases = JsonElement.Parse(key.Aliases),
        Blocked = key.Blocked,
        Disabled = key.Disabled,
    }.Fill(key.Allowance, key.Stamp, key.Metadata, now, timeZone);

    /// <summary>The image for the audit: everything but the key.</summary>
    public static string Image(KeyRecord key) =>
        JsonSerializer.Serialize(Of(key, key.Stamp.UpdatedAt, "UTC") with { BudgetResetAt = null }, AuthJson.Default.KeyView);

    /// <summary>Leaves the key out.</summary>
    public override string ToString() => $"key {Token}";
}

/// <summary>Answer of <c>GET /key/info</c>; <paramref name="Key"/> is the public id, whatever was asked with.</summary>
internal sealed record KeyInfo(string Key, KeyView Info);

/// <summary>Answer of <c>GET /key/list</c>.</summary>
internal sealed record KeyIds(string[] Keys, long TotalCount, int CurrentPage, int TotalPages);

/// <summary>Answer of <c>GET /key/list?return_full_object=true</c>.</summary>
internal sealed record KeyViews(KeyView[] Keys, long TotalCount, int CurrentPage, int TotalPages);

/// <summary>Answer of <c>POST /key/delete</c>: what was asked for and is gone.</summary>
internal sealed record DeletedKeys([property: JsonPropertyName("deleted_keys")] string[] Keys)
{
    /// <summary>How many of those asked for did not exist.</summary>
    public int NotFound { get; init; }

    /// <summary>Leaves the keys out.</summary>
    public override string ToString() => "DeletedKeys { *** }";
}
