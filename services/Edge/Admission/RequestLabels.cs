using Gateway.Configuration;
using Gateway.Edge.Flow;

namespace Gateway.Edge.Admission;

/// <summary>
/// The tags of a request and its end user. A caller's tags (<c>metadata.tags</c>, <c>x-litellm-tags</c>) come on top of its key's: they put
/// a request under more budgets and never under fewer.
/// </summary>
internal static class RequestLabels
{
    /// <summary>The most tags that a caller may send with one request.</summary>
    public const int TagsMax = 16;

    /// <summary>The most characters of a tag or an end user: they become names of budgets.</summary>
    public const int CharactersMax = 256;

    private static readonly string[] EndUserHeaders = ["x-litellm-end-user-id", "x-litellm-customer-id"];

    /// <summary>Notes both on the exchange; the error says what is wrong with them.</summary>
    public static GatewayError? Read(RequestExchange exchange, GeneralSettings settings)
    {
        var headers = exchange.Context.Request.Headers;
        exchange.EndUser = EndUser(headers, settings.UserHeaderName) ?? exchange.Head.User;
        if (exchange.EndUser is { } endUser && !IsName(endUser))
        {
            return Wrong("user", "The end user");
        }

        if (exchange.EndUser is null && settings.EnforceUserParam)
        {
            return new GatewayError(400, "invalid_request", "This gateway wants to know for whom a request is: name the end user in the field user.", "user");
        }

        exchange.Tags = exchange.Caller.Snapshot.Tags;
        var own = exchange.Head.Tags;
        if (headers.TryGetValue("x-litellm-tags", out var header))
        {
            foreach (var tag in header.ToString().Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                (own ??= []).Add(tag);
            }
        }

        if (own is null)
        {
            return null;
        }

        if (settings.RejectClientsideTags)
        {
            return new GatewayError(400, "invalid_request", "Tags come from the key alone on this gateway: leave metadata.tags and x-litellm-tags out.", "metadata.tags");
        }

        if (own.Count > TagsMax)
        {
            return new GatewayError(400, "invalid_request", $"A request may have at most {TagsMax} tags of its own.", "metadata.tags");
        }

        if (!own.TrueForAll(IsName))
        {
            return Wrong("metadata.tags", "A tag");
        }

        exchange.Tags = [.. exchange.Tags.Union(own, StringComparer.Ordinal)];
        return null;
    }

    private static string? EndUser(IHeaderDictionary headers, string? configured)
    {
        if (configured is not null && headers.TryGetValue(configured, out var named) && named is [{ Length: > 0 } own])
        {
            return own;
        }

        foreach (var name in EndUserHeaders)
        {
            if (headers.TryGetValue(name, out var value) && value is [{ Length: > 0 } endUser])
            {
                return endUser;
            }
        }

        return null;
    }

    private static bool IsName(string text) => text.Length is > 0 and <= CharactersMax && !text.Any(char.IsControl);

    private static GatewayError Wrong(string param, string what) =>
        new(400, "invalid_request", $"{what} must have 1 to {CharactersMax} characters and no control characters.", param);
}
