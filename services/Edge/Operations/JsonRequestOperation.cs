using System.Buffers;
using System.Text.Json;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Operations;

/// <summary>An operation that asks in JSON: sent as it came to who speaks it, said in other words to others.</summary>
internal abstract class JsonRequestOperation(OperationKind kind) : MeteredOperation(kind)
{
    public override HttpRequestMessage MakeRequest(RequestExchange exchange, Deployment target, in ChatCall call, out ReadOnlyMemory<byte> body)
    {
        var upstream = target.Protocol.Serve(Kind)!;
        var request = new HttpRequestMessage(HttpMethod.Post, upstream.Address(target.Target));
        body = default;
        if (upstream.Passes)
        {
            request.Content = new SplicedContent(
                exchange.Body.Memory, Splice.ForOpenAi(exchange.Body.Span, exchange.Head, target.ModelJson, forceStream: false, takesStreamOptions: false));
            return request;
        }

        var translated = new ArrayBufferWriter<byte>(exchange.Body.Memory.Length + 256);
        var dropped = new List<string>();
        using (var asked = ChatRequest.Parse(exchange.Body.Memory))
        {
            upstream.WriteRequest(asked.RootElement, call, translated, new DroppedFields(dropped, call.DropUnsupported, target.Provider));
        }

        ReplyHeaders.Dropped(exchange, dropped);
        body = translated.WrittenMemory;
        request.Content = new ReadOnlyMemoryContent(body) { Headers = { ContentType = new("application/json") } };
        return request;
    }
}
