using System.Buffers;
using System.Net.Http.Headers;
using Gateway.Contracts;
using Gateway.Edge.Operations;
using Gateway.Edge.Streaming;
using Gateway.Pricing;

namespace Gateway.Edge.Providers;

/// <summary>
/// One protocol spoken upstream, seen from OpenAI's chat: the gateway's hub. A protocol that is OpenAI's own passes bytes through; any
/// other translates request, reply, stream and errors. Implementations are stateless singletons; a stream's state lives in
/// <see cref="IChatStream"/>.
/// </summary>
internal interface IChatProvider
{
    /// <summary>The protocol's name in providers.json: <c>openai</c>, <c>anthropic</c>, <c>cohere</c>, …</summary>
    string Protocol { get; }

    /// <summary>Who speaks for a model: a cloud has models of several makers, and some keep their maker's protocol.</summary>
    IChatProvider For(string model) => this;

    /// <summary>How the protocol serves an operation other than chat; null when it cannot.</summary>
    IUpstreamOperation? Serve(OperationKind kind) => null;

    /// <summary>
    /// Whether the provider takes and gives OpenAI's chat as it is. The write and read methods below are then not called, but for
    /// <see cref="RewritesOpenAiChat"/>.
    /// </summary>
    bool SpeaksOpenAiChat { get; }

    /// <summary>
    /// Whether the provider may be sent <c>stream_options</c>. One that is strict about unknown fields and reports a stream's usage unasked
    /// must not be. Of meaning only where the bytes pass through.
    /// </summary>
    bool TakesStreamOptions => true;

    /// <summary>
    /// Whether a request in OpenAI's chat is sent through <see cref="WriteRequest"/> all the same: the provider speaks it, and refuses some of
    /// its words. Of meaning only where the bytes would pass through.
    /// </summary>
    bool RewritesOpenAiChat => false;

    /// <summary>Whether it wants Gemini's signatures back: those behind the ids of calls (<see cref="SignedCallId"/>) and those of texts (<see cref="TextSignature"/>). From any other provider's request they are taken out.</summary>
    bool TakesGeminiSignatures => false;

    /// <summary>
    /// A whole reply or a chunk that is not quite OpenAI's, in OpenAI's words; null when it passes as it came, which nearly all do. Of meaning
    /// only where the bytes pass through.
    /// </summary>
    /// <param name="reply">The reply, or the chunk.</param>
    /// <param name="losses">Takes what of it cannot be said.</param>
    byte[]? Mend(ReadOnlySpan<byte> reply, ReplyLosses? losses) => null;

    /// <summary>The address of one call.</summary>
    /// <param name="target">Base address, version and model.</param>
    /// <param name="stream">Some protocols have another address for a stream.</param>
    Uri ChatAddress(ProviderTarget target, bool stream);

    /// <summary>Where the provider takes the bytes of another surface as they are; null when it does not speak its protocol.</summary>
    Uri? PassedAddress(ProviderTarget target, SurfaceProtocol protocol, bool stream) => null;

    /// <summary>Where the provider keeps files and batches as OpenAI does; null when it does not.</summary>
    /// <param name="target">Base address and version.</param>
    /// <param name="path">What is asked for: <c>files</c>, <c>batches/batch_1/cancel</c>.</param>
    Uri? StoreAddress(ProviderTarget target, string path) => null;

    /// <summary>Where the tokens of Anthropic's messages are counted; null when the provider does not count them.</summary>
    Uri? CountTokensAddress(ProviderTarget target) => null;

    /// <summary>Whether another surface's bytes pass in an envelope of the provider's: <see cref="WrapPassed"/>.</summary>
    bool WrapsPassed => false;

    /// <summary>Writes the body that the provider wants around another surface's bytes.</summary>
    /// <param name="body">A JSON object with the provider's name of the model.</param>
    /// <param name="counts">Whether its tokens are only to be counted.</param>
    /// <param name="output">Takes the body.</param>
    void WrapPassed(ReadOnlySpan<byte> body, bool counts, IBufferWriter<byte> output) => output.Write(body);

    /// <summary>Adds the credential and what else the protocol wants as headers. Never throws for a missing key: then none is sent.</summary>
    /// <param name="target">The key and the version.</param>
    /// <param name="headers">The request's headers.</param>
    void AddHeaders(ProviderTarget target, HttpRequestHeaders headers);

    /// <summary>Adds the headers that a translated request needs by what stands in it.</summary>
    /// <param name="body">What <see cref="WriteRequest"/> wrote.</param>
    /// <param name="headers">The request's headers, with all others set.</param>
    void AddHeadersFor(ReadOnlyMemory<byte> body, HttpRequestHeaders headers)
    {
    }

