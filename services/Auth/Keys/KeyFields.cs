using Gateway.Auth.Requests;

namespace Gateway.Auth.Keys;

/// <summary>Reads <c>/key/generate</c>'s and <c>/key/update</c>'s fields over what holds already.</summary>
internal static class KeyFields
{
    private static readonly Dictionary<string, string[]?> RoutesOfType = new(StringComparer.Ordinal)
    {
        ["default"] = null,
        ["llm_api"] = ["llm_api_routes"],
        ["management"] = ["management_routes"],
        ["read_only"] = ["info_routes"],
    };

    public static KeyRecord Apply(RequestBody body, KeyRecord before, DateTimeOffset now)
    {
        var type = body.Text("key_type", before.KeyType) ?? "default";
        if (!RoutesOfType.TryGetValue(type, out var typeRoutes))
        {
            body.Problem("key_type", "must be default, llm_api, management or read_only.");
        }

        var routes = body.Has("key_type") && type != before.KeyType ? typeRoutes : before.AllowedRoutes;
        if (body.Texts("allowed_routes", null) is { Length: > 0 } own)
        {
            routes = own;
        }
        else if (body.Has("allowed_routes") && type == "default")
        {
            routes = null;
        }

        var after = before with
        {
            KeyAlias = body.Text("key_alias", before.KeyAlias),
            UserId = body.Id("user_id", before.UserId),
            TeamId = body.Id("team_id", before.TeamId),
            OrganizationId = body.Id("organization_id", before.OrganizationId),
            Allowance = AllowanceFields.Apply(body, before.Allowance),
            Expires = Expires(body, before.Expires, now),
            KeyType = type,
            AllowedRoutes = routes,
            Tags = body.Texts("tags", before.Tags) ?? [],
            Aliases = body.Object("aliases", before.Aliases),
            Metadata = body.Object("metadata", before.Metadata),
            Blocked = body.Flag("blocked", before.Blocked),
        };

        if (body.Has("aliases") && after.Aliases != "{}")
        {
            body.Warn("aliases: stored, but not applied to requests by this version.");
        }

        return after;
    }

    private static DateTimeOffset? Expires(RequestBody body, DateTimeOffset? before, DateTimeOffset now)
    {
        if (!body.Has("duration"))
        {
            return before;
        }

        if (body.Text("duration") is not { } duration)
        {
            return null;
        }

        if (KeyLifetime.TryEnd(duration, now, out var end))
        {
            return end;
        }

        body.Problem("duration", "must be a time such as 30s, 30m, 12h, 30d, 1mo or 1y, or -1 for ever.");
        return before;
    }
}
