using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Operations;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Messages;

/// <summary><c>POST /v1/messages</c>: Anthropic's own clients and coding agents, against every model that the key may use.</summary>
internal static class MessagesEndpoints
{
    public static void MapMessages(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var flow = services.GetRequiredService<RequestFlow>();
        var surface = new MessagesSurface();
        var counter = new CountTokens(
            services.GetRequiredService<FreeRoute>(), services.GetRequiredService<RoutingTables>(), services.GetRequiredService<UpstreamClient>(), new MessagesCounted(surface));
        RequestDelegate handle = context => flow.HandleAsync(context, surface);
        RequestDelegate count = context => counter.HandleAsync(context);
        foreach (var path in (string[])["/v1/messages", "/messages"])
        {
            routes.MapPost(path, handle).WithTags("Messages").WithSummary("Anthropic's messages, for every model that the key may use");
            routes.MapPost($"{path}/count_tokens", count).WithTags("Messages").WithSummary("The input tokens of a message, without sending it");
        }
    }
}
