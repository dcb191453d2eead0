using System.Text.Json;
using Gateway.Contracts;
using Gateway.Ledger.Reconciliation.ProviderUsage;
using Gateway.Ledger.Tests.Budgets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Gateway.Ledger.Tests.Reconciliation;

/// <summary>A provider's own usage, as its public documents show it, beside the gateway's.</summary>
[Collection(LedgerTurns.Name)]
public sealed class ProviderUsageTests
{
    private static readonly DateOnly s_day = new(2024, 11, 1);

    public static TheoryData<string, string, long?, long?, long?, long?, string?> Files => new()
    {
        {
            """{"object":"page","data":[{"object":"bucket","start_time":1730419200,"end_time":1730505600,"results":[{"object":"organization.usage.completions.result","input_tokens":1000,"output_tokens":500,"input_cached_tokens":800,"num_model_requests":5,"project_id":null,"model":"gpt-4o-2024-08-06","batch":null}]}],"has_more":false}""",
            "gpt-4o-2024-08-06", 5, 1000, 800, 500, null
        },
        {
            """{"object":"page","data":[{"object":"bucket","start_time":1730419200,"end_time":1730505600,"results":[{"object":"organization.costs.result","amount":{"value":0.06,"currency":"usd"},"line_item":"gpt-4o-2024-08-06, input","project_id":null},{"object":"organization.costs.result","amount":{"value":0.04,"currency":"usd"},"line_item":"gpt-4o-2024-08-06, output","project_id":null}]}],"has_more":false}""",
            "gpt-4o-2024-08-06", null, null, null, null, "0.10"
        },
        {
            """{"data":[{"starting_at":"2024-11-01T00:00:00Z","ending_at":"2024-11-02T00:00:00Z","results":[{"uncached_input_tokens":1500,"cache_creation":{"ephemeral_1h_input_tokens":1000,"ephemeral_5m_input_tokens":500},"cache_read_input_tokens":200,"output_tokens":500,"server_tool_use":{"web_search_requests":10},"model":"claude-opus-4-20250514","service_tier":"standard"}]}],"has_more":false,"next_page":null}""",
            "claude-opus-4-20250514", null, 3200, 200, 500, null
        },
        {
            """{"data":[{"starting_at":"2024-11-01T00:00:00Z","ending_at":"2024-11-02T00:00:00Z","results":[{"currency":"USD","amount":"123.5","description":"Claude Opus 4 Usage - Input Tokens","cost_type":"tokens","model":"claude-opus-4-20250514","token_type":"uncached_input_tokens"}]}],"has_more":false}""",
            "claude-opus-4-20250514", null, null, null, null, "1.235"
        },
        {
            "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens\r\n2024-11-01,claude-3-5-haiku-20241022,\"a, \"\"quoted\"\" key\",Default,standard,0-200k,100,20,30,50,70\r\n",
            "claude-3-5-haiku-20241022", null, 200, 50, 70, null
        },
        {
            "start_time,end_time,start_time_iso,model,input_tokens,output_tokens,num_model_requests,input_cached_tokens\n1730419200,1730505600,2024-11-01T00:00:00+00:00,gpt-4o-2024-08-06,1000,500,5,800\n",
            "gpt-4o-2024-08-06", 5, 1000, 800, 500, null
        },
        { "date,model,requests,input_tokens,cached_input_tokens,output_tokens,cost\n2024-11-01,gpt-4,2,10,3,20,0.5\n2024-11-01,gpt-4,1,1,0,2,0.25\n", "gpt-4", 3, 11, 3, 22, "0.75" },
        { """[{"date":"2024-11-01","model":"gpt-4","requests":3,"input_tokens":11,"output_tokens":22,"cost":0.75}]""", "gpt-4", 3, 11, null, 22, "0.75" },
    };

    [Theory]
    [MemberData(nameof(Files))]
    public void Each_export_is_read_as_its_document_shows_it(string file, string model, long? requests, long? prompt, long? cached, long? completion, string? cost)
    {
        var line = Assert.Single(ProviderUsageFile.Read(file));
        Assert.Equal((s_day, model, requests, prompt, cached, completion), (line.Day, line.Model, line.Requests, line.Prompt, line.Cached, line.Completion));
        Assert.Equal(cost is null ? null : decimal.Parse(cost, System.Globalization.CultureInfo.InvariantCulture), line.Cost);
    }

    [Theory]
    [InlineData("""{"data":[{"start_time":1730419200,"results":[{"input_tokens":1,"output_tokens":1,"num_model_requests":1,"model":null}]}]}""", "group_by=model")]
    [InlineData("""{"data":[]}""", "no usage")]
    [InlineData("""{"data":[{"results":""", "is not the JSON")]
    [InlineData("when,what\n2024-11-01,gpt-4\n", "a date")]
    [InlineData("date,model,input_tokens\n2024-11-01,gpt-4,many\n", "Line 2")]
    [InlineData("start_time,model,input_tokens\n1730419200,gpt-4,1\n253402300800,gpt-4,1\n", "Line 3 of the CSV cannot be read: a date in digits")]
    [InlineData("""{"data":[{"start_time":1730419200,"results":[]},{"start_time":253402300800,"results":[]}]}""", "Bucket 2 of data cannot be read: start_time")]
    [InlineData("""{"data":[{"start_time":-1,"results":[]}]}""", "Bucket 1 of data cannot be read: start_time")]
    public void A_file_that_cannot_be_compared_says_why(string file, string says) =>
        Assert.Contains(says, Assert.Throws<ProviderFileException>(() => ProviderUsageFile.Read(file)).Message, StringComparison.Ordinal);

