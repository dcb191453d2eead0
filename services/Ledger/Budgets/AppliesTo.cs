using System.Text.Json.Serialization;
using Gateway.Contracts;

namespace Gateway.Ledger.Budgets;

/// <summary>
/// <c>applies_to</c> of <c>/budget/new</c>, which LiteLLM does not have: whose requests a shared budget counts. Those of any of the
/// organizations, teams, users, keys and end users named, to any of the models, with all of the tags, answered by any of the providers and
/// deployments. A list that is not there bounds nothing.
/// </summary>
internal sealed record AppliesTo
{
    private const int NamesMax = 500;
    private const int CharactersMax = 256;

    [JsonPropertyName("organizations")]
    public string[]? Organizations { get; init; }

    [JsonPropertyName("teams")]
    public string[]? Teams { get; init; }

    [JsonPropertyName("users")]
    public string[]? Users { get; init; }

    /// <summary>By their ids (<c>token</c>), never by the keys themselves.</summary>
    [JsonPropertyName("keys")]
    public string[]? Keys { get; init; }

    [JsonPropertyName("end_users")]
    public string[]? EndUsers { get; init; }

    /// <summary>Public names or patterns.</summary>
    [JsonPropertyName("models")]
    public string[]? Models { get; init; }

    [JsonPropertyName("tags")]
    public string[]? Tags { get; init; }

    [JsonPropertyName("providers")]
    public string[]? Providers { get; init; }

    [JsonPropertyName("deployments")]
    public string[]? Deployments { get; init; }

    /// <summary>What nobody reads: a misspelt list would make the budget count everybody.</summary>
    [JsonExtensionData]
    public Dictionary<string, System.Text.Json.JsonElement>? Unknown { get; init; }

    /// <summary>What is wrong with it; null when nothing is.</summary>
    public string? Refusal()
    {
        if (Unknown is { Count: > 0 } unknown)
        {
            return $"applies_to has the unknown field '{unknown.Keys.First()}': it knows organizations, teams, users, keys, end_users, models, tags, providers and deployments.";
        }

        string[][] lists = [.. new[] { Organizations, Teams, Users, Keys, EndUsers, Models, Tags, Providers, Deployments }.Select(list => list ?? [])];
        if (lists.Sum(list => list.Length) is 0 or > NamesMax)
        {
            return $"applies_to must name 1 to {NamesMax} teams, users, keys, organizations, end users, models, tags, providers or deployments.";
        }

        if (lists.Any(list => Array.Exists(list, name => name is not { Length: > 0 and <= CharactersMax } || name.Any(char.IsControl))))
        {
            return $"applies_to has a name that is empty, longer than {CharactersMax} characters, or has control characters.";
        }

        return (Keys ?? []).Any(key => key.Length != 64 || !key.All(char.IsAsciiHexDigitLower))
            ? "applies_to.keys takes the ids of keys (token in /key/info), not keys: they must not be stored here."
            : null;
    }

    public BudgetShare ToShare() => new()
    {
        Owners =
        [
            .. Named(BudgetId.OrganizationScope, Organizations), .. Named(BudgetId.TeamScope, Teams), .. Named(BudgetId.UserScope, Users),
            .. Named(BudgetId.KeyScope, Keys), .. Named(BudgetId.EndUserScope, EndUsers),
        ],
        Models = Models ?? [],
        Tags = Tags ?? [],
        Targets = [.. Named(BudgetId.ProviderScope, Providers), .. Named(BudgetId.DeploymentScope, Deployments)],
    };

    private static IEnumerable<string> Named(string scope, string[]? owners) => (owners ?? []).Select(owner => BudgetId.Of(scope, owner));
}
