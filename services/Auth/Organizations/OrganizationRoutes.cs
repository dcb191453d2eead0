using Gateway.Auth.Audit;
using Gateway.Auth.Requests;
using Gateway.Auth.Spend;
using Gateway.Contracts;
using Gateway.ServiceDefaults;

namespace Gateway.Auth.Organizations;

/// <summary>The admin API of organizations: <c>/organization/*</c>.</summary>
internal static class OrganizationRoutes
{
    public static void MapOrganizations(this IEndpointRouteBuilder routes)
    {
        var admins = routes.MapGroup("/organization").WithTags("Organizations").RequireAdmin();
        admins.MapPost("/new", async (RequestBody body, OrganizationAdministration organizations, HttpContext context) =>
            (await organizations.NewAsync(body, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.OrganizationView));
        admins.MapPost("/update", async (RequestBody body, OrganizationAdministration organizations, HttpContext context) =>
            (await organizations.UpdateAsync(body, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.OrganizationView));
        admins.MapPost("/delete", async (RequestBody body, OrganizationAdministration organizations, HttpContext context) =>
            (await organizations.DeleteAsync(body, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.DeletedOrganizations));
        admins.MapResetSpend(BudgetId.OrganizationScope, static (context, id) => context.RequestServices.GetRequiredService<OrganizationAdministration>().ExistsAsync(id, context.RequestAborted));
        admins.MapGet("/list", async (OrganizationAdministration organizations, HttpContext context) =>
        {
            var query = new PageQuery(context.Request.Query, sizeDefault: 500, sizeMax: 500, "page_size", "size");
            return query.Refusal is { } refusal
                ? refusal.ToResult()
                : TypedResults.Json(await organizations.ListAsync(query, context.RequestAborted), AuthJson.Default.OrganizationViewArray);
        });

        routes.MapGroup("/organization").WithTags("Organizations").RequireCaller()
            .MapGet("/info", async ([Microsoft.AspNetCore.Mvc.FromQuery(Name = "organization_id")] string? organizationId, OrganizationAdministration organizations, HttpContext context) =>
                (await organizations.InfoAsync(organizationId, CallerIdentity.From(context)!, context.RequestAborted)).ToResult(AuthJson.Default.OrganizationView));
    }
}
