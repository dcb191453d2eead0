using Gateway.Edge.Chat;
using Gateway.Edge.Embeddings;

namespace Gateway.Edge.Operations;

/// <summary>
/// Where what can be asked of a model is found: with and without <c>/v1</c>, and at Azure's paths, which name the model (as <c>/engines</c>,
/// OpenAI's first paths, did). Azure's <c>api-version</c> is not looked at.
/// </summary>
internal static class OperationEndpoints
{
    private const string Model = "model";

    /// <summary>The path below a prefix, what it asks for, and a line for the API's page.</summary>
    private static readonly (string Path, Type Operation, string Tag, string Summary)[] Routes =
    [
        ("/chat/completions", typeof(ChatOperation), "Chat", "OpenAI's chat completions, for every model that the key may use"),
        ("/embeddings", typeof(EmbeddingsOperation), "Embeddings", "OpenAI's embeddings"),
    ];

    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        var flow = routes.ServiceProvider.GetRequiredService<ChatFlow>();
        foreach (var (path, type, tag, summary) in Routes)
        {
            var operation = (Operation)routes.ServiceProvider.GetRequiredService(type);

            // Plain request delegates: no binding, no filter, nothing between the server and the flow.
            RequestDelegate handle = context => flow.HandleAsync(context, operation);
            foreach (var prefix in (string[])["/v1", ""])
            {
                routes.MapPost(prefix + path, handle).WithTags(tag).WithSummary(summary);
            }

            RequestDelegate handleNamed = context => flow.HandleAsync(context, operation, modelInPath: (string?)context.Request.RouteValues[Model]);
            foreach (var prefix in (string[])["/openai/deployments", "/engines"])
            {
                routes.MapPost($"{prefix}/{{{Model}}}{path}", handleNamed).WithTags(tag).WithSummary($"{summary}, the model in the path");
            }
        }
    }
}
