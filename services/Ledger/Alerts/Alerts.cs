using System.Text.Json;
using Gateway.Contracts;
using Gateway.Ledger.Duties;
using Gateway.ServiceDefaults;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Ledger.Alerts;

/// <summary>Says when a budget nears its end.</summary>
internal static class Alerts
{
    public static WebApplicationBuilder AddAlerts(this WebApplicationBuilder builder)
    {
        builder.Services.AddOptions<AlertOptions>().BindConfiguration("Ledger:Alerts")
            .Configure<IConfiguration>((options, configuration) =>
            {
                options.WebhookUrl ??= configuration["WEBHOOK_URL"];
                options.SlackWebhookUrl ??= configuration["SLACK_WEBHOOK_URL"];
            })
            .Validate(
                options => IsAddress(options.WebhookUrl) && IsAddress(options.SlackWebhookUrl),
                "Ledger:Alerts:WebhookUrl and SlackWebhookUrl (environment WEBHOOK_URL, SLACK_WEBHOOK_URL) must be http or https addresses.")
            .ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddHttpClient(AlertSender.Client, client => client.Timeout = TimeSpan.FromSeconds(10));
        builder.Services.AddSingleton<AlertOutbox>();
        builder.Services.AddSingleton<AlertSender>();
        builder.Services.AddHostedService<AlertJob>();
        return builder;
    }

    public static WebApplication MapAlerts(this WebApplication app)
    {
        app.MapGet("/budget/alerts", ListAsync).RequireAdmin();
        return app;
    }

    private static async Task<IResult> ListAsync(int? limit, NpgsqlDataSource database, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("""
            select a.id, a.raised_at, a.body::text, exists (select from alert_deliveries d where d.alert_id = a.id) from alerts a order by a.id desc limit $1
            """);
        command.Parameters.AddWithValue(Math.Clamp(limit ?? 100, 1, 1_000));
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var alerts = new List<object>();
        while (await reader.ReadAsync(cancellation))
        {
            alerts.Add(new
            {
                id = reader.GetInt64(0),
                raised_at = new DateTimeOffset(reader.GetDateTime(1)),
                alert = JsonSerializer.Deserialize<JsonElement>(reader.GetString(2)),
                undelivered = reader.GetBoolean(3),
            });
        }

        return TypedResults.Ok(alerts);
    }

    private static bool IsAddress(string? text) => text is null || (Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https");
}

/// <summary>Looks at the open windows and delivers, on the Ledger process on duty (T-27).</summary>
internal sealed class AlertJob(
    NpgsqlDataSource database, Duty duty, AlertOutbox outbox, AlertSender sender, IOptions<AlertOptions> options, TimeProvider clock, ILogger<AlertJob> logger)
    : BackgroundJob(clock, logger, options.Value.Every)
{
    // What is not delivered when the process ends stays in the table.
    protected override async Task WorkAsync(CancellationToken stoppingToken)
    {
        await RunOnceAsync(stoppingToken);
        await Task.Delay(options.Value.Every, Clock, stoppingToken);
    }

    private async Task RunOnceAsync(CancellationToken cancellation)
    {
        if (!duty.IsMine)
        {
            return;
        }

        // One transaction for both questions; a third only when there is something to tell.
        var (windows, due) = await LookAsync(cancellation);
        var now = Clock.GetUtcNow();
        var raised = false;
        foreach (var window in windows)
        {
            foreach (var alert in AlertRules.Of(window, now))
            {
                raised |= await outbox.RaiseAsync(window.WindowId, alert.Key, Body(window, alert), cancellation);
            }
        }

        await sender.SendAsync(raised ? await sender.DueAsync(cancellation) : due, cancellation);
    }

    private static AlertBody Body(WatchedWindow window, BudgetAlert alert) => new()
    {
        Event = alert.Event,
        EventGroup = BudgetId.ScopeOf(window.BudgetId),
        EventMessage = alert.Message,
        BudgetId = window.BudgetId,
        WindowId = window.WindowId,
        Spend = window.Spent.ToDollars(),
        MaxBudget = window.Limit.ToDollars(),
        SoftBudget = window.SoftLimit?.ToDollars(),
        BudgetResetAt = window.End,
        ProjectedSpend = alert.ProjectedSpend?.ToDollars(),
        ProjectedExceededDate = alert.ProjectedExceeded,
    };

    // Windows that were charged lately: an alert of the others was raised when they were.
    private async Task<(List<WatchedWindow> Windows, List<DueAlert> Due)> LookAsync(CancellationToken cancellation)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(new("""
            select w.window_id, b.budget_id, b.limit_now, b.soft_limit_nano, w.spent_nano, w.starts_at, w.ends_at
            from windows w join budgets b using (budget_id, period)
            where w.touched_at > now() - interval '1 hour' and w.spent_nano > 0
            """));
        batch.BatchCommands.Add(sender.DueCommand());
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        var windows = new List<WatchedWindow>();
        while (await reader.ReadAsync(cancellation))
        {
            windows.Add(new(
                reader.GetString(0), reader.GetString(1), new(reader.GetInt64(2)), reader.IsDBNull(3) ? null : new Money(reader.GetInt64(3)), new(reader.GetInt64(4)),
                reader.IsDBNull(5) ? null : new DateTimeOffset(reader.GetDateTime(5)), reader.IsDBNull(6) ? null : new DateTimeOffset(reader.GetDateTime(6))));
        }

        await reader.NextResultAsync(cancellation);
        return (windows, await AlertSender.ReadDueAsync(reader, cancellation));
    }
}
