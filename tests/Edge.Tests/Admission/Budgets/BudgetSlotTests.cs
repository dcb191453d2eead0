using Gateway.Contracts;
using Gateway.Edge.Admission.Budgets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Edge.Tests.Admission.Budgets;

/// <summary>Which window an edge charges: the one that is open at the instant, in the budget's own time zone.</summary>
public sealed class BudgetSlotTests
{
    // Berlin's clocks go forward on 2026-03-29 and back on 2026-10-25: days of 23 and of 25 hours.
    [Theory]
    [InlineData("2026-03-28T22:59:59.999Z", "2026-03-29T22:00:00Z", 23)]
    [InlineData("2026-10-24T21:59:59.999Z", "2026-10-25T23:00:00Z", 25)]
    public void T9_a_day_begins_at_midnight_of_its_time_zone_also_when_the_clocks_change(string before, string end, int hours)
    {
        var time = new FakeTimeProvider(DateTimeOffset.Parse(before, System.Globalization.CultureInfo.InvariantCulture));
        var definition = new BudgetDefinition { Id = "user/ann", Limit = new Money(1_000), Period = "1d", TimeZone = "Europe/Berlin", Revision = 1 };
        var identity = new EdgeIdentity(new ConfigurationBuilder().Build());
        var slot = new BudgetSlot(definition, new BudgetLeases(null!, null!, identity, Options.Create(new BudgetOptions()), null!, time), time);
        var yesterday = slot.Current();

        time.Advance(TimeSpan.FromMilliseconds(1));
        var today = slot.Current();
        Assert.NotSame(yesterday, today);
        Assert.Equal((time.GetUtcNow(), DateTimeOffset.Parse(end, System.Globalization.CultureInfo.InvariantCulture)), (today.Window.Start, today.Window.End));
        Assert.Equal(yesterday.Window.End, today.Window.Start);

        time.Advance(TimeSpan.FromHours(hours) - TimeSpan.FromMilliseconds(1));
        Assert.Same(today, slot.Current());
        time.Advance(TimeSpan.FromMilliseconds(1));
        Assert.Equal(today.Window.End, slot.Current().Window.Start);
    }
}
