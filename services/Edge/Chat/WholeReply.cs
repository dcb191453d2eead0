using System.Buffers;
using System.Globalization;
using Gateway.Contracts;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Chat;

/// <summary>Relays an answer that comes in one piece: its usage is known before the first byte goes on, so the cost stands in a header.</summary>
internal sealed class WholeReply(Settlement settlement, TimeProvider time)
{
    /// <summary>The largest answer that is taken.</summary>
    public const int BytesMax = 64 << 20;

    public async Task<RelayResult> RelayAsync(
        ChatExchange exchange, Deployment target, ChatCall call, HttpResponseMessage reply, long began, CancellationToken cancellation)
    {
        byte[]? rented = null;
        try
        {
            (rented, var length) = await ReadAsync(reply.Content, cancellation);
            if (length > BytesMax)
            {
                return new RelayResult(0, "too_large");
            }

            var took = (long)time.GetElapsedTime(began).TotalMicroseconds;
            exchange.FirstByteMicroseconds = took;
            exchange.UpstreamMicroseconds = took;
            target.Health.Answered(took);

            ReadOnlyMemory<byte> answer = rented.AsMemory(0, length);
            TokenUsage? usage;
            if (exchange.Passed is { } passed)
            {
                usage = passed.ReadReply(exchange, answer);
            }
            else if (target.Protocol.SpeaksOpenAiChat)
            {
                usage = OpenAiUsage.TryRead(answer.Span, out var read) ? read : null;
            }
            else
            {
                var translated = new ArrayBufferWriter<byte>(length + 512);
                usage = target.Protocol.ReadReply(answer, call, translated).Tokens;
                answer = translated.WrittenMemory;
            }

            var estimated = usage is null;
            usage ??= Estimate(exchange, answer.Span);
            await Settlement.CoverAsync(exchange, usage);
            await AnswerAsync(exchange, answer, usage, estimated);
            return new RelayResult(usage.PromptTokens + usage.CompletionTokens);
        }
        catch (Exception error) when (error is MalformedReplyException or InvalidDataException)
        {
            return new RelayResult(0, "malformed");
        }
        finally
        {
            if (rented is not null)
            {
                ArrayPool<byte>.Shared.Return(rented);
            }
        }
    }

    /// <summary>Says the answer as the client speaks, settles, then writes it.</summary>
    /// <exception cref="MalformedReplyException">The answer cannot be said.</exception>
    public async Task AnswerAsync(ChatExchange exchange, ReadOnlyMemory<byte> answer, TokenUsage usage, bool estimated)
    {
        if (exchange.Surface is { } surface && exchange.Passed is null)
        {
            // Before it is settled: an answer that cannot be said is the provider's failure, and another target may do better.
            var said = new ArrayBufferWriter<byte>(answer.Length + 256);
            surface.WriteReply(exchange, answer, usage, said);
            answer = said.WrittenMemory;
        }

        var cost = settlement.Complete(exchange, usage, estimated, UsageOutcome.Completed, 200, streamed: false);
        var response = exchange.Context.Response;
        response.StatusCode = 200;
        response.ContentType = "application/json";
        response.ContentLength = answer.Length;
        ReplyHeaders.Set(exchange, response);
        var dollars = cost.ToDollars().ToString(CultureInfo.InvariantCulture);
        response.Headers["x-gateway-cost"] = dollars;
        response.Headers["x-litellm-response-cost"] = dollars;
        try
        {
            await response.Body.WriteAsync(answer, exchange.Aborted);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // The client has left: the answer was made, is recorded and charged.
        }
    }

    private static TokenUsage Estimate(ChatExchange exchange, ReadOnlySpan<byte> answer)
    {
        using var tap = new Streaming.OutputTap();
        if (exchange.Passed is { } passed)
        {
            passed.CollectText(answer, tap);
        }
        else
        {
            tap.Observe(answer);
        }

        return TokenCounter.Estimate(exchange.Body.Memory, tap.Text, tap.Bytes);
    }

    /// <summary>Reads a whole reply into a pooled array; one byte more than <see cref="BytesMax"/> says that it is larger.</summary>
    public static async Task<(byte[] Bytes, int Length)> ReadAsync(HttpContent content, CancellationToken cancellation)
    {
        await using var stream = await UpstreamClient.OpenAsync(content, cancellation);
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(BytesMax, (content.Headers.ContentEncoding.Count == 0 ? content.Headers.ContentLength + 1 : null) ?? 8192));
        var length = 0;
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer.AsMemory(length), cancellation)) > 0)
            {
                length += read;
                if (length > BytesMax)
                {
                    return (buffer, length);
                }

                if (length == buffer.Length)
                {
                    var larger = ArrayPool<byte>.Shared.Rent(buffer.Length * 2);
                    buffer.AsSpan(0, length).CopyTo(larger);
                    ArrayPool<byte>.Shared.Return(buffer);
                    buffer = larger;
                }
            }

            return (buffer, length);
        }
        catch
        {
            ArrayPool<byte>.Shared.Return(buffer);
            throw;
        }
    }
}
