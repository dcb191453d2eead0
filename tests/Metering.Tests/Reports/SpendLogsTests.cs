using System.Net;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Metering.Reports;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Gateway.Metering.Tests.Reports;

[Collection("metering")]
public sealed class SpendLogsTests
{
    private static readonly string[] s_fields =
    [
        "api_key", "call_type", "completion_tokens", "custom_llm_provider", "end_user", "endTime", "cache_hit", "metadata", "model", "model_group", "model_id",
        "prompt_tokens", "request_id", "request_tags", "spend", "startTime", "status", "team_id", "total_tokens", "user", "api_base", "completionStartTime", "organization_id",
    ];

    private static string Day => $"{Sample.Noon:yyyy-MM-dd}";

    [Fact]
    public async Task Row_HasLiteLlmsFields_AndNoAddress()
    {
        await using var host = await MeteringHost.StartAsync();
        var record = Sample.Record(endUser: "u-1", tags: ["env=dev"]);
        await host.Store.WriteAsync([record], CancellationToken.None);
        var row = (await host.JsonAsync("/spend/logs")).AsArray().Single()!.AsObject();
        Assert.Equal(s_fields.Order(StringComparer.Ordinal), row.Select(field => field.Key).Order(StringComparer.Ordinal));
        Assert.Equal(record.RequestId.ToString(), Text(row, "request_id"));
        Assert.Equal((Sample.Key(1), "alice", "payments", "u-1"), (Text(row, "api_key"), Text(row, "user"), Text(row, "team_id"), Text(row, "end_user")));
        Assert.Equal(("gpt-4", "gpt-4-0613", "gpt-4-eu", "openai"), (Text(row, "model_group"), Text(row, "model"), Text(row, "model_id"), Text(row, "custom_llm_provider")));
        Assert.Equal((15, 10, 25), (row["prompt_tokens"]!.GetValue<int>(), row["completion_tokens"]!.GetValue<int>(), row["total_tokens"]!.GetValue<int>()));
        Assert.Equal("", Text(row, "api_base"));
        Assert.Equal(TimeSpan.FromSeconds(2), row["endTime"]!.GetValue<DateTime>() - row["startTime"]!.GetValue<DateTime>());
        Assert.Equal("0.0015", row["spend"]!.ToJsonString());
        Assert.Equal("ci", Text(row["metadata"]!.AsObject(), "key_alias"));
    }

    [Fact]
    public async Task EachFilter_LeavesItsRows()
    {
        await using var host = await MeteringHost.StartAsync();
        var records = new[]
        {
            Sample.Record(key: Sample.Key(1), user: "alice", team: "payments"),
            Sample.Record(key: Sample.Key(2), user: "bob", team: "search", model: "claude-2", provider: "anthropic", endUser: "e"),
            Sample.Record(at: Sample.Noon.AddDays(-2), key: Sample.Key(2), user: "bob", team: null, outcome: UsageOutcome.Failed, status: 502, cost: 0),
        };
        await host.Store.WriteAsync(records, CancellationToken.None);
        foreach (var (query, expected) in new (string, int[])[]
        {
            ("", [0, 1, 2]), ($"api_key={Sample.Key(2)}", [1, 2]), ($"api_key={Sample.Key(2).ToUpperInvariant()}", [1, 2]), ($"api_key={Sample.Key(9)}", []),
            ("user_id=alice", [0]), ("team_id=search", [1]), ("model=claude-2", [1]), ("end_user=e", [1]), ("status=failure", [2]), ("status=success", [0, 1]),
            ($"request_id={records[2].RequestId}", [2]), ($"request_id={Guid.NewGuid()}", []), ("request_id=chatcmpl-1", []),
            ($"start_date={Day}", [0, 1]), ($"end_date={Sample.Noon.AddDays(-1):yyyy-MM-dd}", [2]), ($"start_date={Day}&end_date={Day}&summarize=false", [0, 1]),
            ($"start_date={Day} 12:00:00&end_date={Day} 12:00:00&summarize=false", [0, 1]), ($"start_date={Day} 12:00:01", []), ("user_id=bob&model=gpt-4", [2]),
            ("user_id=%00", []), ("user_id=' or 1=1 --", []),
        })
        {
            var ids = (await host.JsonAsync($"/spend/logs?{query}")).AsArray().Select(row => row!["request_id"]!.GetValue<string>()).Order(StringComparer.Ordinal);
            Assert.Equal((query, string.Join(' ', expected.Select(index => records[index].RequestId.ToString()).Order(StringComparer.Ordinal))), (query, string.Join(' ', ids)));
        }
    }

    [Fact]
    public async Task IdThatDoesNotTellItsTime_IsFoundToo()
    {
        await using var host = await MeteringHost.StartAsync();
        var record = Sample.Record(id: Guid.NewGuid());
        var late = Sample.Record(id: Guid.CreateVersion7(Sample.Noon.AddHours(5)));
        await host.Store.WriteAsync([record, late], CancellationToken.None);
        Assert.Single((await host.JsonAsync($"/spend/logs?request_id={record.RequestId}")).AsArray());
        Assert.Single((await host.JsonAsync($"/spend/logs?request_id={late.RequestId}")).AsArray());
    }

