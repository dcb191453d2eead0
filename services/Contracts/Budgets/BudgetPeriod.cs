using System.Globalization;

namespace Gateway.Contracts;

/// <summary>
/// How often a budget starts again: <c>30s 30m 24h 7d 30d 1mo</c>, aligned to the calendar of a time zone.
/// <c>24h</c> and <c>1d</c> start at midnight, <c>7d</c> on Monday, <c>30d</c> and <c>1mo</c> on the first of the month
/// (LiteLLM's reading); any other number of days counts from Monday 1 January 2001, seconds, minutes and hours from midnight UTC of
/// that day.
/// </summary>
public sealed record BudgetPeriod
{
    private static readonly DateTime Origin = new(2001, 1, 1, 0, 0, 0, DateTimeKind.Unspecified);

    private readonly PeriodUnit unit;
    private readonly int count;

    private BudgetPeriod(string text, PeriodUnit unit, int count)
    {
        Text = text;
        this.unit = unit;
        this.count = count;
    }

    private enum PeriodUnit
    {
        Second,
        Day,
        Month,
    }

    /// <summary>The period as it was written.</summary>
    public string Text { get; }

    /// <summary>Reads a period; false when the text is none of the forms, or longer than ten years.</summary>
    public static bool TryParse(string? text, out BudgetPeriod? period)
    {
        period = null;
        var trimmed = text?.Trim() ?? "";
        var digits = trimmed.TakeWhile(char.IsAsciiDigit).Count();
        if (digits is 0 or > 9 || !int.TryParse(trimmed[..digits], CultureInfo.InvariantCulture, out var count) || count < 1)
        {
            return false;
        }

        const int secondsMax = 10 * 366 * 86_400;
        (PeriodUnit Unit, long Count)? read = trimmed[digits..] switch
        {
            "s" => (PeriodUnit.Second, count),
            "m" => (PeriodUnit.Second, count * 60L),
            "h" => (PeriodUnit.Second, count * 3_600L),
            "d" => (PeriodUnit.Day, count),
            "w" => (PeriodUnit.Day, count * 7L),
            "mo" => (PeriodUnit.Month, count),
            "y" => (PeriodUnit.Month, count * 12L),
            _ => null,
        };
        if (read is not { } found)
        {
            return false;
        }

        if (found is { Unit: PeriodUnit.Second } && found.Count % 86_400 == 0)
        {
            found = (PeriodUnit.Day, found.Count / 86_400);
        }

        if (found is { Unit: PeriodUnit.Day, Count: 30 })
        {
            found = (PeriodUnit.Month, 1);
        }

        var tooLong = found.Unit switch
        {
            PeriodUnit.Second => found.Count > secondsMax,
            PeriodUnit.Day => found.Count > secondsMax / 86_400,
            _ => found.Count > 120,
        };
        if (tooLong)
        {
            return false;
        }

        period = new BudgetPeriod(trimmed, found.Unit, (int)found.Count);
        return true;
    }

    /// <summary>The window that <paramref name="instant"/> lies in: its start (inclusive) and its end (exclusive).</summary>
    public (DateTimeOffset Start, DateTimeOffset End) WindowAt(DateTimeOffset instant, TimeZoneInfo zone)
    {
        if (unit == PeriodUnit.Second)
        {
            var origin = new DateTimeOffset(Origin, TimeSpan.Zero);
            var length = TimeSpan.FromSeconds(count);
            var index = Math.DivRem((instant - origin).Ticks, length.Ticks, out var rest) - (rest < 0 ? 1 : 0);
            var start = origin + (length * index);
            return (start, start + length);
        }

        var local = TimeZoneInfo.ConvertTime(instant, zone).DateTime;
        DateTime first, next;
        if (unit == PeriodUnit.Day)
        {
            var day = (local.Date - Origin).Days;
            var index = Math.DivRem(day, count, out var rest) - (rest < 0 ? 1 : 0);
            first = Origin.AddDays((long)index * count);
            next = first.AddDays(count);
        }
        else
        {
            var month = ((local.Year - Origin.Year) * 12) + local.Month - 1;
            var index = Math.DivRem(month, count, out var rest) - (rest < 0 ? 1 : 0);
            first = Origin.AddMonths(index * count);
            next = first.AddMonths(count);
        }

        return (ToInstant(first, zone), ToInstant(next, zone));
    }

    /// <inheritdoc/>
    public override string ToString() => Text;

    // A midnight that daylight saving skips does not exist: the window then starts with the first instant after the gap.
    private static DateTimeOffset ToInstant(DateTime local, TimeZoneInfo zone)
    {
        while (zone.IsInvalidTime(local))
        {
            local = local.AddMinutes(15);
        }

        // A midnight that occurs twice begins with its first occurrence, which has the larger offset.
        var offset = zone.IsAmbiguousTime(local) ? zone.GetAmbiguousTimeOffsets(local).Max() : zone.GetUtcOffset(local);
        return new DateTimeOffset(local, offset);
    }
}
