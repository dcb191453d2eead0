namespace Gateway.Configuration.Reading;

/// <summary>Finds what somebody probably meant.</summary>
internal static class Nearest
{
    /// <summary>The name with the fewest changed letters, if they are few for its length; null when nothing is near.</summary>
    public static string? To(string written, IEnumerable<string> names)
    {
        string? best = null;
        var bestDistance = Math.Max(1, written.Length / 3) + 1;
        foreach (var name in names.Where(name => Math.Abs(name.Length - written.Length) < bestDistance).Order(StringComparer.Ordinal))
        {
            var distance = Distance(written, name);
            if (distance < bestDistance)
            {
                (best, bestDistance) = (name, distance);
            }
        }

        return best;
    }

    /// <summary>Letters to insert, remove or replace, or neighbours to swap, until one text is the other; case does not count.</summary>
    public static int Distance(string left, string right)
    {
        // Names of the file can be long; nobody misspells 64 letters into a known key.
        if (left.Length > 64 || right.Length > 64)
        {
            return int.MaxValue;
        }

        var table = new int[left.Length + 1, right.Length + 1];
        for (var i = 0; i <= left.Length; i++)
        {
            for (var j = 0; j <= right.Length; j++)
            {
                if (i == 0 || j == 0)
                {
                    table[i, j] = i + j;
                    continue;
                }

                var same = char.ToLowerInvariant(left[i - 1]) == char.ToLowerInvariant(right[j - 1]);
                table[i, j] = Math.Min(Math.Min(table[i - 1, j], table[i, j - 1]) + 1, table[i - 1, j - 1] + (same ? 0 : 1));
                if (i > 1 && j > 1 && left[i - 1] == right[j - 2] && left[i - 2] == right[j - 1])
                {
                    table[i, j] = Math.Min(table[i, j], table[i - 2, j - 2] + 1);
                }
            }
        }

        return table[left.Length, right.Length];
    }
}
