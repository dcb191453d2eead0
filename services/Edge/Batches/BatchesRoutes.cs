using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Files;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Batches;

/// <summary><c>GET /v1/batches…</c> and <c>POST /v1/batches/{id}/cancel</c>: an owner's batches, as their providers say they are. They cost nothing.</summary>
internal sealed class BatchesRoutes(FreeRoute route, ProviderStore providers, BatchRegistry batches, BatchLook look, BatchWatch watch)
{
    /// <summary>OpenAI's usual page, and its largest.</summary>
    private const int PageUsual = 20;
    private const int PageMax = 100;

    private static readonly GatewayError Unknown = new(404, "batch_not_found", "There is no such batch that was submitted with this key's team or user through this gateway.", "id");

    public Task FindAsync(HttpContext context) => route.HandleAsync(context, (_, caller) => AskAsync(context, caller, HttpMethod.Get, ""));

    public Task CancelAsync(HttpContext context) => route.HandleAsync(context, (_, caller) => AskAsync(context, caller, HttpMethod.Post, "/cancel"));

    public Task ListAsync(HttpContext context) => route.HandleAsync(context, ListAsync);

    private async Task<GatewayError?> AskAsync(HttpContext context, Caller caller, HttpMethod method, string action)
    {
        try
        {
            if (await batches.FindAsync(caller, (string)context.Request.RouteValues["id"]!, context.RequestAborted) is not { } batch)
            {
                return Unknown;
            }

            // What is settled does not change any more.
            if (batch.ProviderId is null || (method == HttpMethod.Get && batch.State == BatchState.Settled) || providers.Of(caller, batch.Model, batch.DeploymentId) is not { } target
                || target.StoreAddress("batches") is null)
            {
                await FileAnswer.WriteAsync(context, Known(batch));
                return null;
            }

            var (seen, error) = await look.AskAsync(batch, target, method, action, context.RequestAborted);
            if (seen is null)
            {
                return error!.Naming(batch.ProviderId, batch.Id);
            }

            if (seen.IsOver)
            {
                watch.LookSoon(batch.Id);
            }

            await FileAnswer.WriteAsync(context, seen.Answer);
            return null;
        }
        catch (RegistryAwayException)
        {
            return RegistryAwayException.Error;
        }
        catch (MalformedReplyException)
        {
            return new GatewayError(502, "provider_error", "The provider answered what its protocol does not know.");
        }
    }

    private async Task<GatewayError?> ListAsync(HttpContext context, Caller caller)
    {
        if (!FilesRoutes.TryLimit(context.Request.Query["limit"].FirstOrDefault(), PageUsual, PageMax, out var limit))
        {
            return new GatewayError(400, "invalid_request", $"limit must be a whole number from 1 to {PageMax}.", "limit");
        }

        try
        {
            // As they were seen last: asking each one's provider would make a list as slow as the slowest of them.
            var found = await batches.ListAsync(caller, context.Request.Query["after"].FirstOrDefault(), limit + 1, context.RequestAborted);
            await FileAnswer.WriteAsync(context, FileAnswer.Page([.. found.Take(limit).Select(Known)], found.Length > limit));
            return null;
        }
        catch (RegistryAwayException)
        {
            return RegistryAwayException.Error;
        }
    }

    private static JsonObject Known(ProviderBatch batch) => batch.Answer is { } said ? JsonNode.Parse(said)!.AsObject() : BatchLook.Of(batch);
}
