using System.Text.Json;
using Gateway.Auth.Requests;

namespace Gateway.Auth.Access;

/// <summary>
/// Which credentials an owner's calls use: <c>{"openai": "payments-openai"}</c>, the name of one in the configuration's <c>credential_list</c>
/// by deployment, public model name or provider. Their values are known to edges alone.
/// </summary>
internal static class OwnCredentials
{
    public const string Field = "credentials";
    private const int NamesMax = 100;

    /// <summary>The stored JSON; what is wrong with a new one is noted on the request.</summary>
    public static string Apply(RequestBody body, string before)
    {
        var after = body.Object(Field, before);
        if (body.Has(Field))
        {
            var fields = JsonElement.Parse(after).EnumerateObject().ToArray();
            if (fields.Length > NamesMax || fields.Any(field => !IsName(field.Name) || field.Value.ValueKind != JsonValueKind.String || !IsName(field.Value.GetString()!)))
            {
                body.Problem(Field, $"must name at most {NamesMax} credentials of credential_list in config.yaml, by provider, model or deployment: {{\"openai\": \"payments-openai\"}}. It never holds a credential itself.");
                return before;
            }

            foreach (var unknown in fields.Select(static field => field.Value.GetString()!).Where(name => !body.KnowsCredential(name)).Distinct(StringComparer.Ordinal))
            {
                body.Problem(Field, $"there is no credential '{unknown}' in credential_list of config.yaml. Add it there first.");
            }
        }

        return after;
    }

    /// <summary>The JSON of declared names; the stored one where it says the same, in whatever form the database keeps it.</summary>
    public static string Of(IReadOnlyDictionary<string, string> declared, string? stored)
    {
        var known = stored is null ? null : Joined(stored) ?? [];
        return known is not null && known.Count == declared.Count && declared.All(use => known.GetValueOrDefault(use.Key) == use.Value)
            ? stored!
            : JsonSerializer.Serialize(declared.ToDictionary(), AuthJson.Default.DictionaryStringString);
    }

    /// <summary>What holds for a key: its own names before its team's, its user's and its organization's; null for none at all.</summary>
    public static Dictionary<string, string>? Joined(params ReadOnlySpan<string> nearestFirst)
    {
        Dictionary<string, string>? joined = null;
        foreach (var json in nearestFirst)
        {
            if (json == "{}")
            {
                continue;
            }

            joined ??= new(StringComparer.Ordinal);
            foreach (var field in JsonElement.Parse(json).EnumerateObject())
            {
                joined.TryAdd(field.Name, field.Value.GetString()!);
            }
        }

        return joined;
    }

    private static bool IsName(string text) => text.Length is > 0 and <= 200 && !text.Any(char.IsControl);
}
