namespace Gateway.Edge.Routing;

/// <summary>Public names with stars: <c>*</c>, <c>anthropic/*</c>, <c>fo::*:static::*</c>. A star stands for any text.</summary>
internal static class ModelPattern
{
    /// <summary>Whether <paramref name="name"/> is the pattern's. Linear in practice: each star takes the first place that fits.</summary>
    public static bool Matches(string pattern, string name) => Match(pattern, name, null);

    /// <summary>The texts that the stars stand for; null when the name is not the pattern's.</summary>
    public static List<string>? Stars(string pattern, string name)
    {
        var stars = new List<string>();
        return Match(pattern, name, stars) ? stars : null;
    }

    /// <summary>Puts the texts into another pattern's stars, in turn.</summary>
    public static string Fill(string pattern, List<string> stars)
    {
        var parts = pattern.Split('*');
        var filled = parts[0];
        for (var i = 1; i < parts.Length; i++)
        {
            filled += (i <= stars.Count ? stars[i - 1] : "") + parts[i];
        }

        return filled;
    }

    private static bool Match(string pattern, string name, List<string>? stars)
    {
        var parts = pattern.Split('*');
        if (parts.Length == 1)
        {
            return pattern == name;
        }

        if (name.Length < parts[0].Length + parts[^1].Length || !name.StartsWith(parts[0], StringComparison.Ordinal) || !name.EndsWith(parts[^1], StringComparison.Ordinal))
        {
            return false;
        }

        var position = parts[0].Length;
        var end = name.Length - parts[^1].Length;
        for (var i = 1; i < parts.Length - 1; i++)
        {
            var found = name.IndexOf(parts[i], position, end - position, StringComparison.Ordinal);
            if (found < 0)
            {
                return false;
            }

            stars?.Add(name[position..found]);
            position = found + parts[i].Length;
        }

        stars?.Add(name[position..end]);
        return true;
    }
}
