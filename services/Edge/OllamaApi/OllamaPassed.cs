using System.Buffers;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.Ollama;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.OllamaApi;

/// <summary>Ollama's chat or generate between Ollama's client and Ollama: nothing is changed but the model's name.</summary>
internal sealed class OllamaPassed : IPassedProtocol
{
    public IReadOnlyList<string> ForwardedHeaders => [];

    public TokenUsage? ReadReply(RequestExchange exchange, ReadOnlyMemory<byte> reply)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        return OllamaReply.Usage(document.RootElement);
    }

    public void CollectText(ReadOnlySpan<byte> reply, OutputTap tap)
    {
        tap.Observe(reply);
        tap.Collect(reply, "\"thinking\""u8);
        tap.Collect(reply, "\"response\""u8);
    }

    public IPassedStream OpenStream(RequestExchange exchange, bool assembles) => new OllamaPassedStream(this, assembles);
}

/// <summary>Watches lines of Ollama's: text as it comes, the counts of the last one, an error.</summary>
internal sealed class OllamaPassedStream(OllamaPassed protocol, bool assembles) : IPassedStream
{
    private readonly OllamaAssembler? assembler = assembles ? new() : null;

    public TokenUsage? Usage { get; private set; }

    public bool HasUsage { get; private set; }

    public bool Ended { get; private set; }

    public ProviderError? Error { get; private set; }

    public void Watch(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, OutputTap tap)
    {
        using var document = JsonReading.ParseReply(data);
        var line = document.RootElement;
        if (line.Field("error"u8).Given())
        {
            Error = OpenAiError.FromFrame(data);
            return;
        }

        protocol.CollectText(data, tap);
        foreach (var call in line.Field("message"u8).Field("tool_calls"u8).Items())
        {
            // Arguments are an object here and no text: they are counted as they stand.
            tap.Collect([.. "\"arguments\":\""u8, .. EscapedText.Escape(OllamaReply.Arguments(call.Field("function"u8))), (byte)'"'], "\"arguments\""u8);
        }

        assembler?.Take(line);
        if (line.Field("done"u8).ValueKind == System.Text.Json.JsonValueKind.True)
        {
            Usage = OllamaReply.Usage(line);
            HasUsage = Usage is not null;
            Ended = true;
        }
    }

    public ReadOnlyMemory<byte> Assemble() => assembler!.ToJson();

    public void Fail(GatewayError error, IBufferWriter<byte> output)
    {
        OllamaLine.WriteError(error, output);
        output.Write("\n"u8);
    }
}
