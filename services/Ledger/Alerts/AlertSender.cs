using System.Globalization;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Ledger.Alerts;

/// <summary>A delivery whose time has come.</summary>
internal sealed record DueAlert(long Id, string Channel, string Event, string Subject, string Body);

/// <summary>Delivers what is due: at least once, a few at a time in the order of raising, with growing pauses after a failure. No receiver waits for another.</summary>
internal sealed class AlertSender(NpgsqlDataSource database, IHttpClientFactory clients, IOptions<AlertOptions> options, TimeProvider clock, ILogger<AlertSender> logger)
{
    public const string Client = "alerts";
    public const string SignatureHeader = "x-gateway-signature";
    private const int RoundMax = 100;
    private const int AtOnce = 4;
    private const string Timeout = "timeout";

    public Task SendAsync(IEnumerable<DueAlert> alerts, CancellationToken cancellation) =>
        Task.WhenAll(alerts.GroupBy(due => due.Channel, StringComparer.Ordinal).Select(channel => SendToOneAsync(channel, cancellation)));

    private async Task SendToOneAsync(IEnumerable<DueAlert> alerts, CancellationToken cancellation)
    {
        foreach (var few in alerts.Chunk(AtOnce))
        {
            var failures = await Task.WhenAll(few.Select(due => DeliverAsync(due, cancellation)));
            if (failures.Contains(Timeout))
            {
                // It hangs: the rest is tried in the next round, and new alerts are not kept waiting for it.
                return;
            }
        }
    }

    private async Task<string?> DeliverAsync(DueAlert due, CancellationToken cancellation)
    {
        var failure = await TryAsync(due, cancellation);
        await using var note = failure is null
            ? database.CreateCommand("delete from alert_deliveries where alert_id = $1 and channel = $2")
            : database.CreateCommand("""
                update alert_deliveries set attempts = attempts + 1, next_try_at = now() + least(interval '1 hour', interval '1 second' * (2 ^ least(attempts, 12)))
                where alert_id = $1 and channel = $2
                """);
        note.Parameters.AddWithValue(due.Id);
        note.Parameters.AddWithValue(due.Channel);
        await note.ExecuteNonQueryAsync(cancellation);
        if (failure is not null)
        {
            logger.AlertNotDelivered(due.Event, due.Subject, failure);
        }

        return failure;
    }

    /// <summary>The signature of a body sent at <paramref name="seconds"/> (Unix time): the receiver computes the same and compares.</summary>
    public static string Sign(string secret, long seconds, ReadOnlySpan<byte> body)
    {
        byte[] signed = [.. Encoding.ASCII.GetBytes(string.Create(CultureInfo.InvariantCulture, $"{seconds}.")), .. body];
        return $"t={seconds},v1={Convert.ToHexStringLower(HMACSHA256.HashData(Encoding.UTF8.GetBytes(secret), signed))}";
    }

    private async Task<string?> TryAsync(DueAlert due, CancellationToken cancellation)
    {
        var slack = due.Channel == AlertOutbox.Slack;
        if ((slack ? options.Value.SlackWebhookUrl : options.Value.WebhookUrl) is not { } address)
        {
            return "no_address";
        }

        var body = Encoding.UTF8.GetBytes(slack ? SlackText(due.Body) : due.Body);
        using var request = new HttpRequestMessage(HttpMethod.Post, address) { Content = new ByteArrayContent(body) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
        if (!slack && options.Value.WebhookSecret is { Length: > 0 } secret)
        {
            request.Headers.Add(SignatureHeader, Sign(secret, clock.GetUtcNow().ToUnixTimeSeconds(), body));
        }

        // The id lets a receiver that was told twice see that it was.
        request.Headers.Add("x-gateway-alert-id", due.Id.ToString(CultureInfo.InvariantCulture));
        try
        {
            using var client = clients.CreateClient(Client);
            using var answer = await client.SendAsync(request, cancellation);
            return answer.IsSuccessStatusCode ? null : $"status_{(int)answer.StatusCode}";
        }
        catch (HttpRequestException)
        {
            return "connection";
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return Timeout;
        }
    }

    private static string SlackText(string body)
    {
        var alert = JsonSerializer.Deserialize<AlertBody>(body)!;
        return JsonSerializer.Serialize(new { text = $"*{alert.Event}* {alert.BudgetId}\n{alert.EventMessage}" });
    }

    public async Task<List<DueAlert>> DueAsync(CancellationToken cancellation)
    {
        await using var batch = database.CreateBatch();
        batch.BatchCommands.Add(DueCommand());
        await using var reader = await batch.ExecuteReaderAsync(cancellation);
        return await ReadDueAsync(reader, cancellation);
    }

    /// <summary>Asks for what is due, in a batch with other questions; <see cref="ReadDueAsync"/> reads its answer.</summary>
    public NpgsqlBatchCommand DueCommand() => new($"""
        select a.id, d.channel, a.event, a.subject, a.body::text
        from (
            select alert_id, channel, row_number() over (partition by channel order by alert_id) as place
            from alert_deliveries where next_try_at <= now() and attempts < $1) d
        join alerts a on a.id = d.alert_id where d.place <= {RoundMax} order by a.id
        """)
    {
        Parameters = { new() { Value = options.Value.AttemptsMax } },
    };

    public static async Task<List<DueAlert>> ReadDueAsync(NpgsqlDataReader reader, CancellationToken cancellation)
    {
        var due = new List<DueAlert>();
        while (await reader.ReadAsync(cancellation))
        {
            due.Add(new(reader.GetInt64(0), reader.GetString(1), reader.GetString(2), reader.GetString(3), reader.GetString(4)));
        }

        return due;
    }
}
