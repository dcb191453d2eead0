using System.Buffers;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.Cohere;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.CohereApi;

/// <summary>Cohere's chat between Cohere's client and Cohere: nothing is changed but the model's name.</summary>
internal sealed class CoherePassed : IPassedProtocol
{
    public IReadOnlyList<string> ForwardedHeaders => [];

    public TokenUsage? ReadReply(RequestExchange exchange, ReadOnlyMemory<byte> reply)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        return CohereReply.Usage(document.RootElement.Field("usage"u8));
    }

    public void CollectText(ReadOnlySpan<byte> reply, OutputTap tap)
    {
        tap.Collect(reply, "\"text\""u8);
        tap.Collect(reply, "\"thinking\""u8);
        tap.Collect(reply, "\"tool_plan\""u8);
        tap.Collect(reply, "\"name\""u8);
        tap.Collect(reply, "\"arguments\""u8);
    }

    public IPassedStream OpenStream(RequestExchange exchange, bool assembles) => new CoherePassedStream(this, assembles);
}

/// <summary>Watches a stream of Cohere's: text as it comes, the usage of its end, an error.</summary>
internal sealed class CoherePassedStream(CoherePassed protocol, bool assembles) : IPassedStream
{
    private readonly CohereAssembler? assembler = assembles ? new() : null;

    public TokenUsage? Usage { get; private set; }

    public bool HasUsage { get; private set; }

    public bool Ended { get; private set; }

    public ProviderError? Error { get; private set; }

    public void Watch(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, OutputTap tap)
    {
        HasUsage = false;
        if (data.IsEmpty || data.SequenceEqual("[DONE]"u8))
        {
            return;
        }

        using var document = JsonReading.ParseReply(data);
        var item = document.RootElement;
        switch (item.Field("type"u8).Text())
        {
            case "content-start" or "content-delta" or "tool-plan-delta" or "tool-call-start" or "tool-call-delta":
                protocol.CollectText(data, tap);
                break;

            case "message-end":
                Usage = CohereReply.Usage(item.Field("delta"u8).Field("usage"u8)) ?? Usage;
                HasUsage = item.Field("delta"u8).Field("usage"u8).Given();
                Error = CohereReply.ReadStreamError(item.Field("delta"u8));
                Ended = Error is null;
                break;

            case null when item.Field("message"u8).ValueKind == System.Text.Json.JsonValueKind.String:
                Error = CohereReply.ReadError(500, data);
                break;
        }

        assembler?.Take(item);
    }

    public ReadOnlyMemory<byte> Assemble() => assembler!.ToJson();

    public void Fail(GatewayError error, IBufferWriter<byte> output) => CohereSurfaceStream.WriteError(error, output);
}
