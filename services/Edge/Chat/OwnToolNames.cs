using System.Text.Json;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Chat;

/// <summary>The names of an answer's calls as they stand among the request's tools, which are read once, and only where a name may be one that was made to fit.</summary>
/// <param name="request">What the client asked.</param>
/// <param name="toolsOf">The request's tools, each with a <c>name</c>.</param>
internal sealed class OwnToolNames(ReadOnlyMemory<byte> request, Func<JsonElement, IEnumerable<JsonElement>> toolsOf)
{
    private Dictionary<string, string>? own;

    /// <summary>The tool's own name.</summary>
    /// <param name="name">The name in the answer.</param>
    public string Of(string name) => ToolNames.MayBeFitted(name) && (own ??= Read()).TryGetValue(name, out var itsOwn) ? itsOwn : name;

    private Dictionary<string, string> Read()
    {
        using var document = ChatRequest.Parse(request);
        return toolsOf(document.RootElement).Select(static tool => tool.Field("name"u8).Text()).OfType<string>()
            .Select(static itsOwn => (Fitted: ToolNames.Fit(itsOwn)!, Own: itsOwn)).Where(static name => name.Fitted != name.Own)
            .DistinctBy(static name => name.Fitted, StringComparer.Ordinal).ToDictionary(static name => name.Fitted, static name => name.Own, StringComparer.Ordinal);
    }
}
