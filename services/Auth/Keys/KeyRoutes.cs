using System.Diagnostics;
using Gateway.Auth.Access;
using Gateway.Auth.Audit;
using Gateway.Auth.Requests;
using Gateway.Auth.Spend;
using Gateway.Contracts;
using Gateway.ServiceDefaults;

namespace Gateway.Auth.Keys;

/// <summary>The admin API of keys: <c>/key/*</c>.</summary>
internal static class KeyRoutes
{
    public const int PageSizeMax = 100;

    public static void MapKeys(this IEndpointRouteBuilder routes)
    {
        var admins = routes.MapGroup("/key").WithTags("Keys").RequireAdmin();
        admins.MapPost("/generate", async (RequestBody body, KeyAdministration keys, HttpContext context) =>
            (await keys.GenerateAsync(body, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.KeyView));
        admins.MapPost("/update", async (RequestBody body, KeyAdministration keys, HttpContext context) =>
            (await keys.UpdateAsync(body, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.KeyView));
        admins.MapPost("/delete", async (RequestBody body, KeyAdministration keys, HttpContext context) =>
            (await keys.DeleteAsync(body, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.DeletedKeys));
        admins.MapPost("/block", async (RequestBody body, KeyAdministration keys, HttpContext context) =>
            (await keys.BlockAsync(body, blocked: true, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.KeyView));
        admins.MapPost("/unblock", async (RequestBody body, KeyAdministration keys, HttpContext context) =>
            (await keys.BlockAsync(body, blocked: false, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.KeyView));
        admins.MapPost("/{key}/regenerate", async (string key, RequestBody body, KeyAdministration keys, HttpContext context) =>
        {
            // LiteLLM's shape has the key in the path: it must not stay in a trace.
            Activity.Current?.SetTag("url.path", "/key/{key}/regenerate");
            return (await keys.RegenerateAsync(key, body, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.KeyView);
        });

        admins.MapPost("/{key}/reset_spend", async (string key, RequestBody body, KeyAdministration keys, SpendResets resets, HttpContext context) =>
        {
            Activity.Current?.SetTag("url.path", "/key/{key}/reset_spend");
            return await keys.IdOfAsync(key, context.RequestAborted) is { } id
                ? (await resets.ResetAsync(BudgetId.KeyScope, id, body, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.SpendWasReset)
                : Refusal.NotFound("key", "key").ToResult();
        });

        var callers = routes.MapGroup("/key").WithTags("Keys").RequireCaller();
        callers.MapGet("/info", async (string? key, KeyAdministration keys, HttpContext context) =>
        {
            Activity.Current?.SetTag("url.query", "key={key}");
            return (await keys.InfoAsync(key, CallerIdentity.From(context)!, context.RequestAborted)).ToResult(AuthJson.Default.KeyInfo);
        });
        callers.MapGet("/list", ListAsync);
    }

    private static async Task<IResult> ListAsync(KeyAdministration keys, HttpContext context)
    {
        var query = new PageQuery(context.Request.Query, sizeDefault: 10, PageSizeMax, "size", "page_size");
        var full = query.Flag("return_full_object");
        var caller = CallerIdentity.From(context)!;
        var own = !Callers.SeesAll(caller);
        var filter = new KeyFilter(
            own ? caller.UserId : query.Text("user_id"), query.Text("team_id"), query.Text("organization_id"), query.Text("key_alias"),
            // A key without a user owns nothing but itself.
            own && caller.UserId is null ? caller.KeyId : query.Text("key_hash"), query.Page, query.Size);
        if (query.Refusal is { } refusal)
        {
            return refusal.ToResult();
        }

        var (found, total) = await keys.ListAsync(filter, withSpend: full, context.RequestAborted);
        var pages = query.PagesOf(total);
        return full
            ? TypedResults.Json(new KeyViews(found, total, query.Page, pages), AuthJson.Default.KeyViews)
            : TypedResults.Json(new KeyIds([.. found.Select(key => key.Token)], total, query.Page, pages), AuthJson.Default.KeyIds);
    }
}