    /// <summary>
    /// Adds a credential that is made of the request or fetched: a signature, a token. Called last, with all headers set; most protocols have
    /// none.
    /// </summary>
    /// <param name="target">The credentials.</param>
    /// <param name="request">The request, whose headers it adds to.</param>
    /// <param name="body">The body that will be sent.</param>
    /// <param name="cancellation">Ends the fetching.</param>
    /// <exception cref="CredentialException">No credential could be had: 502 for the caller.</exception>
    ValueTask SignAsync(ProviderTarget target, HttpRequestMessage request, ReadOnlyMemory<byte> body, CancellationToken cancellation) => default;

    /// <summary>Writes the provider's request for a request in OpenAI's chat format.</summary>
    /// <param name="request">A whole JSON object, already known to be valid JSON.</param>
    /// <param name="call">What the gateway decided.</param>
    /// <param name="output">Takes the provider's body.</param>
    /// <param name="dropped">Takes the name of each field that the provider cannot serve and that was left out.</param>
    /// <exception cref="UntranslatableRequestException">The request cannot be said in this protocol: 400 for the caller.</exception>
    void WriteRequest(ReadOnlyMemory<byte> request, in ChatCall call, IBufferWriter<byte> output, List<string> dropped);

    /// <summary>Writes OpenAI's <c>chat.completion</c> for the provider's whole reply and returns its usage.</summary>
    /// <param name="reply">The body of a reply with a 2xx status.</param>
    /// <param name="call">What the gateway decided.</param>
    /// <param name="output">Takes OpenAI's body.</param>
    /// <exception cref="MalformedReplyException">The reply is not the protocol's.</exception>
    ReplyUsage ReadReply(ReadOnlyMemory<byte> reply, in ChatCall call, IBufferWriter<byte> output);

    /// <summary>Starts to read a streamed reply.</summary>
    IChatStream OpenStream(in ChatCall call);

    /// <summary>Starts to cut a streamed reply into frames: server-sent events, unless the protocol has a framing of its own.</summary>
    FrameReader OpenFrames() => new SseReader();

    /// <summary>What a reply with an error status says, in the gateway's words.</summary>
    /// <param name="status">The provider's status.</param>
    /// <param name="body">Its body, at most 64 KiB of it; may be empty or HTML.</param>
    ProviderError ReadError(int status, ReadOnlySpan<byte> body);
}

/// <summary>Reads one streamed reply: events of the provider in, OpenAI's <c>chat.completion.chunk</c> frames out.</summary>
internal interface IChatStream
{
    /// <summary>The usage seen so far; null while the provider has reported none.</summary>
    TokenUsage? Usage { get; }

    /// <summary>The service tier that the answer says it was made at; null while it says none.</summary>
    ServiceTier? Tier => null;

    /// <summary>Whether the protocol's own end was seen. A stream that closes without it was cut (an error, never <c>stop</c>).</summary>
    bool Ended { get; }

    /// <summary>The error that the provider sent in mid-stream, if it did.</summary>
    ProviderError? Error { get; }

    /// <summary>
    /// Takes one event and writes zero or more whole frames <c>data: {…}\n\n</c>. It writes neither a usage frame nor <c>[DONE]</c>: the
    /// relay adds those.
    /// </summary>
    /// <param name="name">The event's name (<c>event:</c>); empty where the protocol has none.</param>
    /// <param name="data">The event's data: the lines joined by a line feed.</param>
    /// <param name="output">Takes the frames.</param>
    /// <exception cref="MalformedReplyException">The event is not the protocol's.</exception>
    void Read(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, IBufferWriter<byte> output);
}

/// <summary>Where a call goes: the part of a deployment that a protocol needs.</summary>
/// <param name="Model">The provider's name of the model.</param>
/// <param name="BaseAddress">The base address as LiteLLM reads <c>api_base</c>: OpenAI's ends in <c>/v1</c>, Anthropic's is the host.</param>
/// <param name="ApiKey">The credential; null for a local server that wants none.</param>
/// <param name="ApiVersion">Azure's or Anthropic's version, when configured.</param>
/// <param name="Organization">OpenAI's organization, when configured.</param>
internal sealed record ProviderTarget(string Model, Uri BaseAddress, string? ApiKey, string? ApiVersion = null, string? Organization = null)
{
    private AuthenticationHeaderValue? bearer;

    /// <summary>The key as a header, checked and made once.</summary>
    /// <exception cref="FormatException">The key has a line break.</exception>
    public AuthenticationHeaderValue Bearer => bearer ??= new("Bearer", ApiKey);

    /// <summary>Whether its credential cannot be had at the moment: then nothing is sent at all.</summary>
    public bool LacksCredential { get; init; }

    /// <summary>Credentials of a cloud; null for providers that want one key.</summary>
    public CloudAccess? Cloud { get; init; }

    /// <summary>Whether a server of OpenAI's protocol has <c>/responses</c>, too.</summary>
    public bool HasResponses { get; init; }

