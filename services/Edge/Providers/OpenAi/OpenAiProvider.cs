using System.Buffers;
using System.Net.Http.Headers;
using Gateway.Configuration;
using Gateway.Edge.Operations;

namespace Gateway.Edge.Providers.OpenAi;

/// <summary>OpenAI's own chat, and every server that speaks it: bytes pass through both ways.</summary>
internal class OpenAiProvider : IChatProvider
{
    private readonly Dictionary<OperationKind, PassingOperation> operations;
    private readonly ProviderQuirks? quirks;

    public OpenAiProvider()
        : this(null)
    {
    }

    /// <param name="quirks">What a server that imitates OpenAI's does not take of a chat; null when it takes all.</param>
    public OpenAiProvider(ProviderQuirks? quirks)
    {
        this.quirks = quirks;
        operations = new()
        {
            [OperationKind.Embeddings] = Passing("embeddings"),
            [OperationKind.Rerank] = Passing("rerank"),
            [OperationKind.Moderations] = Passing("moderations"),
            [OperationKind.Images] = Passing("images/generations"),
            [OperationKind.Speech] = Passing("audio/speech"),
            [OperationKind.Transcription] = Passing("audio/transcriptions"),
            [OperationKind.Translation] = Passing("audio/translations"),
        };

        PassingOperation Passing(string route) => new(target => AddressOf(target, route));
    }

    /// <inheritdoc/>
    public virtual string Protocol => "openai";

    /// <inheritdoc/>
    public bool SpeaksOpenAiChat => true;

    /// <inheritdoc/>
    public virtual bool TakesStreamOptions => quirks is not { NoStreamOptions: true };

    /// <inheritdoc/>
    public virtual bool RewritesOpenAiChat => quirks is not null;

    /// <inheritdoc/>
    public virtual byte[]? Mend(ReadOnlySpan<byte> reply, ReplyLosses? losses) => null;

    /// <inheritdoc/>
    public virtual Uri ChatAddress(ProviderTarget target, bool stream) => AddressOf(target, "chat/completions");

    /// <inheritdoc/>
    public virtual IUpstreamOperation? Serve(OperationKind kind) => operations.GetValueOrDefault(kind);

    /// <summary>The address of one of OpenAI's routes.</summary>
    /// <param name="target">Base address and version.</param>
    /// <param name="route">The route below it: <c>chat/completions</c>.</param>
    protected virtual Uri AddressOf(ProviderTarget target, string route) => target.WithoutChatPath().Under(route);

    /// <inheritdoc/>
    public virtual Uri? PassedAddress(ProviderTarget target, SurfaceProtocol protocol, bool stream) => protocol switch
    {
        SurfaceProtocol.Responses when target.HasResponses => target.Under("responses"),
        SurfaceProtocol.Completions when target.HasCompletions => AddressOf(target, "completions"),
        _ => null,
    };

    /// <inheritdoc/>
    public virtual Uri? StoreAddress(ProviderTarget target, string path) => target.HasBatches ? target.WithoutChatPath().Under(path) : null;

    /// <inheritdoc/>
    public virtual void AddHeaders(ProviderTarget target, HttpRequestHeaders headers)
    {
        if (!string.IsNullOrEmpty(target.ApiKey))
        {
            headers.Authorization = target.Bearer;
        }

        if (!string.IsNullOrEmpty(target.Organization))
        {
            headers.Add("OpenAI-Organization", target.Organization);
        }
    }

    /// <inheritdoc/>
    public virtual void WriteRequest(ReadOnlyMemory<byte> request, in ChatCall call, IBufferWriter<byte> output, List<string> dropped)
    {
        if (quirks is null)
        {
            output.Write(request.Span);
        }
        else
        {
            OpenAiQuirks.Write(request, quirks, output, new DroppedFields(dropped, call.DropUnsupported, "This model's provider"));
        }
    }

    /// <inheritdoc/>
    public ReplyUsage ReadReply(ReadOnlyMemory<byte> reply, in ChatCall call, IBufferWriter<byte> output)
    {
        JsonReading.ParseReply(reply.Span).Dispose();
        output.Write(reply.Span);
        return new ReplyUsage(OpenAiUsage.TryReadWhole(reply.Span, out var usage) ? usage : null);
    }

    /// <summary>A stream is not translated: the relay passes its frames and reads on the way what it must know (<see cref="OpenAiStream"/>).</summary>
    public IChatStream OpenStream(in ChatCall call) => throw new NotSupportedException("A stream of OpenAI's chat passes as it comes.");

    /// <inheritdoc/>
    public ProviderError ReadError(int status, ReadOnlySpan<byte> body) => OpenAiError.Read(status, body);
}
