using System.Text.Json;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Responses;

/// <summary>A tool of a request, and the namespace that it stands in (<see cref="ResponseToolNames"/>).</summary>
internal readonly record struct ResponseTool(JsonElement Definition, string? Namespace)
{
    public string? Name => Definition.Field("name"u8).Text();

    public bool IsCustom => Definition.Field("type"u8).Is("custom"u8);

    /// <summary>The tools and namespaces as they stand in the request and as its input adds them.</summary>
    public static JsonElement[] Groups(JsonElement request) =>
    [
        .. request.Field("tools"u8).Items(),
        .. request.Field("input"u8).Items().Where(static item => item.Field("type"u8).Is("additional_tools"u8)).SelectMany(static item => item.Field("tools"u8).Items()),
    ];

    /// <summary>All tools, also those in namespaces.</summary>
    public static IEnumerable<ResponseTool> In(IReadOnlyCollection<JsonElement> groups) => groups.SelectMany(static group => group.Field("type"u8).Is("namespace"u8)
        ? group.Field("tools"u8).Items().Select(tool => new ResponseTool(tool, group.Field("name"u8).Text()))
        : [new ResponseTool(group, null)]);
}
