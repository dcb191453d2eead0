using System.Globalization;

namespace Gateway.Auth.Requests;

/// <summary>How long a key lives: <c>30s 30m 12h 30d 2w 1mo 1y</c>; <c>-1</c> for ever.</summary>
internal static class KeyLifetime
{
    private const int YearsMax = 100;

    /// <summary>The end of a life that begins now; false when the text is none.</summary>
    public static bool TryEnd(string text, DateTimeOffset now, out DateTimeOffset? end)
    {
        end = null;
        if (text == "-1")
        {
            return true;
        }

        var digits = text.TakeWhile(char.IsAsciiDigit).Count();
        if (digits is 0 or > 9 || !long.TryParse(text.AsSpan(0, digits), CultureInfo.InvariantCulture, out var count))
        {
            return false;
        }

        var seconds = text[digits..] switch
        {
            "s" => count,
            "m" => count * 60,
            "h" => count * 3600,
            "d" => count * 86_400,
            "w" => count * 7 * 86_400,
            "mo" or "y" => 0,
            _ => -1,
        };
        if (seconds < 0 || seconds > YearsMax * 366L * 86_400 || (text.EndsWith('y') && count > YearsMax) || (text.EndsWith("mo", StringComparison.Ordinal) && count > YearsMax * 12))
        {
            return false;
        }

        end = text[digits..] switch
        {
            "mo" => now.AddMonths((int)count),
            "y" => now.AddYears((int)count),
            _ => now.AddSeconds(seconds),
        };
        return true;
    }
}
