using System.Buffers;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Operations;

/// <summary>An operation that asks in JSON and is answered in one piece of JSON.</summary>
internal abstract class JsonOperation(OperationKind kind, WholeReply whole) : JsonRequestOperation(kind), IAnswersWhole
{
    public override Task<RelayResult> RelayAsync(
        RequestExchange exchange, Deployment target, ChatCall call, HttpResponseMessage reply, long began, CancellationTokenSource timer) =>
        whole.RelayAsync(this, exchange, target, call, reply, began, timer.Token);

    /// <inheritdoc/>
    public virtual WholeAnswer Understand(RequestExchange exchange, Deployment target, in ChatCall call, HttpResponseMessage reply, ReadOnlyMemory<byte> body)
    {
        var reported = true;
        if (target.Protocol.Serve(Kind) is { Passes: false } upstream)
        {
            var hub = new ArrayBufferWriter<byte>(body.Length + 512);
            reported = upstream.ReadReply(body, new OperationCall(call, HubRequest(exchange), reply.Headers), hub);
            body = hub.WrittenMemory;
        }

        var use = ReadUse(exchange, body.Span);
        var (tokens, units) = use ?? Expected(exchange);
        exchange.Units = units;
        return new WholeAnswer(body, tokens, Estimated: !reported || use is null);
    }

    /// <summary>The request in the hub's words, as far as a reply is read by it.</summary>
    protected virtual ReadOnlyMemory<byte> HubRequest(RequestExchange exchange) => exchange.Body.Memory;

    /// <summary>What a reply in the hub's words says that it used; null when it says nothing.</summary>
    /// <exception cref="MalformedReplyException">The reply is none.</exception>
    protected abstract OperationUse? ReadUse(RequestExchange exchange, ReadOnlySpan<byte> reply);
}
