using System.Buffers;
using System.Globalization;
using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using Gateway.Pricing;

namespace Gateway.Edge.Chat;

/// <summary>
/// Relays a streamed answer frame by frame, reads its usage on the way, and records the request before its last frame goes on. A request
/// that does not stream but was streamed upstream (a guarded one) is assembled instead of relayed.
/// </summary>
internal sealed class StreamedReply(Settlement settlement, WholeReply whole, RoutingTables tables, TimeProvider time)
{
    private const int ReadBytes = 16 * 1024;

    /// <summary>Tokens in what providers send at once: a guarded stream ends within so many of the last nano-dollar.</summary>
    private const int PieceTokens = 8;

    private static readonly byte[] Done = "data: [DONE]\n\n"u8.ToArray();

    public async Task<RelayResult> RelayAsync(
        RequestExchange exchange, Deployment target, ChatCall call, HttpResponseMessage reply, CancellationTokenSource timer, long began, bool guarded)
    {
        await using var upstream = await UpstreamClient.OpenAsync(reply.Content, timer.Token);
        using var relay = new StreamRelay(exchange, target, call, tables.Current.Configuration.LiteLlm.IncludeCostInStreamingUsage);
        var outcome = UsageOutcome.Completed;
        GatewayError? error = null;
        try
        {
            (outcome, error) = await PumpAsync(exchange, target, relay, upstream, timer, began, guarded);
        }
        catch (Exception failure) when (!exchange.Begun && !relay.HasOutput && !exchange.Aborted.IsCancellationRequested
            && failure is IOException or HttpRequestException or MalformedReplyException or InvalidDataException)
        {
            // Nothing was relayed yet: another target may answer.
            return new RelayResult(0, failure is MalformedReplyException ? "malformed" : "broken");
        }
        catch (Exception failure) when (failure is IOException or HttpRequestException or OperationCanceledException or MalformedReplyException or InvalidDataException)
        {
            if (exchange.Aborted.IsCancellationRequested)
            {
                outcome = UsageOutcome.ClientClosed;
            }
            else if (!relay.HasOutput && failure is OperationCanceledException)
            {
                throw;
            }
            else
            {
                outcome = UsageOutcome.UpstreamCut;
                error = failure is OperationCanceledException
                    ? new GatewayError(504, "provider_timeout", "The provider did not finish its answer in time.")
                    : new GatewayError(502, "provider_error", "The provider broke off in the middle of its answer.");
            }
        }

        if (error is not null && !relay.HasOutput && !exchange.Begun && outcome == UsageOutcome.UpstreamCut)
        {
            return relay.Error is { } refused ? new RelayResult(0, Refused: refused) : new RelayResult(0, "broken");
        }

        try
        {
            return await FinishAsync(exchange, relay, outcome, error);
        }
        catch (MalformedReplyException) when (!exchange.Begun && outcome == UsageOutcome.Completed)
        {
            // It was to be put together, and cannot be: nothing was settled or sent, and another target may do better.
            return new RelayResult(0, "malformed");
        }
    }

    /// <summary>Reads until the stream ends: how, and the error with which it did, if it did.</summary>
    private async Task<(UsageOutcome Outcome, GatewayError? Error)> PumpAsync(
        RequestExchange exchange, Deployment target, StreamRelay relay, Stream upstream, CancellationTokenSource timer, long began, bool guarded)
    {
        var assemble = !exchange.Head.Stream;
        var firstByte = true;
        while (true)
        {
            // An idle stream holds no buffer: wait for data with an empty read, then rent.
            _ = await upstream.ReadAsync(Memory<byte>.Empty, timer.Token);
            var buffer = ArrayPool<byte>.Shared.Rent(ReadBytes);
            try
            {
                var read = await upstream.ReadAsync(buffer, timer.Token);
                if (read == 0)
                {
                    relay.End();
                    break;
                }

                relay.Read(buffer.AsSpan(0, read));
            }
            finally
            {
                ArrayPool<byte>.Shared.Return(buffer);
            }

            if (firstByte && relay.HasOutput)
            {
                firstByte = false;
                var took = (long)time.GetElapsedTime(began).TotalMicroseconds;
                exchange.FirstByteMicroseconds = took;
                exchange.UpstreamMicroseconds = took;
                target.Health.Answered(took);
                timer.CancelAfter(target.Configuration.Timeout ?? tables.Current.Configuration.Router.Timeout);
                if (!assemble)
                {
                    Begin(exchange);
                }
            }

            if (guarded && !relay.Done && await CoverAsync(exchange, target, relay) is { } refusal)
            {
                // Either there is no more money, or nobody can say whether there is.
                return (UsageOutcome.BudgetExhausted, refusal);
            }

            if (!assemble && relay.Output.WrittenCount > 0)
            {
                await FlushAsync(exchange, relay);
            }

            if (relay.Done)
            {
                break;
            }
        }

        return relay.Error is { } told
            ? (UsageOutcome.UpstreamCut, AttemptResult.InStream(told))
            : relay.Complete
                ? (UsageOutcome.Completed, null)
                : (UsageOutcome.UpstreamCut, new GatewayError(502, "provider_error", "The provider broke off in the middle of its answer."));
    }

