using System.Globalization;
using System.Text;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Chat;

/// <summary>
/// The tokens of a request that is not sent: costs nothing, and counts as a request under the limits of its caller. A provider of the client's own protocol is asked, byte for byte; the tokens of
/// any other are counted here, which a header says. A provider that does not answer leaves the counting to the gateway, too.
/// </summary>
internal sealed class CountTokens(FreeRoute route, RoutingTables tables, UpstreamClient upstream, ICountedSurface counted)
{
    private const int ReplyBytesMax = 64 * 1024;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(10);

    private readonly IChatSurface surface = counted.Surface;

    /// <summary>Handles a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="modelInPath">The model, where the path names it and not the body.</param>
    public Task HandleAsync(HttpContext context, string? modelInPath = null) =>
        route.HandleAsync(context, (_, caller) => AnswerAsync(context, caller, modelInPath), surface);

    private async Task<GatewayError?> AnswerAsync(HttpContext context, Caller caller, string? modelInPath)
    {
        var table = tables.Current;
        if (await RequestBody.ReadAsync(context.Request, table.Configuration.General.MaxRequestBytes, context.RequestAborted) is not { } read)
        {
            return GatewayError.TooLarge(table.Configuration.General.MaxRequestBytes);
        }

        using var body = read;
        if (surface.ReadHead(body.Memory, out var head) is { } wrong)
        {
            return wrong;
        }

        head.ModelName = modelInPath ?? head.ModelName;
        if (caller.Find(head.ModelName, table) is not { Granted: true } grant)
        {
            return new GatewayError(404, "model_not_found", "There is no such model among those that this key may use. GET /v1/models lists them.", "model");
        }

        var target = Array.Find(grant.Group.Deployments, deployment => counted.Address(deployment) is not null && !deployment.Health.Cooling);
        if (target is not null && await AskAsync(context, target, body, head) is { } told)
        {
            await WriteAsync(context, told.Status, told.Body);
            return null;
        }

        context.Response.Headers["x-gateway-estimated"] = "true";
        var tokens = TokenCounter.CountPrompt(counted.Prompt(body.Memory), grant.Group.Deployments[0].OpenAiModel);
        await WriteAsync(context, 200, Encoding.UTF8.GetBytes(string.Create(CultureInfo.InvariantCulture, $$"""{"{{counted.Member}}":{{tokens}}}""")));
        return null;
    }

    /// <summary>The provider's count, or what it says is wrong with the request; null when it does not know.</summary>
    private async Task<(int Status, byte[] Body)?> AskAsync(HttpContext context, Deployment target, RequestBody body, RequestHead head)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        limit.CancelAfter(Limit);
        using var request = new HttpRequestMessage(HttpMethod.Post, counted.Address(target));
        var passed = new SplicedContent(body.Memory, counted.Splices(body.Memory, head, target));
        request.Content = target.Protocol.WrapsPassed ? UpstreamRequest.Wrapped(passed, target, counts: true) : passed;
        try
        {
            var access = target.Target;
            UpstreamRequest.AddHeaders(context.Request, surface.Passed, tables.Current.Configuration.General, target, access, request);
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

/// <summary>How a surface's client asks for the tokens of a request, and is told.</summary>
internal interface ICountedSurface
{
    IChatSurface Surface { get; }

    /// <summary>The member of the answer that has the number.</summary>
    string Member { get; }

    /// <summary>Where a provider counts them; null when it does not.</summary>
    Uri? Address(Deployment target);

    /// <summary>What is changed in a request that a provider counts.</summary>
    List<Splice> Splices(ReadOnlyMemory<byte> body, in RequestHead head, Deployment target);

    /// <summary>What is counted here of a request.</summary>
    ReadOnlyMemory<byte> Prompt(ReadOnlyMemory<byte> body) => body;
}
