using Gateway.Contracts;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Files;

/// <summary>Calls a provider's files and batches: with the gateway's credential, in a bounded time, and what has a body never twice.</summary>
internal sealed class ProviderStore(UpstreamClient upstream, RoutingTables tables)
{
    /// <summary>The largest answer in JSON.</summary>
    private const int BytesMax = 1 << 20;

    /// <summary>How long a call may take that is answered in JSON.</summary>
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    /// <summary>The deployment that has something of the caller's; null when it is gone, or its model is not the caller's any more.</summary>
    public Deployment? Of(Caller caller, string model, string deploymentId) =>
        caller.Find(model, tables.Current) is { Granted: true } grant ? Array.Find(grant.Group.Deployments, deployment => deployment.Id == deploymentId) : null;

    /// <summary>Whether two deployments keep their files in the same place: one's are the other's.</summary>
    public static bool IsSameAccount(Deployment one, Deployment other) => AccountOf(one) is { Files: not null } account && account == AccountOf(other);

    /// <summary>Where a deployment keeps files (null: nowhere), and as whom.</summary>
    public static (Uri? Files, string? Key) AccountOf(Deployment deployment) => (deployment.StoreAddress("files"), deployment.Target.ApiKey);

    /// <summary>The deployment as a batch was submitted to it, with the credential of then; null when it is gone.</summary>
    public Deployment? Of(ProviderBatch batch)
    {
        var table = tables.Current;
        if (table.Find(batch.Model) is not { } group || Array.Find(group.Deployments, deployment => deployment.Id == batch.DeploymentId) is not { } target)
        {
            return null;
        }

        return batch.Submission.Credential is { } credential && credential != target.CredentialName
            ? Array.Find(table.With(group, new Dictionary<string, string> { [target.Id] = credential }).Deployments, deployment => deployment.Id == batch.DeploymentId)
            : target;
    }

    /// <summary>Sends a request and gives its answer's head. The caller disposes it.</summary>
    /// <param name="target">Whose provider.</param>
    /// <param name="method">How.</param>
    /// <param name="path">What is asked for: <c>files</c>, <c>batches?limit=100</c>.</param>
    /// <param name="content">The body; null for none.</param>
    /// <param name="cancellation">Ends the call.</param>
    /// <exception cref="CredentialException">There is no credential that could be sent.</exception>
    public async Task<HttpResponseMessage> SendAsync(Deployment target, HttpMethod method, string path, HttpContent? content, CancellationToken cancellation)
    {
        var query = path.IndexOf('?', StringComparison.Ordinal);
        var address = target.StoreAddress(query < 0 ? path : path[..query]) ?? throw new InvalidOperationException($"The provider of {target.Id} keeps no files.");
        if (query >= 0)
        {
            // What the configuration puts there stays.
            address = new UriBuilder(address) { Query = $"{address.Query.TrimStart('?')}{(address.Query.Length > 1 ? "&" : "")}{path[(query + 1)..]}" }.Uri;
        }

        var access = target.Target;
        using var request = new HttpRequestMessage(method, address) { Content = content };
        UpstreamRequest.AddHeaders(access, target, request);
        await target.Protocol.SignAsync(access, request, default, cancellation);
        return await upstream.SendAsync(request, cancellation);
    }

    /// <summary>Sends a request that is answered in JSON; what the provider refuses or fails at is an error for the caller.</summary>
    public async Task<(byte[] Json, GatewayError? Error)> AskAsync(Deployment target, HttpMethod method, string path, HttpContent? content, CancellationToken cancellation, TimeSpan? limit = null)
    {
        using var timer = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        timer.CancelAfter(limit ?? Limit);
        try
        {
            var access = target.Target;
            var (status, body) = await ExchangeAsync(target, method, path, content, timer.Token);

            // What has no body can be said again: the credential may have been rotated.
            if (status == 401 && content is null && await target.CredentialRenewedAsync(access, timer.Token))
            {
                (status, body) = await ExchangeAsync(target, method, path, null, timer.Token);
            }

            return status is >= 200 and < 300 ? (body, null) : ([], ErrorOf(target, status, body));
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return ([], new GatewayError(504, "provider_timeout", "The provider did not answer in time."));
        }
    }

    private async Task<(int Status, byte[] Body)> ExchangeAsync(Deployment target, HttpMethod method, string path, HttpContent? content, CancellationToken cancellation)
    {
        using var reply = await SendAsync(target, method, path, content, cancellation);
        return ((int)reply.StatusCode, await ReadAsync(reply.Content, cancellation));
    }

    /// <summary>What a provider's error is to the caller. One about the gateway's credential or the provider's state is not told in its words.</summary>
    public static GatewayError ErrorOf(Deployment target, int status, ReadOnlySpan<byte> body) =>
        AttemptResult.Of(target.Protocol.ReadError(status, body), status, null).Error!;

    /// <summary>Reads an answer, no more than a bound of it.</summary>
    public static async Task<byte[]> ReadAsync(HttpContent content, CancellationToken cancellation)
    {
        await using var body = await UpstreamClient.OpenAsync(content, cancellation);
        using var bytes = new MemoryStream();
        var buffer = new byte[16 * 1024];
        int read;
        while (bytes.Length < BytesMax && (read = await body.ReadAsync(buffer, cancellation)) > 0)
        {
            bytes.Write(buffer, 0, read);
        }

        return bytes.ToArray();
    }
}
