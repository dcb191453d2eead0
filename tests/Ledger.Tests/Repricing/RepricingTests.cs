using System.Text.Json;
using Gateway.Contracts;
using Gateway.Ledger.Journal;
using Gateway.Ledger.Repricing;
using Gateway.Ledger.Tests.Budgets;
using Gateway.Pricing;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Gateway.Ledger.Tests.Repricing;

[Collection(LedgerTurns.Name)]
public sealed class RepricingTests
{
    private const string Prices = """{"schema":1,"version":"2026-12","prices":[{"provider":"openai","model":"gpt-4","input":10,"output":20,"source":"the contract","date":"2026-12"}]}""";

    [Theory]
    [InlineData("openai/gpt-4@2026-11 priority input=30 output=60", ServiceTier.Priority)]
    [InlineData("openai/gpt-4@2026-11 batch above=200000 input=30", ServiceTier.Batch)]
    [InlineData("openai/gpt-4@2026-11 input=30 output=60", ServiceTier.Standard)]
    [InlineData(null, ServiceTier.Standard)]
    public void The_tier_of_a_request_is_that_of_the_price_in_its_record(string? price, ServiceTier expected) =>
        Assert.Equal(expected, RepricingRules.TierOf(price));

    [Fact]
    public void A_batch_stays_as_it_is_because_its_cost_stands_in_two_rows()
    {
        var prices = PriceCatalogue.Read(Prices, "prices.json").Catalogue!;
        var record = Build.Record(900);
        var request = new UsageToPrice(record.RequestId, record.StartedAt, record.Provider, record.ProviderModel, record.Tokens, record.Price, record.Outcome, record.CallType);
        var booked = new BookedRequest(JournalRules.FromUsage(record), Money.Zero);
        Assert.Null(RepricingRules.Of(request, booked, prices, Guid.NewGuid(), "r", "a").Skipped);
        Assert.Equal(RepricingRules.Batch, RepricingRules.Of(request with { CallType = UsageRecord.BatchCall }, booked, prices, Guid.NewGuid(), "r", "a").Skipped);
    }

