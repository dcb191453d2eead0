namespace Gateway.Configuration;

/// <summary>What a provider speaks.</summary>
public enum ProviderProtocol
{
    /// <summary>OpenAI's chat completions.</summary>
    OpenAi,

    /// <summary>Anthropic's messages.</summary>
    Anthropic,

    /// <summary>Cohere's v2 chat.</summary>
    Cohere,

    /// <summary>Azure OpenAI: OpenAI's with deployments in the path.</summary>
    Azure,

    /// <summary>Google's Gemini API.</summary>
    Gemini,

    /// <summary>Google Vertex AI.</summary>
    Vertex,

    /// <summary>Amazon Bedrock's Converse.</summary>
    Bedrock,

    /// <summary>Mistral's dialect of OpenAI's.</summary>
    Mistral,

    /// <summary>Ollama's own chat API.</summary>
    Ollama,

    /// <summary>Voyage AI's embeddings and rerank.</summary>
    Voyage,
}

/// <summary>A provider that the gateway knows.</summary>
public sealed record Provider
{
    /// <summary>What stands before the slash: <c>openai</c>.</summary>
    public required string Name { get; init; }

    /// <summary>What it speaks.</summary>
    public required ProviderProtocol Protocol { get; init; }

    /// <summary>Where it is; null when each customer has an address of his own.</summary>
    public string? ApiBase { get; init; }

    /// <summary>The environment variables that its key is looked for in, the first being the one that messages name; empty when it needs none.</summary>
    public IReadOnlyList<string> KeyVariables { get; init => field = value ?? []; } = [];

    /// <summary>Whether it may be called without a key (servers of one's own).</summary>
    public bool KeyIsOptional { get; init; }

    /// <summary>Environment variables that hold its address when <c>api_base</c> is not stated.</summary>
    public IReadOnlyList<string> BaseVariables { get; init => field = value ?? []; } = [];

    /// <summary>Whether it serves its models by the legacy <c>/completions</c> too.</summary>
    public bool HasCompletions { get; init; }

    /// <summary>Whether it has OpenAI's <c>/responses</c>, too.</summary>
    public bool HasResponses { get; init; }

    /// <summary>Whether it has OpenAI's <c>/files</c> and <c>/batches</c>, too.</summary>
    public bool HasBatches { get; init; }

    /// <summary>What it does not take of OpenAI's chat; null for nearly all, whose requests pass as they came.</summary>
    public ProviderQuirks? Quirks { get; init; }

    /// <summary>Other spellings of the name.</summary>
    public IReadOnlyList<string> Aliases { get; init => field = value ?? []; } = [];
}
