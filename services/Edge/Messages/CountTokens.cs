using System.Globalization;
using System.Text;
using Gateway.Edge.Admission;
using Gateway.Edge.Admission.Rates;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Messages;

/// <summary>
/// <c>POST /v1/messages/count_tokens</c>: costs nothing, and counts as a request under the limits of its caller. A model of Anthropic's is asked there, byte for byte; the tokens of any other are counted
/// here, which a header says. A provider that does not answer leaves the counting to the gateway, too.
/// </summary>
internal sealed class CountTokens(Authentication authentication, RoutingTables tables, UpstreamClient upstream)
{
    private const int ReplyBytesMax = 64 * 1024;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly MessagesSurface surface = new();

    public async Task HandleAsync(HttpContext context)
    {
        RequestBody body = default;
        using var gates = new EnteredGates();
        try
        {
            if (await AnswerAsync(context, gates, read => body = read) is { } error)
            {
                await error.WriteAsync(context, surface);
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException && context.RequestAborted.IsCancellationRequested)
        {
            // The client has left, and nothing is owed.
        }
        finally
        {
            body.Dispose();
        }
    }

    private async Task<GatewayError?> AnswerAsync(HttpContext context, EnteredGates gates, Action<RequestBody> keep)
    {
        var (caller, refusal) = await authentication.AuthenticateAsync(context.Request);
        if (caller is null)
        {
            return refusal;
        }

        if (!RouteGrant.Allows(caller.Snapshot, context.Request.Path))
        {
            return RouteGrant.Denied;
        }

        var table = tables.Current;
        if (await RequestBody.ReadAsync(context.Request, table.Configuration.General.MaxRequestBytes, context.RequestAborted) is not { } body)
        {
            return GatewayError.TooLarge(table.Configuration.General.MaxRequestBytes);
        }

        keep(body);
        if (surface.ReadHead(body.Memory, out var head) is { } wrong)
        {
            return wrong;
        }

        if (caller.Find(head.ModelName, table) is not { Granted: true } grant)
        {
            return new GatewayError(404, "model_not_found", "There is no such model among those that this key may use. GET /v1/models lists them.", "model");
        }

        if (await gates.EnterAsync(caller, tables.GatewayGate, context.Response) is { } limited)
        {
            return limited;
        }

        var target = Array.Find(grant.Group.Deployments, static deployment => deployment.CountTokensAddress is not null && !deployment.Health.Cooling);
        if (target is not null && await AskAsync(context, target, body, head) is { } told)
        {
            await WriteAsync(context, told.Status, told.Body);
            return null;
        }

        context.Response.Headers["x-gateway-estimated"] = "true";
        var counted = TokenCounter.CountPrompt(body.Memory, grant.Group.Deployments[0].OpenAiModel);
        await WriteAsync(context, 200, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"input_tokens":{{counted}}}""")));
        return null;
    }

    /// <summary>The provider's count, or what it says is wrong with the request; null when it does not know.</summary>
    private async Task<(int Status, byte[] Body)?> AskAsync(HttpContext context, Deployment target, RequestBody body, RequestHead head)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        limit.CancelAfter(Limit);
        using var request = new HttpRequestMessage(HttpMethod.Post, target.CountTokensAddress);
        var passed = new SplicedContent(body.Memory, Splice.ForOpenAi(body.Span, head, target.ModelJson, forceStream: false, takesStreamOptions: false));
        request.Content = target.Protocol.WrapsPassed ? UpstreamRequest.Wrapped(passed, target, counts: true) : passed;
        try
        {
            var access = target.Target;
            UpstreamRequest.AddHeaders(context.Request, MessagesPassed.Instance, tables.Current.Configuration.General, target, access, request);
            await target.Protocol.SignAsync(access, request, default, limit.Token);
            using var reply = await upstream.SendAsync(request, limit.Token);
            await using var stream = await UpstreamClient.OpenAsync(reply.Content, limit.Token);
            var status = (int)reply.StatusCode;
            return status is 200 or 400 or 413 or 422 && await stream.ReadAllAsync(ReplyBytesMax, limit.Token) is { } told && ErrorText.IsFitJson(told) ? (status, told) : null;
        }
        catch (Exception failure) when (failure is CredentialException or HttpRequestException or IOException or InvalidDataException or OperationCanceledException && !context.RequestAborted.IsCancellationRequested)
        {
            return null;
        }
    }

    private static async Task WriteAsync(HttpContext context, int status, byte[] body)
    {
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }
}