    [Fact]
    public void Differences_are_told_by_day_and_model_with_what_they_mean_and_dated_names_are_one_model()
    {
        DailyUsage[] ours =
        [
            new(s_day, "gpt-4o", 5, 1000, 800, 0, 500, Money.FromDollars(1)), new(s_day, "gpt-4", 5, 1000, 0, 0, 500, Money.FromDollars(1)),
            new(s_day, "gpt-3.5-turbo", 1, 10, 0, 0, 5, Money.FromDollars(1)), new(s_day, "o1", 1, 10, 0, 0, 5, Money.FromDollars(1)),
        ];
        ProviderLine[] theirs =
        [
            new(s_day, "gpt-4o-2024-08-06", 6, 1000, 800, null, 500, 1m), new(s_day, "gpt-4-0613", 5, 1000, 0, null, 500, 2m), new(s_day, "gpt-4", 5, 1000, 0, null, 500, 2m),
            new(s_day, "o1-2024-12-17", 1, 11, 0, null, 5, 1m),
        ];
        var found = ProviderComparison.Of(ours, theirs, 0).ToDictionary(difference => difference.Model, difference => difference.Explanation);
        Assert.Equal(["gpt-3.5-turbo", "gpt-4", "gpt-4-0613", "o1"], found.Keys.Order());
        Assert.Contains("the price differs", found["gpt-4"], StringComparison.Ordinal);
        Assert.Contains("without the gateway", found["gpt-4-0613"], StringComparison.Ordinal);
        Assert.Contains("provider has none", found["gpt-3.5-turbo"], StringComparison.Ordinal);
        Assert.Contains("counted more", found["o1"], StringComparison.Ordinal);
        Assert.DoesNotContain("o1", ProviderComparison.Of(ours, theirs, 0.1m).Select(difference => difference.Model));
    }

    [Fact]
    public async Task T25_a_provider_s_export_is_compared_shown_alerted_kept_and_changes_nothing()
    {
        await using var metering = await MeteringSaying(new DailyUsage(s_day, "gpt-4o", 5, 1000, 800, 0, 500, Money.FromDollars(0.5m)));
        await using var ledger = await LedgerHost.StartAsync(settings: ("services:metering:http:0", metering.Urls.Single()));
        var file = "date,model,input_tokens,cached_input_tokens,output_tokens,cost\n2024-11-01,gpt-4o,1000,800,500,{0}\n";
        var same = await SendAsync(ledger, file.Replace("{0}", "0.5", StringComparison.Ordinal));
        Assert.True(same.GetProperty("balanced").GetBoolean(), same.ToString());
        Assert.Equal(0L, await ledger.ScalarAsync<long>("select count(*) from alerts"));

        for (var run = 0; run < 2; run++)
        {
            var other = await SendAsync(ledger, file.Replace("{0}", "0.7", StringComparison.Ordinal));
            Assert.Equal((false, 0.2m), (other.GetProperty("balanced").GetBoolean(), other.GetProperty("cost_difference").GetDecimal()));
        }

        Assert.Equal(1L, await ledger.ScalarAsync<long>("select count(*) from alerts where event = 'reconciliation_difference'"));
        Assert.Equal(0L, await ledger.ScalarAsync<long>("select count(*) from journal.entries"));
        Assert.Equal(2, (await BudgetAdminTests.ReadAsync(await ledger.AsAdminAsync(HttpMethod.Get, "/budget/reconciliation/provider?provider=openai"))).GetArrayLength());
        Assert.Contains("kind=\"provider_usage\"} 0.2", await ledger.Http.GetStringAsync("/metrics"), StringComparison.Ordinal);
    }

    private static async Task<JsonElement> SendAsync(LedgerHost ledger, string file)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/budget/reconciliation/provider?provider=openai") { Content = new StringContent(file) };
        request.Headers.Add(ServiceHeaders.Caller, ServiceDefaults.CallerIdentity.ToHeader(new AccessSnapshot { KeyId = "master", UserId = "admin-ann", Role = CallerRole.ProxyAdmin }));
        return await BudgetAdminTests.ReadAsync(await ledger.Http.SendAsync(request));
    }

    private static async Task<WebApplication> MeteringSaying(DailyUsage usage)
    {
        var app = WebApplication.CreateSlimBuilder().Build();
        app.Urls.Add("http://127.0.0.1:0");
        app.MapGet("/internal/usage/daily", () => Results.Json(new List<DailyUsage> { usage }, MeteringJson.Default.ListDailyUsage));
        await app.StartAsync();
        return app;
    }
}
