using System.Text.Json;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.GeminiApi;

/// <summary>Gemini's <c>:countTokens</c>. Format: https://ai.google.dev/api/tokens.</summary>
internal sealed class GeminiCounted(GeminiSurface surface) : ICountedSurface
{
    public IChatSurface Surface => surface;

    public string Member => "totalTokens";

    public Uri? Address(Deployment target) => target.PassedAddress(SurfaceProtocol.GeminiCount);

    public List<Splice> Splices(ReadOnlyMemory<byte> body, in RequestHead head, Deployment target) => GeminiNames.Splices(body.Span, head, target.ProviderModel);

    /// <summary>Contents alone, or a whole request that they stand in.</summary>
    public ReadOnlyMemory<byte> Prompt(ReadOnlyMemory<byte> body)
    {
        using var asked = RequestHead.Parse(body);
        return asked.RootElement.Named("generateContentRequest") is { ValueKind: JsonValueKind.Object } whole ? whole.Raw().ToArray() : body;
    }
}
