using System.Buffers;
using System.Buffers.Text;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Streaming;
using Gateway.Pricing;

namespace Gateway.Edge.Responses;

/// <summary>OpenAI's Responses between a client and a provider that both speak them: nothing is changed but the model's name.</summary>
internal sealed class ResponsesPassed(StoredResponses stored) : IPassedProtocol
{
    public IReadOnlyList<string> ForwardedHeaders { get; } = ["OpenAI-Beta"];

    public string AskingHeader => "OpenAI-Beta";

    public TokenUsage? ReadReply(RequestExchange exchange, ReadOnlyMemory<byte> reply)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        stored.Remember(exchange, document.RootElement.Field("id"u8).Text());
        exchange.ServedAt(ServiceTiers.Served(document.RootElement.Field("service_tier"u8).RawText()));
        return OpenAiUsage.TryReadWhole(reply.Span, out var usage) ? usage : null;
    }

    public void CollectText(ReadOnlySpan<byte> reply, OutputTap tap)
    {
        tap.Collect(reply, "\"text\""u8);
        tap.Collect(reply, "\"arguments\""u8);
    }

    public IPassedStream OpenStream(RequestExchange exchange, bool assembles) => new ResponsesPassedStream(id => stored.Remember(exchange, id));
}

/// <summary>Watches a stream of Responses: its id at the beginning, text as it comes, the whole response with its usage at the end.</summary>
/// <param name="named">Told the response's id.</param>
internal sealed class ResponsesPassedStream(Action<string?> named) : IPassedStream
{
    private long sequence = -1;
    private byte[]? whole;

    public TokenUsage? Usage { get; private set; }

    public ServiceTier? Tier { get; private set; }

    public bool HasUsage => Ended && Usage is not null;

    public bool Ended { get; private set; }

    public ProviderError? Error { get; private set; }

    public void Watch(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, OutputTap tap)
    {
        NoteSequence(data);
        if (name.EndsWith(".delta"u8))
        {
            // Nearly every frame is one of these: it is not parsed.
            if (data is not [(byte)'{', .., (byte)'}'])
            {
                throw new MalformedReplyException("A frame of the stream is no JSON object.");
            }

            tap.Collect(data, "\"delta\""u8);
            return;
        }

        if (data.SequenceEqual("[DONE]"u8))
        {
            return;
        }

        using var document = JsonReading.ParseReply(data);
        var item = document.RootElement;
        var type = item.Field("type"u8).Text() ?? "";
        Tier = ServiceTiers.Served(item.Field("response"u8).Field("service_tier"u8).RawText()) ?? Tier;
        switch (type)
        {
            case "response.created":
                named(item.Field("response"u8).Field("id"u8).Text());
                break;

            case "response.completed" or "response.incomplete":
                whole = item.Field("response"u8).Raw().ToArray();
                Usage = OpenAiUsage.TryRead(data, out var usage) ? usage : null;
                Ended = true;
                break;

            case "response.failed":
                Usage = OpenAiUsage.TryRead(data, out var partly) ? partly : null;
                Error = OpenAiError.FromFrame(item.Field("response"u8).Raw());
                break;

            case "error":
                Error = OpenAiError.FromFrame(data);
                break;

            case var delta when delta.EndsWith(".delta", StringComparison.Ordinal):
                tap.Collect(data, "\"delta\""u8);
                break;
        }
    }

    public ReadOnlyMemory<byte> Assemble() => whole;

    public void Fail(GatewayError error, IBufferWriter<byte> output) => ResponsesStream.WriteError(error, sequence + 1, output);

    private void NoteSequence(ReadOnlySpan<byte> data)
    {
        var at = data.IndexOf("\"sequence_number\":"u8);
        if (at >= 0 && Utf8Parser.TryParse(data[(at + 18)..].TrimStart((byte)' '), out long number, out _))
        {
            sequence = Math.Max(sequence, number);
        }
    }
}
