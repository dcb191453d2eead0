using System.Buffers;
using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Operations;

/// <summary>The use of a passed reply.</summary>
/// <param name="Use">What is billed.</param>
/// <param name="Reported">Whether the provider says so.</param>
internal readonly record struct PassedUse(OperationUse Use, bool Reported);

/// <summary>
/// Relays an answer as it comes, of whatever kind and length: audio, subtitles, events. Its first and its last bytes are kept in sight for
/// what they say of its use. It is recorded before the answer ends for the client. A short text is recorded before its first byte, so its
/// cost stands in a header.
/// </summary>
internal sealed class PassedReply(Settlement settlement, RoutingTables tables, TimeProvider time)
{
    private const int PieceBytes = 32 * 1024;

    /// <param name="exchange">The request.</param>
    /// <param name="target">Who answers.</param>
    /// <param name="reply">The answer's head.</param>
    /// <param name="began">When the call began.</param>
    /// <param name="timer">Ends the call when its time is over.</param>
    /// <param name="use">What it used, by its first and last bytes.</param>
    /// <param name="isKnownBefore">Whether that hangs on the request alone, unless events say more: then the cost stands in a header all the same.</param>
    public async Task<RelayResult> RelayAsync(
        RequestExchange exchange, Deployment target, HttpResponseMessage reply, long began, CancellationTokenSource timer, Func<ReplyEnds, PassedUse> use, bool isKnownBefore = false)
    {
        var type = reply.Content.Headers.ContentType?.ToString() ?? "application/octet-stream";
        var streams = type.StartsWith("text/event-stream", StringComparison.OrdinalIgnoreCase);
        var waits = !streams && (type.StartsWith("text/", StringComparison.OrdinalIgnoreCase) || type.StartsWith("application/json", StringComparison.OrdinalIgnoreCase));
        var ends = new ReplyEnds();
        var buffer = ArrayPool<byte>.Shared.Rent(PieceBytes);
        var outcome = UsageOutcome.Completed;
        try
        {
            await using var upstream = await UpstreamClient.OpenAsync(reply.Content, timer.Token);
            var held = 0;
            int read;
            while ((read = await upstream.ReadAsync(buffer.AsMemory(held), timer.Token)) > 0)
            {
                if (exchange.FirstByteMicroseconds == 0)
                {
                    exchange.FirstByteMicroseconds = exchange.UpstreamMicroseconds = (long)time.GetElapsedTime(began).TotalMicroseconds;
                    target.Health.Answered(exchange.FirstByteMicroseconds);
                    timer.CancelAfter(target.Configuration.Timeout ?? tables.Current.Configuration.Router.Timeout);
                }

                ends.Add(buffer.AsSpan(held, read));
                held += read;
                if (waits && held < buffer.Length)
                {
                    continue;
                }

                waits = false;
                if (isKnownBefore && !streams && !exchange.Begun)
                {
                    var (tokens, units) = use(ends).Use;
                    exchange.Units = units;
                    ShowCost(exchange.Context.Response, await Settlement.CoverAsync(exchange, Settlement.Cost(exchange, tokens)));
                }

                await WriteAsync(exchange, type, buffer.AsMemory(0, held));
                held = 0;
            }

            if (ends.Length == 0)
            {
                return new RelayResult(0, "broken");
            }

            var (used, cost) = await SettleAsync(exchange, use(ends), outcome, streams);
            if (!exchange.Begun)
            {
                ShowCost(exchange.Context.Response, cost);
            }

            await WriteAsync(exchange, type, buffer.AsMemory(0, held));
            return new RelayResult(used);
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException or OperationCanceledException or InvalidDataException)
        {
            if (exchange.Record is not null)
            {
                // The client has left at the very end: everything is recorded.
                return new RelayResult(exchange.Record.Tokens.PromptTokens + exchange.Record.Tokens.CompletionTokens);
            }

            if (!exchange.Begun)
            {
                // Nothing was relayed yet: another target may answer, or the client has left and owes nothing.
                if (failure is OperationCanceledException)
                {
                    throw;
                }

                return new RelayResult(0, "broken");
            }

            outcome = exchange.Aborted.IsCancellationRequested ? UsageOutcome.ClientClosed : UsageOutcome.UpstreamCut;
            var (used, _) = await SettleAsync(exchange, use(ends) with { Reported = false }, outcome, streams);
            // A cut answer must not look like a whole one.
            exchange.Context.Abort();
            return new RelayResult(used);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async ValueTask<(long Tokens, Money Cost)> SettleAsync(RequestExchange exchange, PassedUse used, UsageOutcome outcome, bool streamed)
    {
        var (tokens, units) = used.Use;
        exchange.Units = units;
        var cost = await settlement.CompleteAsync(exchange, tokens, !used.Reported, outcome, 200, streamed);
        return (tokens.PromptTokens + tokens.CompletionTokens, cost);
    }

    private static async ValueTask WriteAsync(RequestExchange exchange, string type, ReadOnlyMemory<byte> bytes)
    {
        var response = exchange.Context.Response;
        if (!response.HasStarted)
        {
            response.StatusCode = 200;
            response.ContentType = type;
            ReplyHeaders.Set(exchange, response);
        }

        await response.Body.WriteAsync(bytes, exchange.Aborted);
        await response.Body.FlushAsync(exchange.Aborted);
    }

    private static void ShowCost(HttpResponse response, Money cost)
    {
        var dollars = cost.ToDollarText();
        response.Headers["x-gateway-cost"] = dollars;
        response.Headers["x-litellm-response-cost"] = dollars;
    }
}

/// <summary>The first and the last bytes of an answer that is not held.</summary>
internal sealed class ReplyEnds
{
    private const int BytesMax = 16 * 1024;

    private readonly byte[] first = new byte[BytesMax];
    private readonly byte[] last = new byte[BytesMax];
    private int firstLength;
    private int lastLength;

    /// <summary>How long the whole is.</summary>
    public long Length { get; private set; }

    public ReadOnlySpan<byte> First => first.AsSpan(0, firstLength);

    /// <summary>The last bytes: of a short answer, all.</summary>
    public ReadOnlySpan<byte> Last => last.AsSpan(0, lastLength);

    public void Add(ReadOnlySpan<byte> bytes)
    {
        Length += bytes.Length;
        var begins = bytes[..Math.Min(bytes.Length, BytesMax - firstLength)];
        begins.CopyTo(first.AsSpan(firstLength));
        firstLength += begins.Length;
        if (bytes.Length >= BytesMax)
        {
            bytes[^BytesMax..].CopyTo(last);
            lastLength = BytesMax;
            return;
        }

        var keeps = Math.Min(lastLength, BytesMax - bytes.Length);
        last.AsSpan(lastLength - keeps, keeps).CopyTo(last);
        bytes.CopyTo(last.AsSpan(keeps));
        lastLength = keeps + bytes.Length;
    }
}
