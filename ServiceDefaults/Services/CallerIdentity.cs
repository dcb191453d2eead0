using System.Text.Json;
using Gateway.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Gateway.ServiceDefaults;

/// <summary>
/// Who calls an admin route. The edge authenticated the caller and sends its snapshot along (<see cref="ServiceHeaders.Caller"/>); the route
/// trusts it because the request also proves to come from a service.
/// </summary>
public static class CallerIdentity
{
    private static readonly object Key = new();

    /// <summary>The caller; null when the request names none.</summary>
    public static AccessSnapshot? From(HttpContext context)
    {
        if (context.Items.TryGetValue(Key, out var known))
        {
            return (AccessSnapshot?)known;
        }

        AccessSnapshot? caller = null;
        if (context.Request.Headers[ServiceHeaders.Caller] is [{ Length: > 0 } text])
        {
            try
            {
                caller = JsonSerializer.Deserialize(Convert.FromBase64String(text), ContractsJson.Default.AccessSnapshot);
            }
            catch (Exception error) when (error is FormatException or JsonException)
            {
                // An edge of another version: treated as a caller that is not known, so refused.
            }
        }

        context.Items[Key] = caller;
        return caller;
    }

    /// <summary>The header's value for <paramref name="caller"/>.</summary>
    public static string ToHeader(AccessSnapshot caller) =>
        Convert.ToBase64String(JsonSerializer.SerializeToUtf8Bytes(caller, ContractsJson.Default.AccessSnapshot));

    /// <summary>Lets through only requests that an edge forwards for an authenticated caller (401 <c>invalid_api_key</c> else).</summary>
    public static TBuilder RequireCaller<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder =>
        endpoints.RequireService().Where(static caller => caller is not null, 401, "invalid_api_key", "This route needs an API key: Authorization: Bearer <key>.");

    /// <summary>Lets through only administrators; viewers too where nothing is changed (GET). Others get 403 <c>route_access_denied</c>.</summary>
    public static TBuilder RequireAdmin<TBuilder>(this TBuilder endpoints)
        where TBuilder : IEndpointConventionBuilder =>
        endpoints.RequireCaller().Where(
            static caller => caller?.Role is CallerRole.ProxyAdmin, 403, "route_access_denied", "This route is for the platform's administrators: call it with the master key.",
            static (context, caller) => caller?.Role is CallerRole.ProxyAdminViewer && HttpMethods.IsGet(context.Request.Method));

    private static TBuilder Where<TBuilder>(
        this TBuilder endpoints, Func<AccessSnapshot?, bool> allowed, int status, string code, string message, Func<HttpContext, AccessSnapshot?, bool>? alsoAllowed = null)
        where TBuilder : IEndpointConventionBuilder
    {
        EndpointFilterExtensions.AddEndpointFilterFactory(endpoints, (_, next) => context =>
        {
            var caller = From(context.HttpContext);
            return allowed(caller) || (alsoAllowed?.Invoke(context.HttpContext, caller) ?? false)
                ? next(context)
                : ValueTask.FromResult<object?>(Problems.Result(status, code, message));
        });
        return endpoints;
    }
}
