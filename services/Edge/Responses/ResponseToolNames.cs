using System.Text.Json;
using Gateway.Edge.Chat;

namespace Gateway.Edge.Responses;

/// <summary>
/// What each tool of a request is named in chat, which has no namespaces: there the namespace is the beginning of the name. Where that is another
/// tool's already, it has a hash behind it; tools without a namespace are named first, so theirs stay as they are.
/// </summary>
internal sealed class ResponseToolNames
{
    private readonly Dictionary<(string Space, string Name), string> chatNames = [];
    private readonly Dictionary<string, ResponseTool> tools = new(StringComparer.Ordinal);
    private readonly HashSet<string> taken = new(StringComparer.Ordinal);

    /// <param name="groups">The request's tools and namespaces: <see cref="ResponseTool.Groups"/>.</param>
    public ResponseToolNames(IReadOnlyCollection<JsonElement> groups)
    {
        foreach (var tool in ResponseTool.In(groups).OrderBy(static tool => !string.IsNullOrEmpty(tool.Namespace)))
        {
            if (Of(tool.Namespace, tool.Name) is { } chatName)
            {
                tools.TryAdd(chatName, tool);
            }
        }
    }

    /// <summary>What a tool, a call or a choice is named in chat.</summary>
    public string? Of(string? space, string? name)
    {
        space ??= "";
        if (name is null)
        {
            return null;
        }

        if (!chatNames.TryGetValue((space, name), out var chatName))
        {
            chatName = ToolNames.Fit(space.Length == 0 ? name : $"{space}__{name}")!;
            for (var whole = $"{space}\0{name}"; !taken.Add(chatName); whole += "\0")
            {
                chatName = ToolNames.WithHash(chatName, whole);
            }

            chatNames[(space, name)] = chatName;
        }

        return chatName;
    }

    /// <summary>The tool of a name in chat; its definition is of kind undefined when the request has none.</summary>
    public ResponseTool ToolOf(string chatName) => tools.GetValueOrDefault(chatName);
}
