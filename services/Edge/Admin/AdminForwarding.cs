using Gateway.Contracts;
using Gateway.Edge.Admission;
using Gateway.ServiceDefaults;
using Yarp.ReverseProxy.Forwarder;

namespace Gateway.Edge.Admin;

/// <summary>
/// Forwards the admin API to the services that own it, so that a team and an admin know one address. The edge says who calls; what the
/// caller may do is decided by the service.
/// </summary>
internal static class AdminForwarding
{
    private static readonly (string Service, string[] Prefixes)[] Owners =
    [
        ("auth", ["/key", "/v2/key", "/team", "/user", "/organization", "/audit"]),
        ("ledger", ["/budget", "/provider/budgets"]),
        ("metering", ["/spend", "/global", "/usage", "/user/daily", "/team/daily"]),
    ];

    // What a service would take for the word of the one before it: the edge is that one, and passes on nobody's.
    private static readonly string[] s_forwarded = ["X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Forwarded-Prefix", "Forwarded"];

    private static readonly ForwarderRequestConfig Patience = new() { ActivityTimeout = TimeSpan.FromSeconds(60) };

    private static readonly GatewayError s_away = new(
        503, "temporarily_unavailable", "The service behind this route does not answer at the moment. Try again shortly.", RetryAfter: TimeSpan.FromSeconds(2));

    /// <summary>Whether a path is the admin API's.</summary>
    public static bool IsAdmin(string path) =>
        Array.Exists(Owners, owner => Array.Exists(owner.Prefixes, prefix => path == prefix || path.StartsWith(prefix + "/", StringComparison.Ordinal)));

    public static void AddAdminForwarding(this IHostApplicationBuilder builder)
    {
        // The forwarder alone: nothing here is balanced or reloaded, and an edge with all of YARP is ready later.
        builder.Services.AddHttpForwarderWithServiceDiscovery();
        builder.Services.AddSingleton<AdminRequestTransformer>();
    }

    public static void MapAdminForwarding(this WebApplication app)
    {
        var authentication = app.Services.GetRequiredService<Authentication>();
        var forwarder = app.Services.GetRequiredService<IHttpForwarder>();
        var transformer = app.Services.GetRequiredService<AdminRequestTransformer>();
        var client = app.Services.GetRequiredService<IForwarderHttpClientFactory>().CreateClient(new ForwarderHttpClientContext { NewConfig = new() });
        app.Lifetime.ApplicationStopped.Register(client.Dispose);
        foreach (var (service, prefixes) in Owners)
        {
            var address = $"http://{service}";
            foreach (var prefix in prefixes)
            {
                app.Map(prefix + "/{**rest}", ForwardAsync);
            }

            async Task ForwardAsync(HttpContext context)
            {
                var (caller, error) = await authentication.AuthenticateAsync(context.Request);
                if (caller is null)
                {
                    await error!.WriteAsync(context);
                    return;
                }

                if (!RouteGrant.Allows(caller.Snapshot, context.Request.Path))
                {
                    await RouteGrant.Denied.WriteAsync(context);
                    return;
                }

                context.Items[ServiceHeaders.Caller] = CallerIdentity.ToHeader(caller.Snapshot);
                if (await forwarder.SendAsync(context, address, client, Patience, transformer) != ForwarderError.None && !context.Response.HasStarted)
                {
                    await s_away.WriteAsync(context);
                }
            }
        }
    }

    /// <summary>Says who calls and that the edge asks. The key has done its work: the service never gets the key itself.</summary>
    private sealed class AdminRequestTransformer(ServiceSecret secret) : HttpTransformer
    {
        public override async ValueTask TransformRequestAsync(
            HttpContext httpContext, HttpRequestMessage proxyRequest, string destinationPrefix, CancellationToken cancellationToken)
        {
            await base.TransformRequestAsync(httpContext, proxyRequest, destinationPrefix, cancellationToken);
            var headers = proxyRequest.Headers;
            // The service's own name, not the one that the gateway was called by.
            headers.Host = null;
            headers.Remove("Authorization");
            foreach (var name in s_forwarded)
            {
                headers.Remove(name);
            }

            headers.Remove(ServiceHeaders.Secret);
            headers.Remove(ServiceHeaders.Caller);
            headers.Add(ServiceHeaders.Secret, secret.Value);
            headers.Add(ServiceHeaders.Caller, (string)httpContext.Items[ServiceHeaders.Caller]!);
        }
    }
}
