using System.Buffers;
using Gateway.Contracts;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Files;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Routing;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Chat;

/// <summary>Chat, in OpenAI's words or said in those of another surface.</summary>
internal sealed class ChatOperation(WholeReply whole, StreamedReply streamed, NamedFiles files) : Operation, IAnswersWhole
{
    public override string CallType => "chat_completion";

    public override string Name => "chat";

    public override bool CanBeGuarded => true;

    public override bool IsOnePrompt => true;

    public override bool Streams => true;

    public override async ValueTask<GatewayError?> PrepareAsync(RequestExchange exchange) =>
        (exchange.Surface is { } surface ? await surface.PrepareAsync(exchange) : null) ?? await files.PrepareAsync(exchange);

    public override long WorstCase(RequestExchange exchange, ModelGroup group) => Estimates.WorstCase(exchange, group);

    public override CostEstimate Cost(RequestExchange exchange, ModelGroup group) => Estimates.Cost(exchange, group);

    public override long Tokens(RequestExchange exchange) => Estimates.Tokens(exchange);

    public override HttpRequestMessage MakeRequest(RequestExchange exchange, Deployment target, in ChatCall call, out ReadOnlyMemory<byte> body)
    {
        (var request, body) = UpstreamRequest.Make(exchange, target, call);
        return request;
    }

    // A provider that was asked to stream may answer with a whole reply all the same.
    public override Task<RelayResult> RelayAsync(
        RequestExchange exchange, Deployment target, ChatCall call, HttpResponseMessage reply, long began, CancellationTokenSource timer)
    {
        exchange.Units = exchange.Head.TierUntold;
        return call.Stream && reply.Content.Headers.ContentType?.MediaType is not "application/json"
            ? streamed.RelayAsync(exchange, target, call, reply, timer, began, exchange.Ticket.Guarded || exchange.TargetTicket.Guarded)
            : whole.RelayAsync(this, exchange, target, call, reply, began, timer.Token);
    }

    /// <inheritdoc/>
    public WholeAnswer Understand(RequestExchange exchange, Deployment target, in ChatCall call, HttpResponseMessage reply, ReadOnlyMemory<byte> body)
    {
        TokenUsage? usage;
        if (exchange.Passed is { } passed)
        {
            usage = passed.ReadReply(exchange, body);
        }
        else if (target.Protocol.SpeaksOpenAiChat)
        {
            usage = OpenAiUsage.TryReadWhole(body.Span, out var read) ? read : null;
            exchange.ServedAt(target.HasServiceTiers ? ServiceTiers.In(body.Span) : null);
            body = target.Protocol.Mend(body.Span, exchange.Losses) ?? body;
        }
        else
        {
            var translated = new ArrayBufferWriter<byte>(body.Length + 512);
            var told = target.Protocol.ReadReply(body, call, translated);
            usage = told.Tokens;
            exchange.ServedAt(told.Tier);
            body = translated.WrittenMemory;
        }

        usage = TokenCounter.Reported(usage);
        return new WholeAnswer(body, usage ?? Estimate(exchange, body.Span), Estimated: usage is null);
    }

    public override Task WriteErrorAsync(RequestExchange exchange, GatewayError error) => error.WriteAsync(exchange.Context, exchange.Surface);

    protected override GatewayError? ReadHead(RequestExchange exchange)
    {
        if (exchange.Surface is not { } surface)
        {
            return base.ReadHead(exchange);
        }

        var wrong = surface.ReadHead(exchange.Body.Memory, out exchange.Head);
        exchange.Head.ModelName = exchange.ModelInPath ?? exchange.Head.ModelName;
        return wrong ?? (exchange.Head.ModelName.Length == 0 ? RequestHead.MissingModel : null);
    }

    private static TokenUsage Estimate(RequestExchange exchange, ReadOnlySpan<byte> answer)
    {
        using var tap = new OutputTap();
        if (exchange.Passed is { } passed)
        {
            passed.CollectText(answer, tap);
        }
        else
        {
            tap.Observe(answer);
        }

        return TokenCounter.Estimate(exchange.Body.Memory, exchange.Target?.OpenAiModel, tap.Text, tap.Bytes);
    }
}
