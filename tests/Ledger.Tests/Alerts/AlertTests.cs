using System.Collections.Concurrent;
using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Ledger.Alerts;
using Gateway.Ledger.Tests.Budgets;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Gateway.Ledger.Tests.Alerts;

[Collection(LedgerTurns.Name)]
public sealed class AlertTests
{
    private static readonly DateTimeOffset s_start = new(2026, 11, 1, 0, 0, 0, TimeSpan.Zero);

    [Theory]
    [InlineData(49, "")]
    [InlineData(50, "threshold_crossed_50")]
    [InlineData(94, "threshold_crossed_50 threshold_crossed_80 soft_budget_crossed")]
    [InlineData(100, "threshold_crossed_50 threshold_crossed_80 threshold_crossed_95 budget_crossed soft_budget_crossed")]
    public void Each_threshold_is_named_from_the_nano_dollar_on_that_reaches_it(long spent, string expected)
    {
        var window = new WatchedWindow("user/a", "user/a", new(100), new(90), new(spent), null, null);
        Assert.Equal(expected, string.Join(' ', AlertRules.Of(window, s_start).Select(alert => alert.Key)));
    }

    [Theory]
    [InlineData(2, 30, false)] // too early to tell
    [InlineData(4, 30, true)]
    [InlineData(15, 49, false)]
    [InlineData(15, 51, true)]
    public void A_pace_that_ends_before_the_window_does_is_projected(int daysIn, long spent, bool expected)
    {
        var window = new WatchedWindow("user/a@1mo@0", "user/a", new(100), null, new(spent), s_start, s_start.AddDays(30));
        Assert.Equal(expected, AlertRules.Of(window, s_start.AddDays(daysIn)).Any(alert => alert.Event == "projected_limit_exceeded"));
    }

    [Theory]
    [InlineData(long.MaxValue, 1, false)] // a soft limit alone: the budget has none of its own
    [InlineData(long.MaxValue, 2_000_000_000_000_000_000, false)]
    [InlineData(1_000_000_000_000_000_000, 1, false)] // a thousand million dollars
    [InlineData(1_000_000_000_000_000_000, 600_000_000_000_000_000, true)]
    public void No_limit_is_too_large_to_be_projected(long limit, long spent, bool expected)
    {
        var window = new WatchedWindow("user/a@1mo@0", "user/a", new(limit), new(1), new(spent), s_start, s_start.AddDays(30));
        var alerts = AlertRules.Of(window, s_start.AddDays(15)).ToArray();
        Assert.Contains(alerts, alert => alert.Event == "soft_budget_crossed");
        Assert.Equal(expected ? s_start.AddDays(25) : null, alerts.SingleOrDefault(alert => alert.Event == "projected_limit_exceeded")?.ProjectedExceeded);
    }

    [Fact]
    public async Task An_alert_that_the_database_refuses_is_logged_and_its_message_is_booked_and_done_with()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var log = ledger.Listen();
        await using (var refuse = ledger.Database.CreateCommand("alter table alerts add check (subject not like '%refused%')"))
        {
            await refuse.ExecuteNonQueryAsync();
        }

        await ledger.PublishAsync([Build.Record(0) with { Model = "refused-model", Unpriced = true }, Build.Record(0) with { Model = "other-model", Unpriced = true }]);
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from alerts where subject like 'model/other-model@%'") == 1, "the next one is raised");
        Assert.Equal(2L, await ledger.ScalarAsync<long>("select count(*) from journal.entries"));
        var line = Assert.Single(log, static line => line.Contains("unpriced_model", StringComparison.Ordinal));
        Assert.StartsWith("Warning ", line, StringComparison.Ordinal);
        Assert.Contains("23514", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_receiver_that_hangs_keeps_no_other_one_waiting()
    {
        var slack = 0;
        await using var receiver = WebApplication.CreateSlimBuilder().Build();
        receiver.Urls.Add("http://127.0.0.1:0");
        receiver.MapPost("/hook", (HttpContext context) => Task.Delay(Timeout.Infinite, context.RequestAborted));
        receiver.MapPost("/slack", () => Interlocked.Increment(ref slack));
        await receiver.StartAsync();
        var address = receiver.Urls.Single();
        await using var ledger = await LedgerHost.StartAsync(settings: [
            ("Ledger:Alerts:Every", "00:00:00.1"), ("Ledger:Alerts:WebhookUrl", $"{address}/hook"), ("SLACK_WEBHOOK_URL", $"{address}/slack")]);
        var id = Build.NewId();
        await ledger.EnsureAsync("edge-1", Build.Ensure(id, 1_000));
        await ledger.PublishAsync([Build.Record(900, windows: id)]);
        // Less than one try of the other receiver takes.
        await Eventually.HoldsAsync(() => Task.FromResult(Volatile.Read(ref slack) >= 2), "both thresholds are at Slack", seconds: 8);
    }

    [Fact]
    public async Task Alerts_are_raised_once_delivered_signed_tried_again_after_a_failure_and_in_Slacks_format()
    {
        var received = new ConcurrentQueue<(string Path, string Signature, string Body)>();
        var fail = true;
        await using var receiver = WebApplication.CreateSlimBuilder().Build();
        receiver.Urls.Add("http://127.0.0.1:0");
        receiver.MapPost("/{path}", async (string path, HttpContext context) =>
        {
            if (fail)
            {
                fail = false;
                return Results.StatusCode(500);
            }

            using var reader = new StreamReader(context.Request.Body);
            received.Enqueue((path, context.Request.Headers[AlertSender.SignatureHeader].ToString(), await reader.ReadToEndAsync()));
            return Results.Ok();
        });
        await receiver.StartAsync();
        var address = receiver.Urls.Single();
        await using var ledger = await LedgerHost.StartAsync(settings: [
            ("Ledger:Alerts:Every", "00:00:00.1"), ("Ledger:Alerts:WebhookUrl", $"{address}/hook"), ("Ledger:Alerts:WebhookSecret", "shared"),
            ("SLACK_WEBHOOK_URL", $"{address}/slack")]);
        var id = Build.NewId();
        await ledger.EnsureAsync("edge-1", Build.Ensure(id, 1_000_000_000));
        await ledger.PublishAsync([Build.Record(600_000_000, windows: id) with { Unpriced = true, Model = "homemade" }]);

        // threshold_crossed and unpriced_model, each to both.
        await Eventually.HoldsAsync(() => Task.FromResult(received.Count >= 4), "four deliveries");
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from alert_deliveries") == 0, "nothing is left");
        Assert.Equal(4, received.Count);
        var hook = received.Where(item => item.Path == "hook").Single(item => item.Body.Contains("threshold_crossed", StringComparison.Ordinal));
        var seconds = long.Parse(hook.Signature[2..hook.Signature.IndexOf(',', StringComparison.Ordinal)], System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal(AlertSender.Sign("shared", seconds, Encoding.UTF8.GetBytes(hook.Body)), hook.Signature);
        var body = JsonSerializer.Deserialize<JsonElement>(hook.Body);
        Assert.Equal((0.6m, 1m, "user"), (body.GetProperty("spend").GetDecimal(), body.GetProperty("max_budget").GetDecimal(), body.GetProperty("event_group").GetString()));
        Assert.Contains(received, item => item.Path == "slack" && item.Body.StartsWith("{\"text\":", StringComparison.Ordinal) && item.Body.Contains("homemade", StringComparison.Ordinal));
        Assert.Equal(2, (await BudgetAdminTests.ReadAsync(await ledger.AsAdminAsync(HttpMethod.Get, "/budget/alerts"))).GetArrayLength());
    }
}
