using System.Globalization;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Files;

/// <summary><c>GET</c> and <c>DELETE /v1/files…</c>: an owner's files, passed on to the providers that have them. They cost nothing.</summary>
internal sealed class FilesRoutes(FreeRoute route, ProviderStore providers, FileRegistry files)
{
    /// <summary>OpenAI's largest page.</summary>
    private const int PageMax = 10_000;

    /// <summary>How long a file's content may take to pass.</summary>
    private static readonly TimeSpan ContentMax = TimeSpan.FromMinutes(30);

    /// <summary>No such file, said alike whether it is nobody's or another's.</summary>
    /// <param name="param">The field that names it.</param>
    /// <param name="id">The id, where a request may name several.</param>
    public static GatewayError Unknown(string param, string? id = null) => new(
        404, "file_not_found", $"There is no such file{(id is null ? "" : $" ({id})")} that was sent with this key's team or user through this gateway.", param);

    public Task ListAsync(HttpContext context) => route.HandleAsync(context, ListAsync);

    public Task FindAsync(HttpContext context) => route.HandleAsync(context, (_, caller) => WithFileAsync(context, caller, async (file, target) =>
    {
        var (json, error) = await providers.AskAsync(target, HttpMethod.Get, PathOf(file), null, context.RequestAborted);
        if (error is null)
        {
            await FileAnswer.WriteAsync(context, FileAnswer.Of(FileAnswer.Read(json).Answer, file));
        }

        return error;
    }));

    public Task DeleteAsync(HttpContext context) => route.HandleAsync(context, (_, caller) => WithFileAsync(context, caller, async (file, target) =>
    {
        var (_, error) = await providers.AskAsync(target, HttpMethod.Delete, PathOf(file), null, context.RequestAborted);

        // One that the provider has not any more is deleted, too.
        if (error is not null and not { Status: 404 })
        {
            return error;
        }

        await files.RemoveAsync(file, context.RequestAborted);
        await FileAnswer.WriteAsync(context, new JsonObject { ["id"] = file.Id, ["object"] = "file", ["deleted"] = true });
        return null;
    }));

    public Task ContentAsync(HttpContext context) => route.HandleAsync(context, (_, caller) => WithFileAsync(context, caller, async (file, target) =>
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        limit.CancelAfter(ContentMax);
        using var reply = await providers.SendAsync(target, HttpMethod.Get, $"{PathOf(file)}/content", null, limit.Token);
        if (!reply.IsSuccessStatusCode)
        {
            return ProviderStore.ErrorOf(target, (int)reply.StatusCode, await ProviderStore.ReadAsync(reply.Content, limit.Token));
        }

        await using var body = await UpstreamClient.OpenAsync(reply.Content, limit.Token);
        context.Response.StatusCode = 200;
        context.Response.ContentType = reply.Content.Headers.ContentType?.ToString() ?? "application/octet-stream";
        context.Response.ContentLength = UpstreamClient.LengthOf(reply.Content);
        await body.CopyToAsync(context.Response.Body, limit.Token);
        return null;
    }));

    private async Task<GatewayError?> ListAsync(HttpContext context, Caller caller)
    {
        var query = context.Request.Query;
        if (!TryLimit(query["limit"].FirstOrDefault(), PageMax, PageMax, out var limit))
        {
            return new GatewayError(400, "invalid_request", $"limit must be a whole number from 1 to {PageMax}.", "limit");
        }

        var order = query["order"].FirstOrDefault() ?? "desc";
        if (order is not ("asc" or "desc"))
        {
            return new GatewayError(400, "invalid_request", "order must be asc or desc.", "order");
        }

        try
        {
            var found = await files.ListAsync(caller, query["purpose"].FirstOrDefault(), query["after"].FirstOrDefault(), order == "asc", limit + 1, context.RequestAborted);
            await FileAnswer.WriteAsync(context, FileAnswer.Page([.. found.Take(limit).Select(FileAnswer.Of)], found.Length > limit));
            return null;
        }
        catch (RegistryAwayException)
        {
            return RegistryAwayException.Error;
        }
    }

    /// <summary>A page's size.</summary>
    public static bool TryLimit(string? text, int otherwise, int most, out int limit)
    {
        limit = otherwise;
        return text is null || (int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out limit) && limit >= 1 && limit <= most);
    }

    private async Task<GatewayError?> WithFileAsync(HttpContext context, Caller caller, Func<ProviderFile, Deployment, Task<GatewayError?>> answer)
    {
        try
        {
            return await files.FindAsync(caller, (string)context.Request.RouteValues["id"]!, context.RequestAborted) is { } file
                && providers.Of(caller, file.Model, file.DeploymentId) is { } target && target.StoreAddress("files") is not null
                    ? (await answer(file, target))?.Naming(file.ProviderId, file.Id)
                    : Unknown("id");
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

    private static string PathOf(ProviderFile file) => $"files/{Uri.EscapeDataString(file.ProviderId)}";
}
