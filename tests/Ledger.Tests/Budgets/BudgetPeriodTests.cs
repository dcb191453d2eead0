using System.Globalization;
using Gateway.Contracts;
using Gateway.Ledger.Budgets;

namespace Gateway.Ledger.Tests.Budgets;

/// <summary>T-9: windows begin and end at the right instant, in the zone that was asked for, over daylight saving.</summary>
public sealed class BudgetPeriodTests
{
    [Theory]
    // Berlin goes to summer time on 2026-03-29 at 02:00 and back on 2026-10-25 at 03:00: days of 23 and of 25 hours.
    [InlineData("1d", "Europe/Berlin", "2026-03-29T12:00:00Z", "2026-03-28T23:00:00Z", "2026-03-29T22:00:00Z")]
    [InlineData("24h", "Europe/Berlin", "2026-10-25T12:00:00Z", "2026-10-24T22:00:00Z", "2026-10-25T23:00:00Z")]
    [InlineData("7d", "Europe/Berlin", "2026-03-29T21:59:59Z", "2026-03-22T23:00:00Z", "2026-03-29T22:00:00Z")]
    [InlineData("1mo", "Europe/Berlin", "2026-03-31T22:00:00Z", "2026-03-31T22:00:00Z", "2026-04-30T22:00:00Z")]
    [InlineData("30d", "UTC", "2026-02-28T23:59:59Z", "2026-02-01T00:00:00Z", "2026-03-01T00:00:00Z")]
    // Santiago's clocks skip midnight itself on 2026-09-06: that day begins at 01:00.
    [InlineData("1d", "America/Santiago", "2026-09-06T12:00:00Z", "2026-09-06T04:00:00Z", "2026-09-07T03:00:00Z")]
    // Havana's midnight occurs twice on 2026-11-01: the day begins with the first.
    [InlineData("1d", "America/Havana", "2026-11-01T04:30:00Z", "2026-11-01T04:00:00Z", "2026-11-02T05:00:00Z")]
    [InlineData("1d", "Asia/Kathmandu", "2026-11-24T18:14:59Z", "2026-11-23T18:15:00Z", "2026-11-24T18:15:00Z")]
    [InlineData("1h", "Europe/Berlin", "2026-10-25T00:30:00Z", "2026-10-25T00:00:00Z", "2026-10-25T01:00:00Z")]
    [InlineData("30s", "UTC", "2026-11-24T00:00:29Z", "2026-11-24T00:00:00Z", "2026-11-24T00:00:30Z")]
    [InlineData("1y", "UTC", "2026-11-24T00:00:00Z", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z")]
    [InlineData("1w", "UTC", "2026-11-24T00:00:00Z", "2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z")]
    public void T9_a_window_begins_and_ends_at_the_right_instant(string period, string zone, string at, string start, string end)
    {
        Assert.True(BudgetPeriod.TryParse(period, out var read));
        Assert.Equal((Instant(start), Instant(end)), read!.WindowAt(Instant(at), TimeZoneInfo.FindSystemTimeZoneById(zone)));
    }

    [Theory]
    [InlineData("1d")]
    [InlineData("3d")]
    [InlineData("7d")]
    [InlineData("1mo")]
    [InlineData("6h")]
    public void T9_windows_follow_each_other_without_a_gap_or_an_overlap_through_two_years_of_every_odd_zone(string period)
    {
        Assert.True(BudgetPeriod.TryParse(period, out var read));
        foreach (var name in new[] { "Europe/Berlin", "America/Santiago", "America/Havana", "Australia/Lord_Howe", "Africa/Casablanca", "Pacific/Apia", "Asia/Kathmandu" })
        {
            var zone = TimeZoneInfo.FindSystemTimeZoneById(name);
            var at = Instant("2026-01-01T00:00:00Z");
            while (at < Instant("2028-01-01T00:00:00Z"))
            {
                var (start, end) = read!.WindowAt(at, zone);
                Assert.True(start <= at && at < end, $"{name}: {at:O} is not in {start:O}..{end:O}");
                Assert.Equal((start, end), read.WindowAt(end.AddTicks(-1), zone));
                Assert.Equal(end, read.WindowAt(end, zone).Start);
                at = end;
            }
        }
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("d")]
    [InlineData("0d")]
    [InlineData("-1d")]
    [InlineData("1.5h")]
    [InlineData("1 day")]
    [InlineData("11y")]
    [InlineData("9999999999s")]
    public void What_is_no_period_is_not_read_as_one(string? text) => Assert.False(BudgetPeriod.TryParse(text, out _));

    [Theory]
    [InlineData("user/ann@example.com@1d@1764547200", "user/ann@example.com", "1d")]
    [InlineData("user/ann@example.com", "user/ann@example.com", null)]
    [InlineData("user/a@b@c", "user/a@b@c", null)]
    [InlineData("gateway/all", "gateway/all", null)]
    public void A_windows_name_is_taken_apart_again_whatever_its_owner_is_called(string window, string budget, string? period)
    {
        var name = WindowName.Parse(window);
        Assert.Equal((budget, period), (name.BudgetId, name.Period));
    }

    private static DateTimeOffset Instant(string text) => DateTimeOffset.Parse(text, CultureInfo.InvariantCulture);
}
