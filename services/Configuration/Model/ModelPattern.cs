namespace Gateway.Configuration;

/// <summary>Names with <c>*</c>, each of which stands for any text: <c>*</c>, <c>anthropic/*</c>, <c>fo::*:static::*</c>.</summary>
public static class ModelPattern
{
    /// <summary>Whether <paramref name="name"/> is one that <paramref name="pattern"/> stands for. Linear in the two lengths multiplied, at worst.</summary>
    public static bool Matches(ReadOnlySpan<char> pattern, ReadOnlySpan<char> name)
    {
        int p = 0, n = 0, star = -1, retry = 0;
        while (n < name.Length)
        {
            if (p < pattern.Length && pattern[p] == '*')
            {
                star = p++;
                retry = n;
            }
            else if (p < pattern.Length && pattern[p] == name[n])
            {
                p++;
                n++;
            }
            else if (star >= 0)
            {
                // The last star takes one letter more; those before it need never be tried again.
                p = star + 1;
                n = ++retry;
            }
            else
            {
                return false;
            }
        }

        while (p < pattern.Length && pattern[p] == '*')
        {
            p++;
        }

        return p == pattern.Length;
    }

    /// <summary>
    /// The provider's name of the model for a request of <paramref name="name"/>, which matches <paramref name="pattern"/>: what the first
    /// <c>*</c> of the pattern stands for, put in the place of that of <paramref name="providerModel"/>.
    /// </summary>
    public static string Fill(string providerModel, string pattern, string name)
    {
        var hole = providerModel.IndexOf('*', StringComparison.Ordinal);
        var star = pattern.IndexOf('*', StringComparison.Ordinal);
        if (hole < 0 || star < 0 || pattern.IndexOf('*', star + 1) >= 0)
        {
            // Several stars: the whole name is what the provider is asked for, without the pattern's fixed beginning.
            return hole < 0 ? providerModel : string.Concat(providerModel.AsSpan(0, hole), name.AsSpan(Math.Max(0, star)), providerModel.AsSpan(hole + 1));
        }

        var text = name.AsSpan(star, name.Length - pattern.Length + 1);
        return string.Concat(providerModel.AsSpan(0, hole), text, providerModel.AsSpan(hole + 1));
    }
}
