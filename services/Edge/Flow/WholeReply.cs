using System.Buffers;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Flow;

/// <summary>An operation whose answer comes in one piece, or may.</summary>
internal interface IAnswersWhole
{
    /// <summary>What the client gets, and what it used.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="target">Who answered.</param>
    /// <param name="call">What the gateway decided.</param>
    /// <param name="reply">The answer's head.</param>
    /// <param name="body">The answer; it is gone when the relay ends.</param>
    /// <exception cref="MalformedReplyException">It is no answer.</exception>
    WholeAnswer Understand(RequestExchange exchange, Deployment target, in ChatCall call, HttpResponseMessage reply, ReadOnlyMemory<byte> body);
}

/// <summary>An answer in one piece, in the words of the hub or of the client.</summary>
/// <param name="Body">What goes on.</param>
/// <param name="Usage">What it used.</param>
/// <param name="Estimated">Whether that was counted here, because the provider does not say.</param>
internal readonly record struct WholeAnswer(ReadOnlyMemory<byte> Body, TokenUsage Usage, bool Estimated);

/// <summary>Relays an answer that comes in one piece: its usage is known before the first byte goes on, so the cost stands in a header.</summary>
internal sealed class WholeReply(Settlement settlement, TimeProvider time)
{
    /// <summary>The largest answer that is taken.</summary>
    public const int BytesMax = 64 << 20;

    /// <summary>Reads the answer, lets the operation understand it, settles and passes it on.</summary>
    public async Task<RelayResult> RelayAsync(
        IAnswersWhole operation, RequestExchange exchange, Deployment target, ChatCall call, HttpResponseMessage reply, long began, CancellationToken cancellation)
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

            var answer = operation.Understand(exchange, target, call, reply, rented.AsMemory(0, length));
            await AnswerAsync(exchange, answer.Body, answer.Usage, answer.Estimated);
            return new RelayResult(answer.Usage.PromptTokens + answer.Usage.CompletionTokens);
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
    public async Task AnswerAsync(RequestExchange exchange, ReadOnlyMemory<byte> answer, TokenUsage usage, bool estimated)
    {
        if (exchange.Surface is { } surface && exchange.Passed is null)
        {
            // Before it is settled: an answer that cannot be said is the provider's failure, and another target may do better.
            ChatAnswer.NoteLosses(answer.Span, surface, exchange.Losses);
            var said = new ArrayBufferWriter<byte>(answer.Length + 256);
            surface.WriteReply(exchange, answer, usage, said);
            answer = said.WrittenMemory;
        }

        var cost = await settlement.CompleteAsync(exchange, usage, estimated, UsageOutcome.Completed, 200, streamed: false);
        var response = exchange.Context.Response;
        response.StatusCode = 200;
        response.ContentType = "application/json";
        response.ContentLength = answer.Length;
        ReplyHeaders.Set(exchange, response);
        var dollars = cost.ToDollarText();
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

    /// <summary>Reads a whole reply into a pooled array; one byte more than <see cref="BytesMax"/> says that it is larger.</summary>
    private static async Task<(byte[] Bytes, int Length)> ReadAsync(HttpContent content, CancellationToken cancellation)
    {
        await using var stream = await UpstreamClient.OpenAsync(content, cancellation);
        var buffer = ArrayPool<byte>.Shared.Rent((int)Math.Min(BytesMax, UpstreamClient.LengthOf(content) + 1 ?? 8192));
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
