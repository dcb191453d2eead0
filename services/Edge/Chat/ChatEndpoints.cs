namespace Gateway.Edge.Chat;

/// <summary><c>POST /v1/chat/completions</c>, with and without <c>/v1</c>.</summary>
internal static class ChatEndpoints
{
    public static void MapChat(this IEndpointRouteBuilder routes)
    {
        var flow = routes.ServiceProvider.GetRequiredService<ChatFlow>();
        // A plain request delegate: no binding, no filter, nothing between the server and the flow.
        RequestDelegate handle = context => flow.HandleAsync(context);
        foreach (var path in (string[])["/v1/chat/completions", "/chat/completions"])
        {
            routes.MapPost(path, handle).WithTags("Chat").WithSummary("OpenAI's chat completions, for every model that the key may use");
        }
    }
}
