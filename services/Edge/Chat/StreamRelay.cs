using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Routing;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Chat;

/// <summary>
/// One stream's state between reads: frames of the provider in, frames for the client out. They pass as they came where both speak the same
/// (OpenAI's chat, or a surface's own protocol), and are said in OpenAI's words elsewhere.
/// </summary>
internal sealed class StreamRelay : IDisposable
{
    private static ReadOnlySpan<byte> Space => " \t\r\n"u8;

    private readonly RequestExchange exchange;
    private readonly Deployment target;
    private readonly ChatCall call;
    private readonly bool withCost;
    private readonly IChatStream? translator;
    private readonly FrameReader reader;
    private readonly OutputTap tap = new();
    private GrowingCount? soFar;
    private readonly ChatAssembler? assembler;
    private HeldFrames? last;
    private OpenAiStream openAi;
    private bool lastEnds;
    private bool readsTier;
    private long promptTokens = -1;

    public StreamRelay(RequestExchange exchange, Deployment target, in ChatCall call, bool withCost)
    {
        this.exchange = exchange;
        this.target = target;
        this.call = call;
        this.withCost = withCost;
        readsTier = target.HasServiceTiers;
        Passed = exchange.Passed?.OpenStream(exchange, assembles: !exchange.Head.Stream);
        openAi = new OpenAiStream(exchange.Head.Choices);
        translator = Passed is not null || target.Protocol.SpeaksOpenAiChat ? null : target.Protocol.OpenStream(call);
        reader = target.Protocol.OpenFrames();
        Surface = exchange.Head.Stream && Passed is null ? exchange.Surface?.OpenStream(exchange) : null;
        assembler = exchange.Head.Stream || Passed is not null ? null : new ChatAssembler($"call_{exchange.Id:N}");
    }

    /// <summary>Watches a stream of the client's own protocol; null when the frames are OpenAI's chat or translated into it.</summary>
    public IPassedStream? Passed { get; }

    /// <summary>Says the stream in the client's own format; null for OpenAI's, or when the frames pass.</summary>
    public ChatSurfaceStream? Surface { get; }

    /// <summary>What waits to be sent.</summary>
    public ArrayBufferWriter<byte> Output { get; } = new();

    /// <summary>Whether anything of an answer was seen.</summary>
    public bool HasOutput { get; private set; }

    /// <summary>Whether the provider said that its answer is complete, or that it failed.</summary>
    public bool Done { get; private set; }

    /// <summary>Whether the answer is whole.</summary>
    public bool Complete => Passed?.Ended ?? translator?.Ended ?? openAi.Complete;

    public ProviderError? Error { get; private set; }

    public TokenUsage? Usage => TokenCounter.Reported(Passed is not null ? Passed.Usage : translator is not null ? translator.Usage : openAi.Usage);

    /// <summary>Whether the usage is the whole answer's, and not what was known when it broke off.</summary>
    public bool UsageIsFinal => Usage is not null && (Passed?.Ended ?? translator?.Ended ?? true);

    public bool UsageWasRelayed { get; private set; }

    public void Read(ReadOnlySpan<byte> bytes)
    {
        reader.Append(bytes);
        while (reader.TryRead(out var frame))
        {
            if (!Done)
            {
                Take(frame);
            }
            else if (Passed is not null)
            {
                // Some servers send [DONE] behind the protocol's own end.
                last?.Add(Passed.Framed(frame), withCost: false);
            }
        }
    }

    /// <summary>
    /// The connection has ended: data that was held back for want of a blank line counts too, and gets its end, or what follows would be taken for its
    /// rest. Half a line without data is nothing.
    /// </summary>
    /// <exception cref="MalformedReplyException">The last frame is half a frame, or not the protocol's.</exception>
    public void End()
    {
        if (reader.TryReadLast(out var frame) && frame.HasData && !Done)
        {
            if (frame.Data.Trim(Space) is [(byte)'{', ..])
            {
                // The connection may have been cut behind any brace: a frame that passes unread is read here.
                JsonReading.ParseReply(frame.Data).Dispose();
            }

            byte[] ended = [.. frame.Raw.TrimEnd("\r\n"u8), .. reader.FrameEnd];
            Take(new SseEvent(ended, frame.Name, frame.Data, hasData: true));
        }
    }

    /// <summary>What has been used until now: as reported when that is the whole, else counted. Some report a first part at the beginning.</summary>
    public TokenUsage UsageSoFar()
    {
        if (UsageIsFinal)
        {
            return Usage!;
        }

        if (Usage is { PromptTokens: > 0 } partly)
        {
            return Estimate(partly, (soFar ??= new()).Of(tap.Text, tap.Bytes));
        }

        promptTokens = promptTokens >= 0 ? promptTokens : exchange.Grant.Expectation.Input(exchange.Body.Memory.Length) ?? TokenCounter.CountPrompt(exchange.Body.Memory, target.OpenAiModel);
        return new TokenUsage { Input = promptTokens, Output = (soFar ??= new()).Of(tap.Text, tap.Bytes) };
    }

