using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Mistral;

/// <summary>Mistral: OpenAI's chat, strict about fields that it does not know. It reports the usage of a stream unasked.</summary>
internal sealed class MistralProvider : OpenAiProvider
{
    /// <inheritdoc/>
    public override string Protocol => "mistral";

    /// <inheritdoc/>
    public override bool TakesStreamOptions => false;
}
