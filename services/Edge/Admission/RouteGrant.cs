using Gateway.Contracts;

namespace Gateway.Edge.Admission;

/// <summary>Which routes a key may call (LiteLLM's <c>allowed_routes</c>): paths, prefixes that end in a star, or the names of groups.</summary>
internal static class RouteGrant
{
    /// <summary>Paths that go on with the model's name.</summary>
    private static readonly string[] NamingModels = ["/openai/deployments/", "/engines/"];

    public static readonly GatewayError Denied = new(403, "route_access_denied", "This key may not call this route.");

    /// <summary>Whether the key may call <paramref name="path"/>, with or without <c>/v1</c>.</summary>
    public static bool Allows(AccessSnapshot caller, PathString path)
    {
        if (caller.AllowedRoutes is not { Length: > 0 } routes)
        {
            return true;
        }

        var called = Bare(path.Value ?? "");
        foreach (var route in routes)
        {
            var allowed = route switch
            {
                "llm_api_routes" or "openai_routes" => !AdminPath(called),
                "management_routes" => AdminPath(called),
                "info_routes" => called.EndsWith("/info", StringComparison.Ordinal) || called.EndsWith("/list", StringComparison.Ordinal) || called == "/models",
                _ when route.EndsWith('*') => called.StartsWith(Bare(route[..^1]), StringComparison.Ordinal),
                _ => called == Bare(route),
            };
            if (allowed)
            {
                return true;
            }
        }

        return false;
    }

    private static bool AdminPath(string path) => Admin.AdminForwarding.IsAdmin(path);

    // A route that may be called may be called at its other paths too.
    private static string Bare(string path)
    {
        foreach (var prefix in NamingModels)
        {
            if (path.StartsWith(prefix, StringComparison.Ordinal) && path.IndexOf('/', prefix.Length) is > 0 and var end)
            {
                return path[end..];
            }
        }

        // Gemini's verb stands behind the model's name.
        foreach (var prefix in (ReadOnlySpan<string>)["/v1beta/models/", "/v1/models/"])
        {
            if (path.StartsWith(prefix, StringComparison.Ordinal) && path.LastIndexOf(':') is > 0 and var verb)
            {
                return "/v1beta/models" + path[verb..];
            }
        }

        return path.StartsWith("/v1/", StringComparison.Ordinal) || path.StartsWith("/v2/", StringComparison.Ordinal) ? path[3..] : path;
    }
}
