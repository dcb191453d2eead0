using Gateway.Auth.Audit;
using Gateway.Auth.Requests;
using Gateway.Auth.Spend;
using Gateway.Contracts;
using Gateway.ServiceDefaults;

namespace Gateway.Auth.Users;

/// <summary>The admin API of users: <c>/user/*</c>.</summary>
internal static class UserRoutes
{
    public static void MapUsers(this IEndpointRouteBuilder routes)
    {
        var admins = routes.MapGroup("/user").WithTags("Users").RequireAdmin();
        admins.MapPost("/new", async (RequestBody body, UserAdministration users, HttpContext context) =>
            (await users.NewAsync(body, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.UserView));
        admins.MapPost("/update", async (RequestBody body, UserAdministration users, HttpContext context) =>
            (await users.UpdateAsync(body, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.UserView));
        admins.MapPost("/delete", async (RequestBody body, UserAdministration users, HttpContext context) =>
            (await users.DeleteAsync(body, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.DeletedUsers));
        admins.MapResetSpend(BudgetId.UserScope, static (context, id) => context.RequestServices.GetRequiredService<UserAdministration>().ExistsAsync(id, context.RequestAborted));
        admins.MapGet("/list", async (UserAdministration users, HttpContext context) =>
        {
            var query = new PageQuery(context.Request.Query, sizeDefault: 25, sizeMax: 100, "page_size", "size");
            var (role, email) = (query.Text("role"), query.Text("user_email"));
            return query.Refusal is { } refusal
                ? refusal.ToResult()
                : TypedResults.Json(await users.ListAsync(query, role, email, context.RequestAborted), AuthJson.Default.UserList);
        });

        routes.MapGroup("/user").WithTags("Users").RequireCaller()
            .MapGet("/info", async ([Microsoft.AspNetCore.Mvc.FromQuery(Name = "user_id")] string? userId, UserAdministration users, HttpContext context) =>
                (await users.InfoAsync(userId, CallerIdentity.From(context)!, context.RequestAborted)).ToResult(AuthJson.Default.UserInfo));
    }
}
