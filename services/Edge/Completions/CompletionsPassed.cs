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

    public TokenUsage? Usage { get; private set; }

    public bool Ended { get; private set; }

    public ProviderError? Error { get; private set; }

    public bool IsUsageOnly { get; private set; }

    public bool HasUsage => IsUsageOnly;

    public void Watch(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, OutputTap tap)
    {
        IsUsageOnly = false;
        if (data.SequenceEqual("[DONE]"u8))
        {
            Ended = true;
            return;
        }

        if (data is not [(byte)'{', .., (byte)'}'])
        {
            throw new MalformedReplyException("A frame of the stream is no JSON object.");
        }

        if (data.IndexOf("\"usage\""u8) >= 0 && OpenAiUsage.TryRead(data, out var usage))
        {
            Usage = OpenAiUsage.Merge(Usage, usage);
            using var chunk = JsonReading.ParseReply(data);
            IsUsageOnly = !chunk.RootElement.Field("choices"u8).Items().Any();
            if (IsUsageOnly)
            {
                return;
            }
        }

        if (data.IndexOf("\"error\""u8) >= 0 && data.IndexOf("\"choices\""u8) < 0)
        {
            Error = OpenAiError.FromFrame(data);
            return;
        }

        CompletionsPassed.Instance.CollectText(data, tap);
        assembler?.Take(data);
    }

    public ReadOnlyMemory<byte> Assemble() => assembler!.ToJson(Usage);

    public void Fail(GatewayError error, IBufferWriter<byte> output) => error.WriteFrame(output);
}
