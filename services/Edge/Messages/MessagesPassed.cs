using System.Buffers;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.Anthropic;
using Gateway.Edge.Routing;
using Gateway.Edge.Streaming;
using Gateway.Pricing;

namespace Gateway.Edge.Messages;

/// <summary>Anthropic's messages between Anthropic's client and Anthropic: nothing is changed but the model's name, and ids of calls that Anthropic refuses.</summary>
internal sealed class MessagesPassed : IPassedProtocol
{
    public static readonly MessagesPassed Instance = new();

    public IReadOnlyList<string> ForwardedHeaders { get; } = ["anthropic-version", "anthropic-beta"];

    public string AskingHeader => "anthropic-beta";

    public IReadOnlyList<Splice> Mends(ReadOnlyMemory<byte> body, Deployment target) => ForeignToolIds.AreRefusedBy(target) ? ForeignToolIds.In(body) : [];

    public TokenUsage? ReadReply(RequestExchange exchange, ReadOnlyMemory<byte> reply)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        var usage = new AnthropicUsage();
        usage.Take(document.RootElement.Field("usage"u8));
        exchange.ServedAt(usage.Tier);
        return usage.Tokens;
    }

    public void CollectText(ReadOnlySpan<byte> reply, OutputTap tap)
    {
        tap.Collect(reply, "\"text\""u8);
        tap.Collect(reply, "\"thinking\""u8);
    }

    public IPassedStream OpenStream(RequestExchange exchange, bool assembles) => new MessagesPassedStream(assembles);
}

/// <summary>Watches a stream of Anthropic's: usage at its beginning and end, text as it comes, its end, its error.</summary>
internal sealed class MessagesPassedStream(bool assembles) : IPassedStream
{
    private readonly AnthropicUsage usage = new();
    private readonly MessageAssembler? assembler = assembles ? new() : null;

    public TokenUsage? Usage => usage.Tokens;

    public ServiceTier? Tier => usage.Tier;

    public bool HasUsage { get; private set; }

    public bool Ended { get; private set; }

    public ProviderError? Error { get; private set; }

    public void Watch(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, OutputTap tap)
    {
        HasUsage = false;
        if (name.SequenceEqual("content_block_delta"u8) && assembler is null)
        {
            // Nearly every frame is one of these: it is not parsed.
            if (data is not [(byte)'{', .., (byte)'}'])
            {
                throw new MalformedReplyException("A frame of the stream is no JSON object.");
            }

            tap.Collect(data, "\"text\""u8);
            tap.Collect(data, "\"thinking\""u8);
            tap.Collect(data, "\"partial_json\""u8);
            return;
        }

        using var document = JsonReading.ParseReply(data);
        var item = document.RootElement;
        switch (item.Field("type"u8).Text())
        {
            case "message_start":
                usage.Take(item.Field("message"u8).Field("usage"u8));
                break;
            case "content_block_delta":
                tap.Collect(data, "\"text\""u8);
                tap.Collect(data, "\"thinking\""u8);
                tap.Collect(data, "\"partial_json\""u8);
                break;
            case "message_delta":
                HasUsage = item.Field("usage"u8).Given();
                usage.Take(item.Field("usage"u8));
                break;
            case "message_stop":
                Ended = true;
                break;
            case "error":
                Error = AnthropicReply.ReadStreamError(data);
                break;
        }

        assembler?.Take(item);
    }

    public ReadOnlyMemory<byte> Assemble() => assembler!.ToJson();

    public void Fail(GatewayError error, IBufferWriter<byte> output) => MessagesSurface.WriteErrorEvent(error, output);
}
