using System.Text.Json;
using Gateway.Contracts;

namespace Gateway.Metering.Tests.Reconciliation;

[Collection("metering")]
public sealed class UsageForLedgerTests
{
    [Fact]
    public async Task Rows_ComePageByPage_EachOnce_InTheOrderOfTime_WithoutThoseThatNobodyAnswered()
    {
        await using var host = await MeteringHost.StartAsync();
        var records = Sample.Many(500);
        await host.Store.WriteAsync(records, CancellationToken.None);
        var seen = new List<UsageToPrice>();
        var (from, after) = (Sample.Noon.AddDays(-10), "");
        while (true)
        {
            var json = await host.JsonAsync($"/internal/usage/rows?limit=70&from={Uri.EscapeDataString(from.ToString("O"))}&to={Sample.Noon.AddDays(2):yyyy-MM-ddTHH:mm:ssZ}&provider=openai{after}");
            var page = JsonSerializer.Deserialize(json.ToJsonString(), MeteringJson.Default.ListUsageToPrice)!;
            if (page.Count == 0)
            {
                break;
            }

            seen.AddRange(page);
            (from, after) = (page[^1].StartedAt, $"&after={page[^1].RequestId}");
        }

        var answered = records.Where(record => record.Outcome != UsageOutcome.Failed).ToList();
        Assert.Equal(answered.Select(record => record.RequestId).Order(), seen.Select(row => row.RequestId).Order());
        Assert.Equal(seen.OrderBy(row => row.StartedAt).Select(row => row.RequestId), seen.Select(row => row.RequestId));
        var one = seen.First(row => row.Outcome == UsageOutcome.Completed);
        Assert.Equal((10L, 5L, 7L, 3L, "openai/gpt-4@2026-11 input=30 output=60"), (one.Tokens.Input, one.Tokens.CachedInput, one.Tokens.Output, one.Tokens.Reasoning, one.Price));
    }

    [Fact]
    public async Task Days_AreTheSumsOfAProvidersModels()
    {
        await using var host = await MeteringHost.StartAsync();
        await host.Store.WriteAsync([Sample.Record(cost: 3), Sample.Record(at: Sample.Noon.AddHours(1), cost: 4), Sample.Record(provider: "anthropic", model: "claude-2")], CancellationToken.None);
        var json = await host.JsonAsync($"/internal/usage/daily?provider=openai&from={Sample.Noon:yyyy-MM-dd}&to={Sample.Noon:yyyy-MM-dd}");
        var day = Assert.Single(JsonSerializer.Deserialize(json.ToJsonString(), MeteringJson.Default.ListDailyUsage)!);
        Assert.Equal(new DailyUsage(DateOnly.FromDateTime(Sample.Noon.UtcDateTime), "gpt-4-0613", 2, 30, 10, 0, 20, new Money(7)), day);
    }
}
