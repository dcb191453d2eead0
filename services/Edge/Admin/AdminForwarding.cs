using Gateway.Contracts;
using Gateway.Edge.Admission;
using Gateway.ServiceDefaults;
using Yarp.ReverseProxy.Configuration;
using Yarp.ReverseProxy.Transforms;

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

    /// <summary>Whether a path is the admin API's.</summary>
    public static bool IsAdmin(string path) =>
        Array.Exists(Owners, owner => Array.Exists(owner.Prefixes, prefix => path == prefix || path.StartsWith(prefix + "/", StringComparison.Ordinal)));

    public static void AddAdminForwarding(this IHostApplicationBuilder builder)
    {
        var routes = Owners.SelectMany(static owner => owner.Prefixes.Select(prefix => new RouteConfig
        {
            RouteId = prefix,
            ClusterId = owner.Service,
            // The longer prefix is the more particular one.
            Order = -prefix.Length,
            Match = new RouteMatch { Path = prefix + "/{**rest}" },
        }));
        var clusters = Owners.Select(static owner => new ClusterConfig
        {
            ClusterId = owner.Service,
            Destinations = new Dictionary<string, DestinationConfig> { ["service"] = new() { Address = $"http://{owner.Service}" } },
            HttpRequest = new() { ActivityTimeout = TimeSpan.FromSeconds(60) },
        });
        builder.Services.AddReverseProxy()
            .LoadFromMemory([.. routes], [.. clusters])
            .AddServiceDiscoveryDestinationResolver()
            .AddTransforms(transforms =>
            {
                var secret = transforms.Services.GetRequiredService<ServiceSecret>();
                transforms.AddRequestTransform(context =>
                {
                    var headers = context.ProxyRequest.Headers;
                    headers.Remove(ServiceHeaders.Secret);
                    headers.Remove(ServiceHeaders.Caller);
                    // The key has done its work: the service gets who calls, and never the key itself.
                    headers.Remove("Authorization");
                    headers.Add(ServiceHeaders.Secret, secret.Value);
                    headers.Add(ServiceHeaders.Caller, (string)context.HttpContext.Items[ServiceHeaders.Caller]!);
                    return ValueTask.CompletedTask;
                });
            });
    }

    public static void MapAdminForwarding(this WebApplication app) => app.MapReverseProxy(proxy => proxy.Use(async (context, next) =>
    {
        var authentication = context.RequestServices.GetRequiredService<Authentication>();
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
        await next();
        if (context.GetForwarderErrorFeature() is not null && !context.Response.HasStarted)
        {
            await new GatewayError(
                503, "temporarily_unavailable", "The service behind this route does not answer at the moment. Try again shortly.", RetryAfter: TimeSpan.FromSeconds(2)).WriteAsync(context);
        }
    }));
}