    [Fact]
    public async Task A_period_is_priced_anew_by_entries_of_the_difference_once_and_the_requests_stay_as_they_were()
    {
        var window = Build.NewId();
        var (cheaper, dearer) = (Record(40_000, 1_000, 1_000, window), Record(10_000, 1_000, 1_000, window));
        var cut = Record(5_000, 1_000, 1_000, window) with { Outcome = UsageOutcome.BudgetExhausted };
        var other = Record(7_000, 1_000, 1_000, window) with { ProviderModel = "gpt-4o" };
        UsageRecord[] all = [cheaper, dearer, cut, other];
        await using var metering = await MeteringWith(all);
        await using var ledger = await LedgerHost.StartAsync(settings: ("services:metering:http:0", metering.Urls.Single()));
        await ledger.EnsureAsync("edge-1", Build.Ensure(window, 1_000_000_000));
        await EnsureTests.AcquireAsync(ledger, window, "edge-1", 62_000);
        await ledger.PublishAsync(all);
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, window, "spent") == 62_000, "booked");

        // 1,000 tokens at $10 and 1,000 at $20 a million are 30,000,000 nano-dollars.
        var dry = await RepriceAsync(ledger, new { from = DateTimeOffset.UtcNow.AddHours(-1), prices = JsonElement.Parse(Prices), dry_run = true });
        Assert.Equal((2L, 0.00005m, 0.06m), (dry.GetProperty("requests").GetInt64(), dry.GetProperty("before").GetDecimal(), dry.GetProperty("after").GetDecimal()));
        Assert.Equal((1L, 1L), (dry.GetProperty("not_repriced").GetProperty("ended_by_budget").GetInt64(), dry.GetProperty("not_repriced").GetProperty("not_listed").GetInt64()));
        Assert.Equal(4L, await ledger.ScalarAsync<long>("select count(*) from journal.entries"));

        var question = new { id = Guid.NewGuid(), from = DateTimeOffset.UtcNow.AddHours(-1), to = DateTimeOffset.UtcNow.AddHours(1), prices = JsonElement.Parse(Prices), reason = "the contract of December" };
        for (var run = 0; run < 2; run++)
        {
            var real = await RepriceAsync(ledger, question);
            Assert.Equal((run == 0 ? 2L : 0L, 0.06m), (real.GetProperty("entries").GetInt64(), real.GetProperty("after").GetDecimal()));
            Assert.Equal(6L, await ledger.ScalarAsync<long>("select count(*) from journal.entries"));
        }

        Assert.Equal(60_000_000 + 12_000L, await ledger.ScalarAsync<long>("select sum(case when reverses then -amount_nano else amount_nano end)::bigint from journal.entries"));
        Assert.Equal(60_000_000 + 12_000L, await ledger.ScalarAsync<long>($"select spent_nano from windows where window_id = '{window}'"));
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, window, "spent") == 60_012_000, "Redis has heard of it");
        Assert.Equal(2L, await ledger.ScalarAsync<long>("select count(*) from journal.booked where kind = 'repricing' and reason = 'the contract of December' and author = 'admin-ann' and price like 'openai/gpt-4@2026-12 %'"));
        var statement = await BudgetAdminTests.ReadAsync(await ledger.AsAdminAsync(HttpMethod.Get, "/budget/statement?account=provider/openai"));
        Assert.Equal(2, statement.GetProperty("last_entries").EnumerateArray().Count(entry => entry.GetProperty("kind").GetString() == "repricing" && entry.GetProperty("about").ValueKind == JsonValueKind.String));

        // Back again: what is booked is the first price and what was added to it.
        var back = await RepriceAsync(ledger, new { from = DateTimeOffset.UtcNow.AddHours(-1), prices = JsonElement.Parse(Prices.Replace(":10,", ":5,", StringComparison.Ordinal).Replace(":20,", ":10,", StringComparison.Ordinal)), reason = "half" });
        Assert.Equal((0.06m, 0.03m), (back.GetProperty("before").GetDecimal(), back.GetProperty("after").GetDecimal()));
        Assert.Equal(30_012_000L, await ledger.ScalarAsync<long>($"select spent_nano from windows where window_id = '{window}'"));

        var same = await ledger.AsAdminAsync(HttpMethod.Post, "/budget/reprice", question with { prices = JsonElement.Parse(Prices.Replace(":10,", ":11,", StringComparison.Ordinal)) });
        Assert.Equal(409, (int)same.StatusCode);
    }

    [Theory]
    [InlineData("""{"from":"2026-11-01T00:00:00Z","reason":"r"}""", "prices is missing")]
    [InlineData("""{"from":"2026-11-01T00:00:00Z","reason":"r","prices":{"prices":[{"provider":"openai"}]}}""", "model")]
    [InlineData("""{"reason":"r","prices":{"prices":[]}}""", "from must be")]
    [InlineData("""{"from":"2024-11-01T00:00:00Z","to":"2024-12-01T00:00:00Z","reason":"r","prices":{"schema":1,"version":"v","prices":[]}}""", "Ledger:WindowsKeptFor")]
    [InlineData("""{"from":"2026-11-01T00:00:00Z","prices":{"schema":1,"version":"v","prices":[]}}""", "reason is missing")]
    public async Task A_wrong_question_is_refused_with_the_remedy(string body, string names)
    {
        await using var ledger = await LedgerHost.StartAsync();
        var answer = await ledger.AsAdminAsync(HttpMethod.Post, "/budget/reprice", JsonElement.Parse(body));
        Assert.Equal(422, (int)answer.StatusCode);
        Assert.Contains(names, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(399, false, 422)]
    [InlineData(397, false, 200)]
    [InlineData(700, true, 200)]
    public async Task What_windows_may_be_forgotten_of_meanwhile_is_only_asked_about(int daysAgo, bool dryRun, int status)
    {
        await using var metering = await MeteringWith([]);
        await using var ledger = await LedgerHost.StartAsync(settings: [("services:metering:http:0", metering.Urls.Single())]);
        var from = DateTimeOffset.UtcNow.AddDays(-daysAgo);
        var answer = await ledger.AsAdminAsync(HttpMethod.Post, "/budget/reprice", new { from, to = from.AddDays(1), prices = JsonElement.Parse(Prices), reason = "r", dry_run = dryRun });
        Assert.Equal(status, (int)answer.StatusCode);
    }

    private static UsageRecord Record(long cost, long input, long output, string window) =>
        Build.Record(cost, windows: window) with { Tokens = new TokenUsage { Input = input, Output = output }, StartedAt = DateTimeOffset.UtcNow.AddMinutes(-5) };

    private static async Task<JsonElement> RepriceAsync(LedgerHost ledger, object question) =>
        await BudgetAdminTests.ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/reprice", question));

    private static async Task<WebApplication> MeteringWith(UsageRecord[] records)
    {
        var app = WebApplication.CreateSlimBuilder().Build();
        app.Urls.Add("http://127.0.0.1:0");
        // Pages of three, so that the second one is asked for too.
        app.MapGet("/internal/usage/rows", (DateTimeOffset from, Guid? after) => Results.Json(
            records.Select(record => new UsageToPrice(record.RequestId, Micro(record.StartedAt), record.Provider, record.ProviderModel, record.Tokens, record.Price, record.Outcome, record.CallType))
                .Where(row => row.StartedAt > from || (row.StartedAt == from && (after is null || row.RequestId.CompareTo(after.Value) > 0)))
                .OrderBy(row => row.StartedAt).ThenBy(row => row.RequestId).Take(3).ToList(),
            MeteringJson.Default.ListUsageToPrice));
        await app.StartAsync();
        return app;
    }

    // As PostgreSQL keeps an instant.
    private static DateTimeOffset Micro(DateTimeOffset instant) => new(instant.Ticks - (instant.Ticks % 10), instant.Offset);
}