    /// <summary>Whether a server of OpenAI's protocol has <c>/completions</c> for this model, too.</summary>
    public bool HasCompletions { get; init; }

    /// <summary>Whether a server of OpenAI's protocol has <c>/files</c> and <c>/batches</c>, too.</summary>
    public bool HasBatches { get; init; }

    /// <summary>Leaves the key out.</summary>
    public override string ToString() => $"ProviderTarget {{ Model = {Model} }}";
}

/// <summary>Where and as whom to call a cloud's models.</summary>
internal sealed record CloudAccess
{
    /// <summary>Amazon's region or Google's location.</summary>
    public string? Region { get; init; }

    /// <summary>Google's project.</summary>
    public string? Project { get; init; }

    /// <summary>Amazon's access key.</summary>
    public string? AccessKeyId { get; init; }

    /// <summary>Amazon's secret.</summary>
    public string? SecretAccessKey { get; init; }

    /// <summary>Amazon's session token, for credentials that end.</summary>
    public string? SessionToken { get; init; }

    /// <summary>Google's service account: its file's path, or its JSON.</summary>
    public string? Credentials { get; init; }

    /// <summary>Leaves the secrets out.</summary>
    public override string ToString() => $"CloudAccess {{ Region = {Region} }}";
}

/// <summary>What the gateway decided of one call.</summary>
/// <param name="Id">The gateway's id of the request, for protocols whose replies have none: <c>chatcmpl-…</c> is made of it.</param>
/// <param name="PublicModel">The name that the caller asked for: it stands in the reply.</param>
/// <param name="ProviderModel">The provider's name: it stands in the request.</param>
/// <param name="Stream">Whether the provider is asked to stream.</param>
/// <param name="Created">Unix seconds, for protocols whose replies have none.</param>
/// <param name="MaxOutputTokens">The model's largest output, for protocols that must be told one; null when unknown.</param>
/// <param name="DropUnsupported">LiteLLM's <c>drop_params</c>: leave out what cannot be said instead of refusing.</param>
internal readonly record struct ChatCall(
    Guid Id, string PublicModel, string ProviderModel, bool Stream, long Created, int? MaxOutputTokens = null, bool DropUnsupported = true)
{
    /// <summary>Takes what of the reply cannot be said in OpenAI's words; null where nobody asks.</summary>
    public ReplyLosses? Losses { get; init; }

    /// <summary>The model that is meant (<c>base_model</c>), where the provider's name is an administrator's own, such as an inference profile; null where the name tells it.</summary>
    public string? BaseModel { get; init; }

    /// <summary>The name that tells what the model can do.</summary>
    public string KnownModel => BaseModel ?? ProviderModel;
}

/// <summary>The usage of a whole reply.</summary>
/// <param name="Tokens">The tokens; null when the reply reports none.</param>
/// <param name="Tier">The service tier that it was made at; null when the reply says none.</param>
internal readonly record struct ReplyUsage(TokenUsage? Tokens, ServiceTier? Tier = null);

/// <summary>A provider's error in the gateway's words.</summary>
/// <param name="Kind">What it means for routing.</param>
/// <param name="Message">The provider's own message, fit for the caller: without keys and internal addresses.</param>
/// <param name="Code">The provider's own code or type, such as <c>context_length_exceeded</c>; null when it has none.</param>
/// <param name="Param">The field that it blames.</param>
internal sealed record ProviderError(ProviderErrorKind Kind, string Message, string? Code = null, string? Param = null);

/// <summary>What a provider's error means for routing.</summary>
internal enum ProviderErrorKind
{
    /// <summary>The request is at fault (400, 404 of a model, 422): told to the caller, tried nowhere else.</summary>
    BadRequest,

    /// <summary>Too long for the model's context: <c>context_window_fallbacks</c> may help.</summary>
    ContextWindow,

    /// <summary>Refused by the provider's content policy: <c>content_policy_fallbacks</c> may help.</summary>
    ContentPolicy,

    /// <summary>Our credential was refused (401, 403).</summary>
    Authentication,

    /// <summary>Too many requests or overloaded (429, 529): try another target.</summary>
    RateLimited,

    /// <summary>The provider failed (5xx) or answered nonsense: try another target.</summary>
    Failed,
}

/// <summary>A request cannot be said in the provider's protocol.</summary>
/// <param name="message">What and how to mend it; for the caller.</param>
/// <param name="param">The field.</param>
internal sealed class UntranslatableRequestException(string message, string? param) : Exception(message)
{
    /// <summary>The field.</summary>
    public string? Param { get; } = param;
}

/// <summary>A provider's reply is not its protocol's.</summary>
/// <param name="message">What is wrong; without the reply's text.</param>
internal sealed class MalformedReplyException(string message) : Exception(message);

/// <summary>A credential could not be had.</summary>
/// <param name="message">What is wrong; without the credential.</param>
internal sealed class CredentialException(string message) : Exception(message);
