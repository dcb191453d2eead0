using System.Diagnostics.Metrics;
using Gateway.Contracts;

namespace Gateway.Edge.Tests;

public sealed class RequestTotalsTests
{
    private static readonly SeriesLabels Alpha = new("gpt-4", "openai", "team-alpha", "alpha");

    private readonly RequestTotals totals = new();

    [Fact]
    public void Requests_AreToldApart_ByWhoseTheyWereAndWhatWasAnswered()
    {
        totals.Handled(Alpha, 200, null);
        totals.Handled(Alpha, 200, null);
        totals.Handled(Alpha, 429, "budget_exceeded");
        totals.Handled(new("", "", "", ""), 401, "invalid_api_key");

        Assert.Equal(
            [
                "1 code=budget_exceeded key_alias=alpha model=gpt-4 provider=openai status=429 team=team-alpha",
                "1 code=invalid_api_key key_alias= model= provider= status=401 team=",
                "2 key_alias=alpha model=gpt-4 provider=openai status=200 team=team-alpha",
            ],
            totals.Requests().Select(Text).Order(StringComparer.Ordinal));
    }

    [Fact]
    public void TokensAndCost_AreSums_AndWhatIsZeroIsNoSeries()
    {
        totals.Used(Alpha, 10, 0, new(1_500_000));
        totals.Used(Alpha, 5, 0, new(500_000));
        totals.Used(Alpha with { Team = "beta" }, 0, 7, Money.Zero);

        Assert.Equal(
            ["15 key_alias=alpha model=gpt-4 provider=openai team=team-alpha type=input", "7 key_alias=alpha model=gpt-4 provider=openai team=beta type=output"],
            totals.Tokens().Select(Text).Order(StringComparer.Ordinal));
        Assert.Equal(["0.002 key_alias=alpha model=gpt-4 provider=openai team=team-alpha"], totals.Cost().Select(Text));
    }

    [Fact]
    public async Task BeyondTheBound_NothingIsLost_AndItIsNobodysInParticular()
    {
        const int owners = RequestTotals.LabelsMax + 500;
        await Parallel.ForAsync(0, 4, (_, _) =>
        {
            for (var owner = 0; owner < owners; owner++)
            {
                var labels = Alpha with { KeyAlias = $"key-{owner}" };
                totals.Handled(labels, 200, null);
                totals.Used(labels, 1, 2, new(3_000_000_000));
            }

            return ValueTask.CompletedTask;
        });

        Assert.Equal(4 * owners, totals.Requests().Sum(static one => one.Value));
        Assert.Equal(4 * 3 * owners, totals.Tokens().Sum(static one => one.Value));
        Assert.Equal(4d * 3 * owners, totals.Cost().Sum(static one => one.Value));
        Assert.All([totals.Requests().Count(), totals.Tokens().Count(), totals.Cost().Count()], static series => Assert.InRange(series, RequestTotals.LabelsMax, 2_000));
        Assert.Contains(totals.Requests(), static one => Text(one).Contains($"team={RequestTotals.Others}", StringComparison.Ordinal));
    }

    [Fact]
    public void BeyondTheBoundOfAnswers_NothingIsLost_AndTokensAreStillToldApart()
    {
        for (var number = 0; number < 3_000; number++)
        {
            totals.Handled(Alpha with { KeyAlias = $"key-{number % 10}" }, number, "code");
        }

        totals.Used(Alpha with { KeyAlias = "another" }, 1, -5, new(-3));

        Assert.Equal(3_000, totals.Requests().Sum(static one => one.Value));
        Assert.InRange(totals.Requests().Count(static one => !Text(one).Contains(RequestTotals.Others, StringComparison.Ordinal)), 1, RequestTotals.AnswersMax);
        Assert.Equal(["1 key_alias=another model=gpt-4 provider=openai team=team-alpha type=input"], totals.Tokens().Select(Text));
        Assert.Empty(totals.Cost());
    }

    private static string Text<T>(Measurement<T> one)
        where T : struct =>
        FormattableString.Invariant($"{one.Value} ") + string.Join(' ', one.Tags.ToArray().Select(static tag => $"{tag.Key}={tag.Value}").Order(StringComparer.Ordinal));
}
