using Gateway.Auth.Audit;
using Gateway.Auth.Requests;

namespace Gateway.Auth.Spend;

/// <summary>LiteLLM's <c>reset_spend</c>, the same for every kind of owner.</summary>
internal static class SpendResetRoutes
{
    /// <summary>Maps <c>POST /{id}/reset_spend</c> below a kind of owner.</summary>
    /// <param name="admins">The kind's routes of administrators.</param>
    /// <param name="scope">Its scope of budgets, which is also its name: <c>team</c>.</param>
    /// <param name="exists">Whether there is such an owner.</param>
    public static void MapResetSpend(this IEndpointRouteBuilder admins, string scope, Func<HttpContext, string, Task<bool>> exists) =>
        admins.MapPost("/{id}/reset_spend", async (string id, RequestBody body, SpendResets resets, HttpContext context) =>
            await exists(context, id)
                ? (await resets.ResetAsync(scope, id, body, Actor.Of(context), context.RequestAborted)).ToResult(AuthJson.Default.SpendWasReset)
                : Refusal.NotFound(scope, scope + "_id").ToResult());
}
