using System.Text.Json.Serialization;
using Gateway.Edge.Admission;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.GeminiApi;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Models;

/// <summary><c>GET /v1/models</c> and <c>/v1/models/{id}</c>: the caller's models only. An exhausted budget does not hide them.</summary>
internal static class ModelEndpoints
{
    public static void MapModels(this IEndpointRouteBuilder routes)
    {
        var info = new ModelInfo(routes.ServiceProvider.GetRequiredService<Authentication>(), routes.ServiceProvider.GetRequiredService<RoutingTables>());
        RequestDelegate showInfo = info.HandleAsync;
        var google = GeminiEndpoints.Models(routes.ServiceProvider);
        var (list, find) = (AsAsked(google.ListAsync, ListAsync), AsAsked(google.FindAsync, FindAsync));
        foreach (var prefix in (string[])["/v1", ""])
        {
            routes.MapGet($"{prefix}/models", list).WithTags("Models").WithSummary("The models that the key may use");
            routes.MapGet($"{prefix}/models/{{**{GeminiModels.Model}}}", find).WithTags("Models").WithSummary("One model");
            routes.MapGet($"{prefix}/model/info", showInfo).WithTags("Models").WithSummary("The models that the key may use, with provider, limits and prices");
        }
    }

    // Google's clients ask for v1 unless they are told otherwise; a header tells them from OpenAI's.
    private static RequestDelegate AsAsked(RequestDelegate google, Func<HttpContext, Authentication, RoutingTables, Task> others) => context => GeminiEndpoints.IsGoogles(context.Request)
        ? google(context)
        : others(context, context.RequestServices.GetRequiredService<Authentication>(), context.RequestServices.GetRequiredService<RoutingTables>());

    private static async Task ListAsync(HttpContext context, Authentication authentication, RoutingTables tables)
    {
        var (caller, error) = await authentication.AuthenticateAsync(context.Request);
        if (caller is null)
        {
            await error!.WriteAsync(context);
            return;
        }

        await context.Response.WriteAsJsonAsync(
            new ModelList("list", [.. Visible(caller, tables).Select(Entry)]), EdgeJson.Default.ModelList, cancellationToken: context.RequestAborted);
    }

    private static async Task FindAsync(HttpContext context, Authentication authentication, RoutingTables tables)
    {
        var id = (string)context.Request.RouteValues[GeminiModels.Model]!;
        var (caller, error) = await authentication.AuthenticateAsync(context.Request);
        if (caller is null)
        {
            await error!.WriteAsync(context);
            return;
        }

        if (caller.Find(id, tables.Current) is { Granted: true })
        {
            await context.Response.WriteAsJsonAsync(Entry(id), EdgeJson.Default.ModelEntry, cancellationToken: context.RequestAborted);
            return;
        }

        await new GatewayError(404, "model_not_found", "There is no such model among those that this key may use. GET /v1/models lists them.", "id").WriteAsync(context);
    }

    private static IEnumerable<string> Visible(Caller caller, RoutingTables tables) => tables.Current.PublicNames.Where(caller.MayCall);

    private static ModelEntry Entry(string name) => new(name, "model", 1_677_610_602, "gateway");
}

/// <summary>OpenAI's list of models.</summary>
internal sealed record ModelList([property: JsonPropertyName("object")] string Object, [property: JsonPropertyName("data")] ModelEntry[] Data);

/// <summary>OpenAI's model.</summary>
internal sealed record ModelEntry(
    [property: JsonPropertyName("id")] string Id,
    [property: JsonPropertyName("object")] string Object,
    [property: JsonPropertyName("created")] long Created,
    [property: JsonPropertyName("owned_by")] string OwnedBy);
