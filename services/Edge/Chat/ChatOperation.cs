using System.Buffers;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Chat;

/// <summary>Chat, in OpenAI's words or said in those of another surface.</summary>
internal sealed class ChatOperation(WholeReply whole, StreamedReply streamed) : Operation
{
    public override string CallType => "chat_completion";

    public override string Name => "chat";

    public override bool CanBeGuarded => true;

    public override bool Streams => true;

    public override CostEstimate Cost(ChatExchange exchange, ModelGroup group) => Estimates.Cost(exchange, group);

    public override long Tokens(ChatExchange exchange) => Estimates.Tokens(exchange);

    public override HttpRequestMessage MakeRequest(ChatExchange exchange, Deployment target, in ChatCall call, out ReadOnlyMemory<byte> body)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, call.Stream ? target.StreamAddress : target.Address);
        body = default;
        if (target.Protocol.SpeaksOpenAiChat)
        {
            request.Content = new SplicedContent(
                exchange.Body.Memory,
                Splice.ForOpenAi(exchange.Body.Span, exchange.Head, target.ModelJson, call.Stream && !exchange.Head.Stream, target.Protocol.TakesStreamOptions));
        }
        else
        {
            var translated = new ArrayBufferWriter<byte>(exchange.Body.Memory.Length + 256);
            var dropped = new List<string>();
            target.Protocol.WriteRequest(exchange.Body.Memory, call, translated, dropped);
            ReplyHeaders.Dropped(exchange, dropped);
            body = translated.WrittenMemory;
            request.Content = new ReadOnlyMemoryContent(body) { Headers = { ContentType = new("application/json") } };
        }

        return request;
    }

    // A provider that was asked to stream may answer with a whole reply all the same.
    public override Task<RelayResult> RelayAsync(
        ChatExchange exchange, Deployment target, ChatCall call, HttpResponseMessage reply, long began, CancellationTokenSource timer) =>
        call.Stream && reply.Content.Headers.ContentType?.MediaType is not "application/json"
            ? streamed.RelayAsync(exchange, target, call, reply, timer, began, exchange.Ticket.Guarded || exchange.TargetTicket.Guarded)
            : whole.RelayAsync(exchange, target, call, reply, began, timer.Token);

    public override Task WriteErrorAsync(ChatExchange exchange, GatewayError error) =>
        exchange.Surface?.WriteErrorAsync(exchange.Context, error) ?? error.WriteAsync(exchange.Context);

    protected override GatewayError? Say(ChatExchange exchange)
    {
        if (exchange.Surface is not { } surface)
        {
            return null;
        }

        var hub = new ArrayBufferWriter<byte>(exchange.Body.Memory.Length + 256);
        try
        {
            surface.WriteRequest(exchange.Body.Memory, hub);
        }
        catch (System.Text.Json.JsonException)
        {
            return GatewayError.InvalidJson;
        }
        catch (UntranslatableRequestException error)
        {
            return new GatewayError(400, "invalid_request", error.Message, error.Param);
        }

        exchange.Body.Dispose();
        exchange.Body = RequestBody.Of(hub.WrittenSpan);
        return null;
    }
}
