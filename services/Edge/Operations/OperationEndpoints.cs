using Gateway.Edge.Audio;
using Gateway.Edge.Chat;
using Gateway.Edge.Completions;
using Gateway.Edge.Embeddings;
using Gateway.Edge.Flow;
using Gateway.Edge.Images;
using Gateway.Edge.Moderations;
using Gateway.Edge.Rerank;

namespace Gateway.Edge.Operations;

/// <summary>
/// Where what can be asked of a model is found: with and without <c>/v1</c>, and at Azure's paths, which name the model (as <c>/engines</c>,
/// OpenAI's first paths, did). Azure's <c>api-version</c> is not looked at.
/// </summary>
internal static class OperationEndpoints
{
    private const string Model = "model";

    /// <summary>The path below a prefix, what it asks for, and a line for the API's page.</summary>
    private static readonly (string Path, Type Operation, IChatSurface? Surface, string Tag, string Summary)[] Routes =
    [
        ("/chat/completions", typeof(ChatOperation), null, "Chat", "OpenAI's chat completions, for every model that the key may use"),
        ("/completions", typeof(ChatOperation), new CompletionsSurface(), "Completions", "OpenAI's first completions: a text that is gone on with"),
        ("/embeddings", typeof(EmbeddingsOperation), null, "Embeddings", "OpenAI's embeddings"),
        ("/rerank", typeof(RerankOperation), null, "Rerank", "Documents in the order in which they answer a question, in Cohere's form"),
        ("/moderations", typeof(ModerationsOperation), null, "Moderations", "OpenAI's moderations"),
        ("/images/generations", typeof(ImagesOperation), null, "Images", "OpenAI's images"),
        ("/audio/speech", typeof(SpeechOperation), null, "Audio", "A text, spoken"),
        ("/audio/transcriptions", typeof(TranscriptionOperation), null, "Audio", "What is said in a recording"),
        ("/audio/translations", typeof(TranslationOperation), null, "Audio", "What is said in a recording, in English"),
    ];

    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        var flow = routes.ServiceProvider.GetRequiredService<RequestFlow>();
        foreach (var (path, type, surface, tag, summary) in Routes)
        {
            var operation = (Operation)routes.ServiceProvider.GetRequiredService(type);

            // Plain request delegates: no binding, no filter, nothing between the server and the flow.
            RequestDelegate handle = context => flow.HandleAsync(context, operation, surface);
            foreach (var prefix in type == typeof(RerankOperation) ? (string[])["/v2", "/v1", ""] : ["/v1", ""])
            {
                routes.MapPost(prefix + path, handle).WithTags(tag).WithSummary(summary);
            }

            RequestDelegate handleNamed = context => flow.HandleAsync(context, operation, surface, modelInPath: (string?)context.Request.RouteValues[Model]);
            foreach (var prefix in (string[])["/openai/deployments", "/engines"])
            {
                routes.MapPost($"{prefix}/{{{Model}}}{path}", handleNamed).WithTags(tag).WithSummary($"{summary}, the model in the path");
            }
        }
    }
}
