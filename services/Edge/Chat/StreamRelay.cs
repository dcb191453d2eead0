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
    private readonly RequestExchange exchange;
    private readonly Deployment target;
    private readonly ChatCall call;
    private readonly bool withCost;
    private readonly IChatStream? translator;
    private readonly FrameReader reader;
    private readonly OutputTap tap = new();
    private readonly ChatAssembler? assembler;
    private HeldFrames? last;
    private TokenUsage? usage;
    private bool lastEnds;
    private bool finishSeen;
    private long promptTokens = -1;

    public StreamRelay(RequestExchange exchange, Deployment target, in ChatCall call, bool withCost)
    {
        this.exchange = exchange;
        this.target = target;
        this.call = call;
        this.withCost = withCost;
        Passed = exchange.Passed?.OpenStream(exchange, assembles: !exchange.Head.Stream);
        translator = Passed is not null || target.Protocol.SpeaksOpenAiChat ? null : target.Protocol.OpenStream(call);
        reader = target.Protocol.OpenFrames();
        Surface = exchange.Head.Stream && Passed is null ? exchange.Surface?.OpenStream(exchange) : null;
        assembler = exchange.Head.Stream || Passed is not null ? null : new ChatAssembler();
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
    public bool Complete => Passed?.Ended ?? (Done || (translator?.Ended ?? finishSeen));

    public ProviderError? Error { get; private set; }

    public TokenUsage? Usage => TokenCounter.Reported(Passed is not null ? Passed.Usage : usage ?? translator?.Usage);

    /// <summary>Whether the usage is the whole answer's, and not what was known when it broke off.</summary>
    public bool UsageIsFinal => Usage is not null && (Passed?.Ended ?? (usage is not null || translator is { Ended: true }));

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

    /// <summary>The connection has ended: what was held back for want of a blank line counts too.</summary>
    public void End()
    {
        if (reader.TryReadLast(out var frame))
        {
            Take(frame);
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
            return Estimate(partly);
        }

        promptTokens = promptTokens >= 0 ? promptTokens : exchange.Grant.Expectation.Input(exchange.Body.Memory.Length) ?? TokenCounter.CountPrompt(exchange.Body.Memory, target.OpenAiModel);
        return new TokenUsage { Input = promptTokens, Output = TokenCounter.CountEscaped(tap.Text, tap.Bytes) };
    }

    /// <summary>What was produced, counted here; what the provider did report before it broke off is kept.</summary>
    public TokenUsage Estimate(TokenUsage? partly)
    {
        var counted = TokenCounter.CountEscaped(tap.Text, tap.Bytes);
        return partly is { PromptTokens: > 0 }
            ? partly with { Output = Math.Max(partly.Output, counted - partly.Reasoning) }
            : new TokenUsage { Input = TokenCounter.CountPrompt(exchange.Body.Memory, target.OpenAiModel), Output = counted };
    }

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
        Error ??= translator.Error;
        Done = translator.Ended || Error is not null;
        var written = Output.WrittenSpan[before..];
        if (!written.IsEmpty)
        {
            HasOutput = true;
            tap.Observe(written);
            assembler?.AddFrames(written);
        }
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
            usage = OpenAiUsage.Merge(usage, read);
            if (IsUsageOnly(data))
            {
                // The gateway asked for this frame: it goes on only to a caller who did, too. With the cost in it, it is written anew.
                if (exchange.Head.IncludeUsage && exchange.Head.Stream && !withCost && TokenCounter.Reported(read) is not null)
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

        var mended = target.Protocol.Mend(data);
        data = mended is null ? data : mended;
        finishSeen |= data.IndexOf("\"finish_reason\":\""u8) >= 0 || data.IndexOf("\"finish_reason\": \""u8) >= 0;
        HasOutput = true;
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
