using Gateway.Edge.Flow;

namespace Gateway.Edge.CohereApi;

/// <summary>Cohere's <c>/v2/chat</c> and <c>/v2/embed</c>: its own clients, against every model that the key may use. <c>/v2/rerank</c> is an operation's own form.</summary>
internal static class CohereEndpoints
{
    private const string Tag = "Cohere";

    public static void MapCohere(this IEndpointRouteBuilder routes)
    {
        var flow = routes.ServiceProvider.GetRequiredService<RequestFlow>();
        var surface = new CohereSurface();
        var embed = new CohereEmbedOperation(routes.ServiceProvider.GetRequiredService<WholeReply>());
        RequestDelegate ask = context => flow.HandleAsync(context, surface);
        RequestDelegate handle = context => flow.HandleAsync(context, embed);
        routes.MapPost("/v2/chat", ask).WithTags(Tag).WithSummary("Cohere's chat, for every model that the key may use");
        routes.MapPost("/v2/embed", handle).WithTags(Tag).WithSummary("Cohere's embeddings");
    }
}
