using System.Buffers;
using Gateway.Edge.Chat;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Operations;

/// <summary>An operation that asks in JSON and is answered in one piece of JSON.</summary>
internal abstract class JsonOperation(OperationKind kind, WholeReply whole, TimeProvider time) : JsonRequestOperation(kind)
{
    public override async Task<RelayResult> RelayAsync(
        ChatExchange exchange, Deployment target, ChatCall call, HttpResponseMessage reply, long began, CancellationTokenSource timer)
    {
        byte[]? rented = null;
        try
        {
            (rented, var length) = await WholeReply.ReadAsync(reply.Content, timer.Token);
            if (length > WholeReply.BytesMax)
            {
                return new RelayResult(0, "too_large");
            }

            var took = (long)time.GetElapsedTime(began).TotalMicroseconds;
            exchange.FirstByteMicroseconds = took;
            exchange.UpstreamMicroseconds = took;
            target.Health.Answered(took);

            ReadOnlyMemory<byte> answer = rented.AsMemory(0, length);
            var reported = true;
            if (target.Protocol.Serve(Kind) is { Passes: false } upstream)
            {
                var hub = new ArrayBufferWriter<byte>(length + 512);
                reported = upstream.ReadReply(answer, new OperationCall(call, exchange.Body.Memory, reply.Headers), hub);
                answer = hub.WrittenMemory;
            }

            var use = ReadUse(exchange, answer.Span);
            reported &= use is not null;
            var (tokens, units) = use ?? Expected(exchange);
            exchange.Units = units;
            await Settlement.CoverAsync(exchange, tokens);
            await whole.AnswerAsync(exchange, answer, tokens, estimated: !reported);
            return new RelayResult(tokens.PromptTokens + tokens.CompletionTokens);
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

    /// <summary>What a reply in the hub's words says that it used; null when it says nothing.</summary>
    /// <exception cref="MalformedReplyException">The reply is none.</exception>
    protected abstract OperationUse? ReadUse(ChatExchange exchange, ReadOnlySpan<byte> reply);
}
