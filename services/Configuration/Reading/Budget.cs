using Gateway.Contracts;

namespace Gateway.Configuration.Reading;

/// <summary>Reads a limit with its period.</summary>
internal static class Budget
{
    public static (Money? Limit, string? Period) Read(Findings findings, Section section, string limitKey, string periodKey)
    {
        var limit = section.Dollars(limitKey);
        var period = section.Period(periodKey);
        if (section.Value(limitKey) is null && section.Value(periodKey) is { } alone)
        {
            findings.Warn(alone, section.PathOf(periodKey), period, $"it has no effect without {limitKey}.", $"Write {limitKey}, or remove it.");
        }

        return (limit, period);
    }
}
