using System.Buffers;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Completions;

/// <summary>Completions between a client and a server that has the route: nothing is changed but the model's name, and a stream's usage is asked for.</summary>
internal sealed class CompletionsPassed : IPassedProtocol
{
    public static readonly CompletionsPassed Instance = new();

    public IReadOnlyList<string> ForwardedHeaders => [];

    public bool TakesStreamOptions => true;

    public TokenUsage? ReadReply(RequestExchange exchange, ReadOnlyMemory<byte> reply) => reply.Span.TrimStart(" \t\r\n"u8) is [(byte)'{', ..]
        ? OpenAiUsage.TryRead(reply.Span, out var usage) ? usage : null
        : throw new MalformedReplyException("The reply is no JSON object.");

    public void CollectText(ReadOnlySpan<byte> reply, OutputTap tap)
    {
        tap.Collect(reply, "\"text\""u8);
    }

    public IPassedStream OpenStream(RequestExchange exchange, bool assembles) => new CompletionsPassedStream(assembles);
}

/// <summary>Watches a stream of <c>text_completion</c>.</summary>
internal sealed class CompletionsPassedStream(bool assembles) : IPassedStream
{
    private readonly CompletionsAssembler? assembler = assembles ? new() : null;
    private OpenAiStream stream = new(choices: 1);

    public TokenUsage? Usage => stream.Usage;

    public bool Ended { get; private set; }

    public ProviderError? Error => stream.Error;

    public bool IsUsageOnly { get; private set; }

    public bool HasUsage => IsUsageOnly;

    public void Watch(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, OutputTap tap)
    {
        data = data.Trim(" \t\r\n"u8);
        var kind = stream.Take(name, data, out _);
        IsUsageOnly = kind == OpenAiFrame.Usage;
        Ended = kind == OpenAiFrame.Done;
        if (kind == OpenAiFrame.Chunk)
        {
            CompletionsPassed.Instance.CollectText(data, tap);
            assembler?.Take(data);
        }
    }

    public ReadOnlyMemory<byte> Assemble() => assembler!.ToJson(Usage);

    public void Fail(GatewayError error, IBufferWriter<byte> output) => error.WriteFrame(output);
}