    [Fact]
    public async Task KeyItself_IsResolvedByAuth_AndAuthAwayIs503()
    {
        var builder = WebApplication.CreateSlimBuilder();
        await using var auth = builder.Build();
        auth.Urls.Add("http://127.0.0.1:0");
        auth.MapPost("/internal/keys/resolve", (ResolveKey ask, HttpRequest request) =>
            request.Headers[ServiceHeaders.Secret] == MeteringHost.Secret && ask.Key == "sk-mine" ? Results.Json(new AccessSnapshot { KeyId = Sample.Key(3) }) : Results.NotFound());
        await auth.StartAsync();
        await using var host = await MeteringHost.StartAsync(settings: new() { ["services:auth:http:0"] = auth.Urls.First() });
        await host.Store.WriteAsync([Sample.Record(key: Sample.Key(3)), Sample.Record(key: Sample.Key(4))], CancellationToken.None);
        Assert.Single((await host.JsonAsync("/spend/logs?api_key=sk-mine")).AsArray());
        Assert.Empty((await host.JsonAsync("/spend/logs?api_key=sk-nobodys")).AsArray());

        await auth.StopAsync();
        using var away = await host.GetAsync("/spend/logs?api_key=sk-mine", MeteringHost.Admin);
        var text = await away.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, away.StatusCode);
        Assert.Contains("temporarily_unavailable", text, StringComparison.Ordinal);
        Assert.DoesNotContain("sk-mine", text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_ShowEachRowOnce_NewestFirst_AndCountThem()
    {
        await using var host = await MeteringHost.StartAsync();
        var records = Sample.Many(250);
        await host.Store.WriteAsync(records, CancellationToken.None);
        var seen = new List<JsonNode>();
        for (var page = 1; page <= 3; page++)
        {
            var answer = await host.JsonAsync($"/spend/logs/v2?page={page}&page_size=100");
            Assert.Equal((250, page, 100, 3), (answer["total"]!.GetValue<int>(), answer["page"]!.GetValue<int>(), answer["page_size"]!.GetValue<int>(), answer["total_pages"]!.GetValue<int>()));
            seen.AddRange(answer["data"]!.AsArray().Select(row => row!));
        }

        Assert.Equal(records.Select(record => record.RequestId.ToString()).Order(), seen.Select(row => Text(row.AsObject(), "request_id")).Order());
        Assert.Equal(seen.Select(row => row["startTime"]!.GetValue<DateTime>()).OrderDescending(), seen.Select(row => row["startTime"]!.GetValue<DateTime>()));
        Assert.Empty((await host.JsonAsync("/spend/logs/v2?page=4&page_size=100"))["data"]!.AsArray());
        // What the roll-ups do not know is counted row by row.
        var failures = await host.JsonAsync("/spend/logs/v2?status=failure&page_size=1000");
        Assert.Equal(failures["data"]!.AsArray().Count, failures["total"]!.GetValue<int>());
    }

    [Theory]
    [InlineData("page=0", "page")]
    [InlineData("page=x", "page")]
    [InlineData("page_size=1001", "page_size")]
    [InlineData("page=101&page_size=1000", "page")]
    [InlineData("start_date=yesterday", "start_date")]
    [InlineData("start_date=9999-12-31", "start_date")]
    [InlineData("start_date=2026-11-24&end_date=2026-11-23", "end_date")]
    [InlineData("status=ok", "status")]
    public async Task WrongParameter_IsNamed_WithStatus422(string query, string parameter)
    {
        await using var host = await MeteringHost.StartAsync();
        using var answer = await host.GetAsync($"/spend/logs?{query}", MeteringHost.Admin);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        var error = JsonNode.Parse(await answer.Content.ReadAsStringAsync())!["error"]!;
        Assert.Equal(("invalid_request", parameter), (error["code"]!.GetValue<string>(), error["param"]!.GetValue<string>()));
    }

    [Fact]
    public async Task BothDates_GiveTheDailySummary_UnlessRowsAreAskedFor()
    {
        await using var host = await MeteringHost.StartAsync();
        await host.Store.WriteAsync(
            [
                Sample.Record(at: Sample.Noon.AddDays(-2), user: "alice", cost: 2_000_000_000), Sample.Record(at: Sample.Noon.AddDays(-2), user: "bob", model: "claude-2", cost: 500_000_000),
            ],
            CancellationToken.None);
        var days = (await host.JsonAsync($"/spend/logs?start_date={Sample.Noon.AddDays(-3):yyyy-MM-dd}&end_date={Day}")).AsArray();
        Assert.Equal(3, days.Count);
        Assert.Equal($"{Sample.Noon.AddDays(-2):yyyy-MM-dd}", Text(days[0]!.AsObject(), "startTime"));
        Assert.Equal(2.5m, days[0]!["spend"]!.GetValue<decimal>());
        Assert.Equal(0.5m, days[0]!["users"]!["bob"]!.GetValue<decimal>());
        Assert.Equal(2m, days[0]!["models"]!["gpt-4"]!.GetValue<decimal>());
        Assert.Equal(2.5m, days[0]![Sample.Key(1)]!.GetValue<decimal>());
        Assert.Equal(0, days[2]!["spend"]!.GetValue<decimal>());
        // A part of a day comes from the rows, with the same sums.
        var part = await host.JsonAsync($"/spend/logs?start_date={Sample.Noon.AddDays(-3):yyyy-MM-dd} 00:00:01&end_date={Day}");
        Assert.Equal(days[0]!.ToJsonString(), part[0]!.ToJsonString());
    }

    private static string Text(JsonObject row, string field) => row[field]!.GetValue<string>();
}