    /// <summary>Holds enough money for what was produced and a little more, or says which budget has ended, or that nobody can say.</summary>
    private async ValueTask<GatewayError?> CoverAsync(RequestExchange exchange, Deployment target, StreamRelay relay)
    {
        if (target.Price is not { } price)
        {
            return null;
        }

        var usage = relay.UsageSoFar();
        var cost = CostCalculator.Cost(usage, price, exchange.Units).NanoDollars;
        var piece = CostCalculator.Cost(new TokenUsage { Output = PieceTokens }, price, exchange.Units).NanoDollars;
        var refusal = await exchange.Ticket.CoverAsync(cost, piece * 4, piece) ?? await exchange.TargetTicket.CoverAsync(cost, piece * 4, piece);
        return refusal?.ToError(time);
    }

    private async Task<RelayResult> FinishAsync(RequestExchange exchange, StreamRelay relay, UsageOutcome outcome, GatewayError? error)
    {
        var usage = relay.Usage;
        var estimated = usage is null || (outcome != UsageOutcome.Completed && !relay.UsageIsFinal);
        if (estimated)
        {
            usage = relay.Estimate(usage);
        }

        var tokens = usage!.PromptTokens + usage.CompletionTokens;
        if (!exchange.Head.Stream && outcome == UsageOutcome.Completed)
        {
            await whole.AnswerAsync(exchange, relay.Assemble(usage), usage, estimated);
            return new RelayResult(tokens);
        }

        var cost = await settlement.CompleteAsync(exchange, usage, estimated, outcome, exchange.Head.Stream ? 200 : error?.Status ?? 499, exchange.Head.Stream);
        if (outcome == UsageOutcome.ClientClosed)
        {
            return new RelayResult(tokens);
        }

        try
        {
            if (!exchange.Head.Stream)
            {
                // Assembled, and stopped in the middle: the caller gets the error instead of half an answer.
                await error!.WriteAsync(exchange.Context, exchange.Surface);
                return new RelayResult(tokens);
            }

            if (!exchange.Begun)
            {
                Begin(exchange);
            }

            await WriteEndAsync(exchange, relay, usage, estimated, cost, error);
            await FlushAsync(exchange, relay);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // The client has left at the very end: everything is recorded.
        }

        return new RelayResult(tokens);
    }

    private async ValueTask WriteEndAsync(RequestExchange exchange, StreamRelay relay, TokenUsage usage, bool estimated, Money cost, GatewayError? error)
    {
        Money? shown = tables.Current.Configuration.LiteLlm.IncludeCostInStreamingUsage ? cost : null;
        if (relay.Passed is { } passed)
        {
            // The provider's own last frames, which were held until the request was recorded.
            if (!relay.WriteLast(shown))
            {
                passed.Fail(error!, relay.Output);
            }
        }
        else if (relay.Surface is { } surface)
        {
            try
            {
                await FlushAsync(exchange, relay);
            }
            catch (MalformedReplyException)
            {
                error ??= new GatewayError(502, "provider_error", "The provider answered what its protocol does not know.");
            }

            if (error is not null)
            {
                surface.Fail(error, exchange.Context.Response.BodyWriter);
            }
            else
            {
                surface.End(usage, shown, exchange.Context.Response.BodyWriter);
            }
        }
        else if (error is not null)
        {
            error.WriteFrame(relay.Output);
        }
        else
        {
            if (exchange.Head.IncludeUsage && (estimated || !relay.UsageWasRelayed))
            {
                relay.WriteUsage(usage, shown);
            }

            relay.Output.Write(Done);
        }
    }

    private static void Begin(RequestExchange exchange)
    {
        var response = exchange.Context.Response;
        response.StatusCode = 200;
        response.ContentType = exchange.Surface?.StreamType ?? "text/event-stream";
        response.Headers.CacheControl = "no-cache";
        // Proxies in front that would hold frames back are told not to.
        response.Headers["X-Accel-Buffering"] = "no";
        ReplyHeaders.Set(exchange, response);
    }

    private static async ValueTask FlushAsync(RequestExchange exchange, StreamRelay relay)
    {
        var writer = exchange.Context.Response.BodyWriter;
        if (relay.Surface is { } surface)
        {
            surface.Read(relay.Output.WrittenSpan, writer);
        }
        else
        {
            writer.Write(relay.Output.WrittenSpan);
        }

        relay.Output.ResetWrittenCount();
        var result = await writer.FlushAsync(exchange.Aborted);
        if (result.IsCompleted || result.IsCanceled)
        {
            throw new OperationCanceledException(exchange.Aborted);
        }
    }
}
