using System.Globalization;
using FsCheck.Xunit;
using Gateway.Contracts;

namespace Gateway.Pricing.Tests;

public sealed class MoneyTests
{
    [Property(MaxTest = 5_000)]
    public void Dollars_as_text_are_the_exact_decimal(long nanoDollars) => IsExact(nanoDollars);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(-1)]
    [InlineData(1_500_000)]
    [InlineData(-1_000_000_000)]
    [InlineData(-1_500_000_000)]
    [InlineData(20_000_000_000)]
    [InlineData(long.MaxValue)]
    [InlineData(long.MinValue)]
    public void And_so_at_the_edges(long nanoDollars) => IsExact(nanoDollars);

    private static void IsExact(long nanoDollars) =>
        Assert.Equal((nanoDollars / 1_000_000_000m).ToString("0.#########", CultureInfo.InvariantCulture), new Money(nanoDollars).ToDollarText());
}