    /// <summary>What was produced, counted here; what the provider did report before it broke off is kept.</summary>
    public TokenUsage Estimate(TokenUsage? partly)
    {
        var counted = TokenCounter.CountEscaped(tap.Text, tap.Bytes);
        return partly is { PromptTokens: > 0 } ? Estimate(partly, counted)
            : new TokenUsage { Input = TokenCounter.CountPrompt(exchange.Body.Memory, target.OpenAiModel), Output = counted };
    }

    private static TokenUsage Estimate(TokenUsage partly, long counted) => partly with { Output = Math.Max(partly.Output, counted - partly.Reasoning) };

    public ReadOnlyMemory<byte> Assemble(TokenUsage total) => Passed?.Assemble() ?? assembler!.ToJson(total);

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

    /// <summary>
    /// Sends the frames that end a passed stream, with the cost in their usage where that is wanted; false when the provider did not send its
    /// end, or one that a caller must not see.
    /// </summary>
    public bool WriteLast(Money? cost)
    {
        last?.WriteTo(Output, cost);
        return lastEnds;
    }

    public void Dispose()
    {
        reader.Dispose();
        tap.Dispose();
        Surface?.Dispose();
    }

    private void Take(SseEvent frame)
    {
        if (frame.HasData && frame.Name.IsEmpty && frame.Data.Trim(Space).IsEmpty)
        {
            // An event without data is none to a browser; other clients would take it for a chunk that is broken.
            return;
        }

        if (!frame.HasData)
        {
            // A comment keeps the connection alive on the client's side too.
            if (translator is null && assembler is null && HasOutput && exchange.Head.Stream)
            {
                Output.Write(Passed is null ? frame.Raw : Passed.Framed(frame).Raw);
            }
        }
        else if (Passed is not null)
        {
            TakePassed(frame);
        }
        else if (translator is not null)
        {
            TakeTranslated(frame);
        }
        else
        {
            TakeOpenAi(frame);
        }
    }

    private void TakePassed(SseEvent frame)
    {
        Passed!.Watch(frame.Name, frame.Data, tap);
        exchange.ServedAt(Passed.Tier);
        Error ??= Passed.Error;
        Done = Passed.Ended || Error is not null;
        if (!Done)
        {
            HasOutput |= !Passed.IsUsageOnly;
            if (!exchange.Head.Stream || (Passed.IsUsageOnly && !exchange.Head.IncludeUsage))
            {
                return;
            }

            // What it cost is known at the end: a usage that shall say so waits for it, and what comes behind stays behind.
            if (last is not null || (withCost && Passed.HasUsage))
            {
                Hold(frame);
            }
            else
            {
                Output.Write(Passed.Framed(frame).Raw);
            }

            return;
        }

        HasOutput |= Passed.Ended;
        if (Passed.Ended || ErrorText.IsFit(frame.Data))
        {
            Hold(frame);
            lastEnds = true;
        }
    }

    private void Hold(SseEvent frame) => (last ??= new()).Add(Passed!.Framed(frame), withCost && Passed.HasUsage);

    private void TakeTranslated(SseEvent frame)
    {
        var before = Output.WrittenCount;
        translator!.Read(frame.Name, frame.Data, Output);
        exchange.ServedAt(translator.Tier);
        Error ??= translator.Error;
        Done = translator.Ended || Error is not null;
        var written = Output.WrittenSpan[before..];
        if (!written.IsEmpty)
        {
            HasOutput = true;
            ChatAnswer.NoteLosses(written, exchange.Surface, exchange.Losses);
            tap.Observe(written);
            assembler?.AddFrames(written);
        }
    }

    private void TakeOpenAi(SseEvent frame)
    {
        var data = frame.Data.Trim(Space);
        if (readsTier && ServiceTiers.In(data) is { } tier)
        {
            // Every chunk says it: the first is enough.
            exchange.ServedAt(tier);
            readsTier = false;
        }

        switch (openAi.Take(frame.Name, data, out var reported))
        {
            case OpenAiFrame.Done:
                Done = true;
                return;

            case OpenAiFrame.Error:
                Error = openAi.Error;
                Done = true;
                return;

            // The gateway asked for this frame: it goes on only to a caller who did, too. With the cost in it, it is written anew.
            case OpenAiFrame.Usage:
                if (exchange.Head.IncludeUsage && exchange.Head.Stream && !withCost && TokenCounter.Reported(reported) is not null)
                {
                    Output.Write(frame.Raw);
                    UsageWasRelayed = true;
                }

                return;
        }

        var mended = target.Protocol.Mend(data, exchange.Losses);
        data = mended is null ? data : mended;
        HasOutput = true;
        ChatAnswer.NoteLosses(data, exchange.Surface, exchange.Losses);
        tap.Observe(data);
        if (assembler is not null)
        {
            assembler.Add(data);
        }
        else if (mended is not null)
        {
            Output.Write("data: "u8);
            Output.Write(mended);
            Output.Write("\n\n"u8);
        }
        else
        {
            Output.Write(frame.Raw);
        }
    }
}
