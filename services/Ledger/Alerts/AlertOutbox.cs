using System.Collections.Concurrent;
using System.Text.Json;
using System.Text.Json.Serialization;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Ledger.Alerts;

/// <summary>What a receiver gets: LiteLLM's webhook fields, and ours.</summary>
internal sealed record AlertBody
{
    [JsonPropertyName("event")]
    public required string Event { get; init; }

    [JsonPropertyName("event_group")]
    public required string EventGroup { get; init; }

    [JsonPropertyName("event_message")]
    public required string EventMessage { get; init; }

    [JsonPropertyName("budget_id")]
    public string? BudgetId { get; init; }

    [JsonPropertyName("window_id")]
    public string? WindowId { get; init; }

    [JsonPropertyName("spend")]
    public decimal? Spend { get; init; }

    [JsonPropertyName("max_budget")]
    public decimal? MaxBudget { get; init; }

    [JsonPropertyName("soft_budget")]
    public decimal? SoftBudget { get; init; }

    [JsonPropertyName("budget_reset_at")]
    public DateTimeOffset? BudgetResetAt { get; init; }

    [JsonPropertyName("projected_spend")]
    public decimal? ProjectedSpend { get; init; }

    [JsonPropertyName("projected_exceeded_date")]
    public DateTimeOffset? ProjectedExceededDate { get; init; }
}

/// <summary>Keeps alerts: once for each subject and event, with a delivery for each channel in the same transaction.</summary>
internal sealed class AlertOutbox(NpgsqlDataSource database, LedgerMetrics metrics, IOptions<AlertOptions> options)
{
    public const string Webhook = "webhook";
    public const string Slack = "slack";
    private static readonly JsonSerializerOptions s_json = new() { DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull };
    private const int KnownMax = 100_000;

    // Spares the statement for what this process has raised before; the table is what decides.
    private readonly ConcurrentDictionary<(string, string), bool> known = new();

    /// <summary>True when it is new.</summary>
    public async Task<bool> RaiseAsync(string subject, string key, AlertBody body, CancellationToken cancellation)
    {
        if (known.ContainsKey((subject, key)))
        {
            return false;
        }

        string?[] channels = [options.Value.WebhookUrl is null ? null : Webhook, options.Value.SlackWebhookUrl is null ? null : Slack];
        await using var command = database.CreateCommand("""
            with raised as (
                insert into alerts (subject, event, body) values ($1, $2, $3::jsonb) on conflict (subject, event) do nothing returning id),
            queued as (insert into alert_deliveries (alert_id, channel) select id, channel from raised, unnest($4) as channel)
            select count(*) from raised
            """);
        command.Parameters.AddWithValue(subject);
        command.Parameters.AddWithValue(key);
        command.Parameters.AddWithValue(JsonSerializer.Serialize(body, s_json));
        command.Parameters.AddWithValue(channels.OfType<string>().ToArray());
        var isNew = (long)(await command.ExecuteScalarAsync(cancellation))! == 1;
        if (known.Count > KnownMax)
        {
            known.Clear();
        }

        known[(subject, key)] = true;
        if (isNew)
        {
            metrics.Alerted(body.Event);
        }

        return isNew;
    }
}
