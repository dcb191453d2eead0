using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.Gemini;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.GeminiApi;

/// <summary>Gemini's protocol between Gemini's client and Gemini or Vertex AI: the model stands in the address, and the body is not changed.</summary>
/// <param name="asArray">Whether the client reads a stream as one JSON array. The provider sends events in any case.</param>
internal sealed class GeminiPassed(bool asArray) : IPassedProtocol
{
    public IReadOnlyList<string> ForwardedHeaders => [];

    public bool NamesModelInAddress => true;

    public TokenUsage? ReadReply(RequestExchange exchange, ReadOnlyMemory<byte> reply)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        return GeminiReply.Usage(document.RootElement.Field("usageMetadata"u8));
    }

    public void CollectText(ReadOnlySpan<byte> reply, OutputTap tap)
    {
        using var document = JsonReading.ParseReply(reply);
        CollectText(document.RootElement, tap);
    }

    public IPassedStream OpenStream(RequestExchange exchange, bool assembles) => new GeminiPassedStream(exchange.Head.Choices, new GeminiFraming(asArray), assembles);

    /// <summary>Collects what the model said. Names and arguments may stand elsewhere, too: only those of calls are its words.</summary>
    public static void CollectText(JsonElement reply, OutputTap tap)
    {
        foreach (var part in reply.Field("candidates"u8).Items().SelectMany(static candidate => candidate.Field("content"u8).Field("parts"u8).Items()))
        {
            Collect(part.Field("text"u8).RawText());
            var call = part.Field("functionCall"u8);
            Collect(call.Field("name"u8).RawText());
            Collect(EscapedText.Escape(call.Field("args"u8).Raw()));
        }

        void Collect(ReadOnlySpan<byte> escaped)
        {
            if (!escaped.IsEmpty)
            {
                tap.Collect([.. "\"text\":\""u8, .. escaped, (byte)'"'], "\"text\""u8);
            }
        }
    }
}

/// <summary>Watches a stream of Gemini's: text as it comes, the usage so far, the end of each answer, an error.</summary>
/// <param name="choices">How many answers were asked for: the stream ends with the last one.</param>
/// <param name="framing">How the client reads it.</param>
/// <param name="assembles">Whether it is wanted in one piece.</param>
internal sealed class GeminiPassedStream(int choices, GeminiFraming framing, bool assembles) : IPassedStream
{
    private readonly GeminiAssembler? assembler = assembles ? new() : null;
    private readonly HashSet<int> ended = [];

    public TokenUsage? Usage { get; private set; }

    public bool HasUsage { get; private set; }

    public bool Ended { get; private set; }

    public ProviderError? Error { get; private set; }

    public void Watch(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, OutputTap tap)
    {
        if (data.IsEmpty)
        {
            return;
        }

        using var document = JsonReading.ParseReply(data);
        var piece = document.RootElement;
        if (piece.Field("error"u8) is { ValueKind: JsonValueKind.Object } error)
        {
            Error = GeminiReply.ReadError(error.Field("code"u8).Int() ?? 500, data);
            return;
        }

        GeminiPassed.CollectText(piece, tap);
        assembler?.Take(piece);
        var usage = GeminiReply.Usage(piece.Field("usageMetadata"u8));
        Usage = usage ?? Usage;
        foreach (var candidate in piece.Field("candidates"u8).Items().Where(static candidate => candidate.Field("finishReason"u8).ValueKind == JsonValueKind.String))
        {
            ended.Add(candidate.Field("index"u8).Int() ?? 0);
        }

        Ended = ended.Count >= choices || piece.Field("promptFeedback"u8).Field("blockReason"u8).Given();

        // Each piece has the sum so far: the last one's is the answer's.
        HasUsage = Ended && usage is not null;
    }

    public SseEvent Framed(SseEvent frame)
    {
        if (!framing.IsArray)
        {
            return frame;
        }

        if (frame.Data.IsEmpty || IsClosed)
        {
            return new SseEvent(default, frame.Name, default, hasData: false);
        }

        var output = new ArrayBufferWriter<byte>(frame.Data.Length + 4);
        framing.Begin(output);
        output.Write(frame.Data);
        framing.End(output);
        if (Ended || Error is not null)
        {
            IsClosed = true;
            framing.Close(output);
        }

        return new SseEvent(output.WrittenSpan, frame.Name, frame.Data, frame.HasData);
    }

    public ReadOnlyMemory<byte> Assemble() => assembler!.ToJson();

    public void Fail(GatewayError error, IBufferWriter<byte> output) => framing.Fail(error, output);

    private bool IsClosed { get; set; }
}
