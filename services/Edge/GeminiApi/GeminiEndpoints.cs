using Gateway.Edge.Admission;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Gateway.Edge.Models;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.GeminiApi;

/// <summary>
/// <c>/v1beta/models/{model}:{verb}</c>: Google's own clients, against every model that the key may use. A name may have slashes and colons: the
/// verb is what stands behind the last one. <c>GET /v1/models</c> is OpenAI's, unless the key comes in Google's header.
/// </summary>
internal static class GeminiEndpoints
{
    private const string Tag = "Gemini";
    private const string Call = "call";

    private static readonly GeminiSurface Whole = new(streams: false);
    private static readonly GeminiSurface Events = new(streams: true);
    private static readonly GeminiSurface AsArray = new(streams: true, asArray: true);

    private static readonly GatewayError NoSuchRoute = new(
        404, "route_not_found", "There is no such method of a model: generateContent, streamGenerateContent, countTokens, embedContent and batchEmbedContents are served.");

    private static readonly GatewayError KeyInAddress = new(
        400, "invalid_request", "A key does not belong into an address, which is logged on its way: send it in the header x-goog-api-key, and have this one renewed.", "key");

    private static readonly GatewayError NoSuchForm = new(400, "invalid_request", "A stream is sent as server-sent events (alt=sse) or as JSON (alt=json, or without alt).", "alt");

    public static void MapGemini(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        RequestDelegate handle = new GeminiCalls(services).HandleAsync;
        foreach (var prefix in (string[])["/v1beta", "/v1"])
        {
            routes.MapPost($"{prefix}/models/{{**{Call}}}", handle).WithTags(Tag)
                .WithSummary("{model}:generateContent, :streamGenerateContent, :countTokens, :embedContent, :batchEmbedContents, for every model that the key may use");
        }

        var models = Models(services);
        routes.MapGet("/v1beta/models", Keyless(models.ListAsync)).WithTags(Tag).WithSummary("The models that the key may use, in Gemini's form");
        routes.MapGet($"/v1beta/models/{{**{GeminiModels.Model}}}", Keyless(models.FindAsync)).WithTags(Tag).WithSummary("One model, in Gemini's form");
    }

    /// <summary>Whether a request is from a client of Google's, where its address does not say so: their header of the key has no other client.</summary>
    public static bool IsGoogles(HttpRequest request) => request.Headers.ContainsKey("x-goog-api-key");

    /// <summary>The models, in Gemini's form.</summary>
    public static GeminiModels Models(IServiceProvider services) =>
        new(new ModelAnswers(services.GetRequiredService<Authentication>(), services.GetRequiredService<RoutingTables>(), Whole));

    /// <summary>What stands in the path, with its slashes.</summary>
    public static string NameIn(HttpContext context, string part) => ((string?)context.Request.RouteValues[part] ?? "").Replace("%2F", "/", StringComparison.OrdinalIgnoreCase);

    /// <summary>The form of a stream that the address asks for; null for one that there is not.</summary>
    private static GeminiSurface? FormOf(HttpRequest request) =>
        (request.Query["alt"].FirstOrDefault() ?? request.Query["$alt"].FirstOrDefault()) switch
        {
            "sse" => Events,
            null or "" or "json" => AsArray,
            _ => null,
        };

    private static RequestDelegate Keyless(RequestDelegate handle) => context => HasKey(context.Request) ? KeyInAddress.WriteAsync(context, Whole) : handle(context);

    private static bool HasKey(HttpRequest request) => request.Query.ContainsKey("key") || request.Query.ContainsKey("access_token");

    private sealed class GeminiCalls(IServiceProvider services)
    {
        private readonly RequestFlow flow = services.GetRequiredService<RequestFlow>();
        private readonly ChatOperation chat = services.GetRequiredService<ChatOperation>();
        private readonly GeminiEmbedOperation embed = new(services.GetRequiredService<WholeReply>(), isBatch: false);
        private readonly GeminiEmbedOperation batchEmbed = new(services.GetRequiredService<WholeReply>(), isBatch: true);
        private readonly CountTokens counter = new(services.GetRequiredService<FreeRoute>(), services.GetRequiredService<RoutingTables>(), services.GetRequiredService<UpstreamClient>(), new GeminiCounted(Whole));

        public Task HandleAsync(HttpContext context)
        {
            if (HasKey(context.Request))
            {
                return KeyInAddress.WriteAsync(context, Whole);
            }

            var call = NameIn(context, Call);
            var colon = call.LastIndexOf(':');
            var model = call[..Math.Max(0, colon)];
            return (model.Length, call[(colon + 1)..]) switch
            {
                (0, _) => NoSuchRoute.WriteAsync(context, Whole),
                (_, "generateContent") => flow.HandleAsync(context, chat, Whole, model),
                (_, "streamGenerateContent") => FormOf(context.Request) is { } form ? flow.HandleAsync(context, chat, form, model) : NoSuchForm.WriteAsync(context, Whole),
                (_, "countTokens") => counter.HandleAsync(context, model),
                (_, "embedContent") => flow.HandleAsync(context, embed, modelInPath: model),
                (_, "batchEmbedContents") => flow.HandleAsync(context, batchEmbed, modelInPath: model),
                _ => NoSuchRoute.WriteAsync(context, Whole),
            };
        }
    }
}
