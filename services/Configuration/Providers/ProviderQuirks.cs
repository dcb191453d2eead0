namespace Gateway.Configuration;

/// <summary>What a server that speaks OpenAI's chat does not take of it. Requests to a provider without quirks pass byte for byte.</summary>
public sealed record ProviderQuirks
{
    /// <summary>It refuses <c>stream_options</c>: a stream's usage is read where it is reported unasked, else counted.</summary>
    public bool NoStreamOptions { get; init; }

    /// <summary>It knows <c>max_tokens</c> and not <c>max_completion_tokens</c>.</summary>
    public bool OnlyMaxTokens { get; init; }

    /// <summary>It refuses messages of the role <c>developer</c>: they are the system's to it.</summary>
    public bool NoDeveloper { get; init; }

    /// <summary>
    /// Fields that it refuses, <c>messages.name</c> for one of a message: left out and named, or the request is refused, as <c>drop_params</c> says.
    /// </summary>
    public IReadOnlyList<string> Refuses { get; init => field = value ?? []; } = [];
}
