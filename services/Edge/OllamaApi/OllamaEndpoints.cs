using Gateway.Edge.Admission;
using Gateway.Edge.Flow;
using Gateway.Edge.Models;
using Gateway.Edge.Routing;

namespace Gateway.Edge.OllamaApi;

/// <summary><c>/api/…</c>: Ollama's own clients, against every model that the key may use. They send the key as a header that they are given.</summary>
internal static class OllamaEndpoints
{
    private const string Tag = "Ollama";

    public static void MapOllama(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var flow = services.GetRequiredService<RequestFlow>();
        var whole = services.GetRequiredService<WholeReply>();
        var time = services.GetRequiredService<TimeProvider>();
        Map("/api/chat", Ask(new OllamaSurface(generates: false, time)), "Ollama's chat, for every model that the key may use");
        Map("/api/generate", Ask(new OllamaSurface(generates: true, time)), "Ollama's generate: one prompt, gone on with");
        Map("/api/embed", Embed(isOlder: false), "Ollama's embeddings");
        Map("/api/embeddings", Embed(isOlder: true), "Ollama's embeddings of one prompt, as they first were");

        var models = new OllamaModels(new ModelAnswers(
            services.GetRequiredService<Authentication>(), services.GetRequiredService<RoutingTables>(), new OllamaSurface(generates: false, time)));
        Map("/api/show", models.ShowAsync, "One model, in Ollama's form");
        routes.MapGet("/api/tags", (RequestDelegate)models.ListAsync).WithTags(Tag).WithSummary("The models that the key may use, in Ollama's form");
        routes.MapGet("/api/version", (RequestDelegate)OllamaModels.TellVersionAsync).WithTags(Tag).WithSummary("The version of Ollama whose API this is");

        RequestDelegate Ask(OllamaSurface surface) => context => flow.HandleAsync(context, surface);

        RequestDelegate Embed(bool isOlder)
        {
            var operation = new OllamaEmbedOperation(whole, isOlder, time);
            return context => flow.HandleAsync(context, operation);
        }

        void Map(string path, RequestDelegate handle, string summary) => routes.MapPost(path, handle).WithTags(Tag).WithSummary(summary);
    }
}
