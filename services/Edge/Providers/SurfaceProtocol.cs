namespace Gateway.Edge.Providers;

/// <summary>What a client may speak besides OpenAI's chat. A provider that speaks it too is sent the client's own bytes.</summary>
internal enum SurfaceProtocol
{
    /// <summary>Anthropic's <c>/v1/messages</c>.</summary>
    Messages,

    /// <summary>OpenAI's <c>/v1/responses</c>.</summary>
    Responses,

    /// <summary>OpenAI's <c>/v1/completions</c>.</summary>
    Completions,

    /// <summary>Ollama's <c>/api/chat</c>.</summary>
    OllamaChat,

    /// <summary>Ollama's <c>/api/generate</c>.</summary>
    OllamaGenerate,

    /// <summary>Ollama's <c>/api/embed</c>.</summary>
    OllamaEmbed,

    /// <summary>Ollama's older <c>/api/embeddings</c>.</summary>
    OllamaEmbeddings,

    /// <summary>Cohere's <c>/v2/chat</c>.</summary>
    CohereChat,

    /// <summary>Cohere's <c>/v2/embed</c>.</summary>
    CohereEmbed,

    /// <summary>Gemini's <c>:generateContent</c> and <c>:streamGenerateContent</c>.</summary>
    GeminiGenerate,

    /// <summary>Gemini's <c>:countTokens</c>.</summary>
    GeminiCount,

    /// <summary>Gemini's <c>:embedContent</c>.</summary>
    GeminiEmbed,

    /// <summary>Gemini's <c>:batchEmbedContents</c>.</summary>
    GeminiBatchEmbed,
}

/// <summary>What must be known of a protocol before its request is read.</summary>
internal static class SurfaceProtocols
{
    /// <summary>Whether it is one of Ollama's: a server in Go, which reads the names of fields in capitals too.</summary>
    public static bool IsOllamas(this SurfaceProtocol? protocol) =>
        protocol is SurfaceProtocol.OllamaChat or SurfaceProtocol.OllamaGenerate or SurfaceProtocol.OllamaEmbed or SurfaceProtocol.OllamaEmbeddings;

    /// <summary>Whether it is one of Gemini's: the model and whether to stream stand in the address, and fields have two spellings.</summary>
    public static bool IsGeminis(this SurfaceProtocol? protocol) =>
        protocol is SurfaceProtocol.GeminiGenerate or SurfaceProtocol.GeminiCount or SurfaceProtocol.GeminiEmbed or SurfaceProtocol.GeminiBatchEmbed;

    /// <summary>Whether an answer is streamed unless the request says no.</summary>
    public static bool StreamsUnasked(this SurfaceProtocol? protocol) => protocol is SurfaceProtocol.OllamaChat or SurfaceProtocol.OllamaGenerate;
}
