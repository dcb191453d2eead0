using System.ComponentModel.DataAnnotations;

namespace Gateway.Ledger.Alerts;

/// <summary>Section <c>Ledger:Alerts</c>. Without an address alerts are kept and shown (<c>/budget/alerts</c>) and delivered nowhere.</summary>
internal sealed class AlertOptions
{
    /// <summary>Where alerts are sent as JSON (also: environment <c>WEBHOOK_URL</c>, LiteLLM's name).</summary>
    public string? WebhookUrl { get; set; }

    /// <summary>Signs what is sent to <see cref="WebhookUrl"/>: header <c>x-gateway-signature: t=seconds,v1=HMAC-SHA-256 of "seconds.body"</c>.</summary>
    public string? WebhookSecret { get; set; }

    /// <summary>Where alerts are sent in Slack's format (also: environment <c>SLACK_WEBHOOK_URL</c>).</summary>
    public string? SlackWebhookUrl { get; set; }

    /// <summary>How often budgets are looked at and deliveries tried.</summary>
    [Range(typeof(TimeSpan), "00:00:00.05", "01:00:00")]
    public TimeSpan Every { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>Tries of one delivery, with growing pauses up to an hour: about three days. Then it is given up and stays in the list.</summary>
    [Range(1, 1_000)]
    public int AttemptsMax { get; set; } = 80;
}
