using Gateway.Edge.Flow;

namespace Gateway.Edge.Responses;

/// <summary><c>/v1/responses</c>: OpenAI's newer clients and agents, against every model that the key may use.</summary>
internal static class ResponsesEndpoints
{
    public static void MapResponses(this IEndpointRouteBuilder routes)
    {
        var flow = routes.ServiceProvider.GetRequiredService<RequestFlow>();
        var stored = routes.ServiceProvider.GetRequiredService<StoredResponsesRoutes>();
        var surface = new ResponsesSurface(routes.ServiceProvider.GetRequiredService<StoredResponses>());
        RequestDelegate create = context => flow.HandleAsync(context, surface);
        RequestDelegate find = context => stored.HandleAsync(context);
        foreach (var path in (string[])["/v1/responses", "/responses"])
        {
            routes.MapPost(path, create).WithTags("Responses").WithSummary("OpenAI's responses, for every model that the key may use");
            routes.MapGet($"{path}/{{id}}", find).WithTags("Responses").WithSummary("A response that its provider has stored");
            routes.MapDelete($"{path}/{{id}}", find).WithTags("Responses").WithSummary("Deletes a response that its provider has stored");
            routes.MapGet($"{path}/{{id}}/input_items", find).WithTags("Responses").WithSummary("What a stored response was made of");
        }
    }
}
