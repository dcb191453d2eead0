using Gateway.Auth.Audit;
using Gateway.Auth.Requests;
using Gateway.Auth.Spend;
using Gateway.Contracts;
using Gateway.ServiceDefaults;

namespace Gateway.Auth.Teams;

/// <summary>The admin API of teams: <c>/team/*</c>.</summary>
internal static class TeamRoutes
{
    public static void MapTeams(this IEndpointRouteBuilder routes)
    {
        var admins = routes.MapGroup("/team").WithTags("Teams").RequireAdmin();
        admins.MapPost("/new", async (RequestBody body, TeamAdministration teams, HttpContext context) =>
            (await teams.NewAsync(body, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.TeamView));
        admins.MapPost("/update", async (RequestBody body, TeamAdministration teams, HttpContext context) =>
        {
            var updated = await teams.UpdateAsync(body, Actor.Of(context), context.RequestAborted);
            return updated.Value is { } team
                ? TypedResults.Json(new TeamUpdated(team.TeamId, team), AuthJson.Default.TeamUpdated)
                : updated.ToResult(AuthJson.Default.TeamView);
        });
        admins.MapPost("/delete", async (RequestBody body, TeamAdministration teams, HttpContext context) =>
            (await teams.DeleteAsync(body, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.DeletedTeams));
        admins.MapPost("/block", async (RequestBody body, TeamAdministration teams, HttpContext context) =>
            (await teams.BlockAsync(body, blocked: true, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.TeamView));
        admins.MapPost("/unblock", async (RequestBody body, TeamAdministration teams, HttpContext context) =>
            (await teams.BlockAsync(body, blocked: false, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.TeamView));
        admins.MapPost("/member_add", async (RequestBody body, TeamAdministration teams, HttpContext context) =>
            (await teams.AddMembersAsync(body, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.TeamView));
        admins.MapPost("/member_update", async (RequestBody body, TeamAdministration teams, HttpContext context) =>
            (await teams.UpdateMemberAsync(body, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.TeamMemberView));
        admins.MapPost("/member_delete", async (RequestBody body, TeamAdministration teams, HttpContext context) =>
            (await teams.DeleteMemberAsync(body, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.TeamView));
        admins.MapResetSpend(BudgetId.TeamScope, static (context, id) => context.RequestServices.GetRequiredService<TeamAdministration>().ExistsAsync(id, context.RequestAborted));
        admins.MapGet("/list", async (TeamAdministration teams, HttpContext context) =>
        {
            var query = new PageQuery(context.Request.Query, sizeDefault: 500, sizeMax: 500, "page_size", "size");
            var (organization, user) = (query.Text("organization_id"), query.Text("user_id"));
            return query.Refusal is { } refusal
                ? refusal.ToResult()
                : TypedResults.Json(await teams.ListAsync(query, organization, user, context.RequestAborted), AuthJson.Default.TeamViewArray);
        });

        routes.MapGroup("/team").WithTags("Teams").RequireCaller()
            .MapGet("/info", async ([Microsoft.AspNetCore.Mvc.FromQuery(Name = "team_id")] string? teamId, TeamAdministration teams, HttpContext context) =>
                (await teams.InfoAsync(teamId, CallerIdentity.From(context)!, context.RequestAborted)).ToResult(AuthJson.Default.TeamInfo));
    }
}
