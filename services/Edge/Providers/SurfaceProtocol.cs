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
}
