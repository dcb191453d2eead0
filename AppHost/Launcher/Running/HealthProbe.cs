using Aspire.Hosting.ApplicationModel;

namespace Gateway.Launcher.Running;

/// <summary>Asks a program whether it is healthy: WithHttpHealthCheck, else whether its port accepts, else that it runs.</summary>
internal static class HealthProbe
{
    private static readonly HttpClient s_client = new(new SocketsHttpHandler { UseProxy = false, AllowAutoRedirect = false })
    {
        Timeout = TimeSpan.FromSeconds(3),
    };

    public static Func<CancellationToken, Task<bool>> For(IResource resource, IReadOnlyList<EndpointAnnotation> endpoints, int replica)
    {
        var checks = resource.Annotations.OfType<HttpHealthCheckAnnotation>()
            .Select(check => (check, Endpoint: endpoints.FirstOrDefault(endpoint => endpoint.Name == (check.EndpointName ?? "http"))
                ?? throw new LaunchException($"{resource.Name} has a health check but no endpoint {check.EndpointName ?? "http"}: add WithHttpEndpoint().")))
            .Select(found => (Url: $"http://127.0.0.1:{found.Endpoint.ReplicaPorts[replica]}{found.check.Path}", found.check.StatusCode))
            .ToList();
        if (checks.Count > 0)
        {
            return async cancellation =>
            {
                foreach (var (url, statusCode) in checks)
                {
                    if (!await AnswersAsync(url, statusCode, cancellation))
                    {
                        return false;
                    }
                }

                return true;
            };
        }

        return endpoints.Count == 0
            ? static _ => Task.FromResult(true)
            : cancellation => new ExternalAddress("127.0.0.1", endpoints[0].ReplicaPorts[replica]).AcceptsAsync(cancellation);
    }

    /// <summary>Whether a GET answers with this status within the limit of 3 s.</summary>
    public static async Task<bool> AnswersAsync(string url, int statusCode, CancellationToken cancellation)
    {
        try
        {
            using var answer = await s_client.GetAsync(new Uri(url), HttpCompletionOption.ResponseHeadersRead, cancellation);
            return (int)answer.StatusCode == statusCode;
        }
        catch (Exception e) when (e is HttpRequestException || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return false;
        }
    }
}
