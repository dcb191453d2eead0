using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Routing;
using Gateway.Edge.Streaming;
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
        ChatExchange exchange, Deployment target, ChatCall call, HttpResponseMessage reply, CancellationTokenSource timer, long began, bool guarded)
    {
        await using var upstream = await UpstreamClient.OpenAsync(reply.Content, timer.Token);
        using var relay = new Relay(exchange, target, call, tables.Current.Configuration.LiteLlm.IncludeCostInStreamingUsage);
        var outcome = UsageOutcome.Completed;
        GatewayError? error = null;
        try
        {
            error = await PumpAsync(exchange, target, relay, upstream, timer, began, guarded);
            if (error is not null)
            {
                outcome = error.Code == "budget_exceeded" ? UsageOutcome.BudgetExhausted : UsageOutcome.UpstreamCut;
            }
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
            return new RelayResult(0, "broken");
        }

        return await FinishAsync(exchange, relay, outcome, error);
    }

    /// <summary>Reads until the stream ends; the error with which it did, if it did.</summary>
    private async Task<GatewayError?> PumpAsync(
        ChatExchange exchange, Deployment target, Relay relay, Stream upstream, CancellationTokenSource timer, long began, bool guarded)
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
                return refusal;
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
            ? new GatewayError(502, "provider_error", told.Message)
            : relay.Complete
                ? null
                : new GatewayError(502, "provider_error", "The provider broke off in the middle of its answer.");
    }

    /// <summary>Holds enough money for what was produced and a little more, or says which budget has ended.</summary>
    private async ValueTask<GatewayError?> CoverAsync(ChatExchange exchange, Deployment target, Relay relay)
    {
        if (target.Price is not { } price)
        {
            return null;
        }

        var usage = relay.Usage ?? new TokenUsage { Input = relay.PromptTokens(), Output = relay.OutputTokens() };
        var cost = CostCalculator.Cost(usage, price).NanoDollars;
        var piece = CostCalculator.Cost(new TokenUsage { Output = PieceTokens }, price).NanoDollars;
        var refusal = await exchange.Ticket.CoverAsync(cost, piece * 4, piece) ?? await exchange.TargetTicket.CoverAsync(cost, piece * 4, piece);
        return refusal is null ? null : refusal.ToError(time) with { Status = 429, Code = "budget_exceeded" };
    }

    private async Task<RelayResult> FinishAsync(ChatExchange exchange, Relay relay, UsageOutcome outcome, GatewayError? error)
    {
        var usage = relay.Usage;
        var estimated = usage is null || (outcome != UsageOutcome.Completed && !relay.UsageIsFinal);
        if (estimated)
        {
            usage = relay.Estimate(usage);
        }

        var tokens = usage!.PromptTokens + usage.CompletionTokens;
        await Settlement.CoverAsync(exchange, usage);
        if (!exchange.Head.Stream && outcome == UsageOutcome.Completed)
        {
            await whole.AnswerAsync(exchange, relay.Assemble(usage), usage, estimated);
            return new RelayResult(tokens);
        }

        var cost = settlement.Complete(exchange, usage, estimated, outcome, exchange.Head.Stream ? 200 : error?.Status ?? 499, exchange.Head.Stream);
        if (outcome == UsageOutcome.ClientClosed)
        {
            return new RelayResult(tokens);
        }

        try
        {
            if (!exchange.Head.Stream)
            {
                // Assembled, and stopped in the middle: the caller gets the error instead of half an answer.
                await error!.WriteAsync(exchange.Context);
                return new RelayResult(tokens);
            }

            if (!exchange.Begun)
            {
                Begin(exchange);
            }

            if (error is not null)
            {
                error.WriteFrame(relay.Output);
            }
            else
            {
                if (exchange.Head.IncludeUsage && (estimated || !relay.UsageWasRelayed))
                {
                    relay.WriteUsage(usage, tables.Current.Configuration.LiteLlm.IncludeCostInStreamingUsage ? cost : null);
                }

                relay.Output.Write(Done);
            }

            await FlushAsync(exchange, relay);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // The client has left at the very end: everything is recorded.
        }

        return new RelayResult(tokens);
    }

    private static void Begin(ChatExchange exchange)
    {
        var response = exchange.Context.Response;
        response.StatusCode = 200;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-cache";
        // Proxies in front that would hold frames back are told not to.
        response.Headers["X-Accel-Buffering"] = "no";
        ReplyHeaders.Set(exchange, response);
    }

    private static async ValueTask FlushAsync(ChatExchange exchange, Relay relay)
    {
        var writer = exchange.Context.Response.BodyWriter;
        writer.Write(relay.Output.WrittenSpan);
        relay.Output.ResetWrittenCount();
        var result = await writer.FlushAsync(exchange.Aborted);
        if (result.IsCompleted || result.IsCanceled)
        {
            throw new OperationCanceledException(exchange.Aborted);
        }
    }

    /// <summary>One stream's state between reads.</summary>
    private sealed class Relay(ChatExchange exchange, Deployment target, ChatCall call, bool withCost) : IDisposable
    {
        private readonly IChatStream? translator = target.Protocol.SpeaksOpenAiChat ? null : target.Protocol.OpenStream(call);
        private readonly FrameReader reader = target.Protocol.OpenFrames();
        private readonly OutputTap tap = new();
        private readonly ChatAssembler? assembler = exchange.Head.Stream ? null : new ChatAssembler();
        private TokenUsage? usage;
        private bool finishSeen;
        private long promptTokens = -1;

        public ArrayBufferWriter<byte> Output { get; } = new(1024);

        /// <summary>Whether anything of an answer was seen.</summary>
        public bool HasOutput { get; private set; }

        /// <summary>Whether the provider said that its answer is complete.</summary>
        public bool Done { get; private set; }

        public bool Complete => Done || (translator?.Ended ?? finishSeen);

        public ProviderError? Error { get; private set; }

        public TokenUsage? Usage => usage ?? translator?.Usage;

        /// <summary>Whether the usage is the whole answer's, and not what was known when it broke off.</summary>
        public bool UsageIsFinal => usage is not null || (translator is { Ended: true });

        public bool UsageWasRelayed { get; private set; }

        public void Read(ReadOnlySpan<byte> bytes)
        {
            reader.Append(bytes);
            while (!Done && reader.TryRead(out var frame))
            {
                Take(frame);
            }
        }

        /// <summary>The connection has ended: what was held back for want of a blank line counts too.</summary>
        public void End()
        {
            if (reader.TryReadLast(out var frame))
            {
                Take(frame);
            }
        }

        public long PromptTokens() => promptTokens >= 0
            ? promptTokens
            : promptTokens = exchange.Grant.Expectation.Input(exchange.Body.Memory.Length) ?? TokenCounter.CountPrompt(exchange.Body.Memory);

        public long OutputTokens() => TokenCounter.CountEscaped(tap.Text, tap.Bytes);

        /// <summary>What was produced, counted here; what the provider did report before it broke off is kept.</summary>
        public TokenUsage Estimate(TokenUsage? partly)
        {
            var counted = TokenCounter.CountEscaped(tap.Text, tap.Bytes);
            return partly is { PromptTokens: > 0 }
                ? partly with { Output = Math.Max(partly.Output, counted - partly.Reasoning) }
                : new TokenUsage { Input = TokenCounter.CountPrompt(exchange.Body.Memory), Output = counted };
        }

        public ReadOnlyMemory<byte> Assemble(TokenUsage total) => assembler!.ToJson(total);

        public void WriteUsage(TokenUsage total, Money? cost)
        {
            Output.Write("data: "u8);
            using (var json = new Utf8JsonWriter(Output))
            {
                json.WriteStartObject();
                json.WriteString("id", $"chatcmpl-{call.Id:N}");
                json.WriteString("object", "chat.completion.chunk");
                json.WriteNumber("created", call.Created);
                json.WriteString("model", call.PublicModel);
                json.WriteStartArray("choices");
                json.WriteEndArray();
                json.WritePropertyName("usage");
                OpenAiUsage.Write(json, total, cost);
                json.WriteEndObject();
            }

            Output.Write("\n\n"u8);
            UsageWasRelayed = true;
        }

        public void Dispose()
        {
            reader.Dispose();
            tap.Dispose();
        }

        private void Take(SseEvent frame)
        {
            if (!frame.HasData)
            {
                // A comment keeps the connection alive on the client's side too.
                if (translator is null && assembler is null && HasOutput)
                {
                    Output.Write(frame.Raw);
                }

                return;
            }

            if (translator is not null)
            {
                var before = Output.WrittenCount;
                translator.Read(frame.Name, frame.Data, Output);
                Error ??= translator.Error;
                Done = translator.Ended || Error is not null;
                var written = Output.WrittenSpan[before..];
                if (!written.IsEmpty)
                {
                    HasOutput = true;
                    tap.Observe(written);
                    assembler?.AddFrames(written);
                }

                return;
            }

            TakeOpenAi(frame);
        }

        private void TakeOpenAi(SseEvent frame)
        {
            var data = frame.Data;
            if (data.SequenceEqual("[DONE]"u8))
            {
                Done = true;
                return;
            }

            if (data.IndexOf("\"usage\""u8) >= 0 && OpenAiUsage.TryRead(data, out var read))
            {
                usage = read;
                if (IsUsageOnly(data))
                {
                    // The gateway asked for this frame: it goes on only to a caller who did, too. With the cost in it, it is written anew.
                    if (exchange.Head.IncludeUsage && exchange.Head.Stream && !withCost)
                    {
                        Output.Write(frame.Raw);
                        UsageWasRelayed = true;
                    }

                    return;
                }
            }

            if (data.IndexOf("\"error\""u8) >= 0 && data.IndexOf("\"choices\""u8) < 0)
            {
                Error = target.Protocol.ReadError(500, data);
                Done = true;
                return;
            }

            // A frame that is no JSON would break the client's reader: the stream ends with an error instead.
            if (data.IsEmpty || data[0] != (byte)'{' || data[^1] != (byte)'}')
            {
                throw new MalformedReplyException("A frame of the stream is no JSON object.");
            }

            finishSeen |= data.IndexOf("\"finish_reason\":\""u8) >= 0 || data.IndexOf("\"finish_reason\": \""u8) >= 0;
            HasOutput = true;
            tap.Observe(data);
            if (assembler is not null)
            {
                assembler.Add(data);
            }
            else
            {
                Output.Write(frame.Raw);
            }
        }

        private static bool IsUsageOnly(ReadOnlySpan<byte> data)
        {
            var at = data.IndexOf("\"choices\""u8);
            if (at < 0)
            {
                return true;
            }

            var rest = data[(at + 9)..].TrimStart(": \t"u8);
            return rest.Length > 1 && rest[0] == (byte)'[' && rest[1..].TrimStart(" \t"u8) is [(byte)']', ..];
        }
    }
}
