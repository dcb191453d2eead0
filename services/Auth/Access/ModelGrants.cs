namespace Gateway.Auth.Access;

/// <summary>
/// Which models a key may call: those that the key grants and the owner above it grants too. LiteLLM's words are understood:
/// <c>all-proxy-models</c> and <c>*</c> (every model), <c>all-team-models</c> (the team's), <c>no-default-models</c> (none by default).
/// Null stands for every model, an empty array for none.
/// </summary>
internal static class ModelGrants
{
    public const string AllProxyModels = "all-proxy-models";
    public const string AllTeamModels = "all-team-models";
    public const string NoDefaultModels = "no-default-models";

    /// <summary>
    /// The models of a key. Its team's list bounds it, or its user's when it has no team (a team's key works for the team), and always its
    /// organization's.
    /// </summary>
    public static string[]? Of(string[] key, bool hasTeam, string[] team, string[] user, string[] organization)
    {
        var above = hasTeam ? List(team) : List(user);
        var own = key.Contains(AllTeamModels, StringComparer.Ordinal) ? (hasTeam ? above : []) : List(key);
        return Intersect(Intersect(own, above), List(organization));
    }

    /// <summary>A list as it is stored: empty means that it bounds nothing.</summary>
    private static string[]? List(string[] models)
    {
        if (models.Length == 0 || models.Any(model => model is AllProxyModels or "*"))
        {
            return null;
        }

        return [.. models.Where(model => model is not (NoDefaultModels or AllTeamModels))];
    }

    internal static string[]? Intersect(string[]? left, string[]? right)
    {
        if (left is null || right is null)
        {
            return left ?? right;
        }

        // Two patterns of which neither contains the other (a*, *b) have no common pattern: such a pair grants nothing, which is the safe side.
        return [.. left.SelectMany(one => right
            .Select(other => Matches(other, one) ? one : Matches(one, other) ? other : null)
            .OfType<string>())
            .Distinct(StringComparer.Ordinal)];
    }

    /// <summary>Whether <paramref name="pattern"/>, in which <c>*</c> stands for any text, covers <paramref name="name"/>.</summary>
    internal static bool Matches(string pattern, string name)
    {
        // Linear with one point of return: a pattern of many stars cannot make it slow.
        int p = 0, n = 0, star = -1, from = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                from = n;
            }
            else if (p < pattern.Length && pattern[p] == name[n])
            {
                p++;
                n++;
            }
            else if (star >= 0)
            {
                p = star + 1;
                n = ++from;
            }
            else
            {
                return false;
            }
        }

        return pattern.AsSpan(p).IndexOfAnyExcept('*') < 0;
    }
}
