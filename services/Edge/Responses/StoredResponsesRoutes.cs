using Gateway.Edge.Admission.Access;
using Gateway.Edge.Flow;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using StackExchange.Redis;

namespace Gateway.Edge.Responses;

/// <summary><c>GET</c> and <c>DELETE /v1/responses/{id}</c>: passed to the deployment that stored the response, for its owner alone. They cost nothing, and count under the limits of requests.</summary>
internal sealed class StoredResponsesRoutes(FreeRoute route, RoutingTables tables, UpstreamClient upstream, StoredResponses stored)
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public Task HandleAsync(HttpContext context) => route.HandleAsync(context, AnswerAsync);

    private async Task<GatewayError?> AnswerAsync(HttpContext context, Caller caller)
    {
        var id = (string)context.Request.RouteValues["id"]!;
        StoredResponse? response;
        try
        {
            response = await stored.FindAsync(caller, id);
        }
        catch (Exception away) when (away is RedisException or TimeoutException)
        {
            return GatewayError.StoreUnavailable;
        }

        if (response is null || caller.Find(response.Model, tables.Current) is not { Granted: true } grant
            || Array.Find(grant.Group.Deployments, deployment => deployment.Id == response.DeploymentId) is not { } target
            || target.PassedAddress(SurfaceProtocol.Responses) is not { } address)
        {
            return UnknownResponse("id");
        }

        var answered = await ForwardAsync(context, target, new UriBuilder(address) { Path = $"{address.AbsolutePath}{RestOf(context.Request.Path)}", Query = Joined(address.Query, context.Request.QueryString.Value) }.Uri);
        if (!answered)
        {
            return new GatewayError(502, "provider_error", "The provider failed to answer this request.");
        }

        if (HttpMethods.IsDelete(context.Request.Method) && context.Response.StatusCode == 200)
        {
            stored.Forget(id);
        }

        return null;
    }

    /// <summary>No such response, said alike whether it is nobody's or another's.</summary>
    public static GatewayError UnknownResponse(string param) => new(
        404, "response_not_found", "There is no such response that was made with this key's team or user through this gateway, or its provider stores none.", param);

    private async Task<bool> ForwardAsync(HttpContext context, Deployment target, Uri address)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        limit.CancelAfter(Limit);
        using var request = new HttpRequestMessage(new HttpMethod(context.Request.Method), address);
        var access = target.Target;
        UpstreamRequest.AddHeaders(context.Request, null, tables.Current.Configuration.General, target, access, request);
        await target.Protocol.SignAsync(access, request, default, limit.Token);
        using var reply = await upstream.SendAsync(request, limit.Token);
        if ((int)reply.StatusCode is not (>= 200 and < 300 or 400 or 404))
        {
            // About the gateway's credential or the provider's state: not for callers.
            return false;
        }

        await using var body = await UpstreamClient.OpenAsync(reply.Content, limit.Token);
        context.Response.StatusCode = (int)reply.StatusCode;
        context.Response.ContentType = reply.Content.Headers.ContentType?.ToString() ?? "application/json";
        await body.CopyToAsync(context.Response.Body, limit.Token);
        return true;
    }

    // Behind …/responses, as the client wrote it: /{id} or /{id}/input_items.
    private static string RestOf(PathString path)
    {
        var whole = path.ToUriComponent();
        return whole[(whole.IndexOf("/responses/", StringComparison.Ordinal) + "/responses".Length)..];
    }

    private static string Joined(string configured, string? asked) => string.Join('&', new[] { configured.TrimStart('?'), asked?.TrimStart('?') }.Where(static part => !string.IsNullOrEmpty(part)));
}
