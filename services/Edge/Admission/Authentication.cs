using Gateway.Edge.Admission.Access;
using Microsoft.AspNetCore.Connections.Features;

namespace Gateway.Edge.Admission;

/// <summary>Finds out who calls: <c>Authorization: Bearer</c>, or one of the headers that other providers' clients send.</summary>
internal sealed class Authentication(KeyCache keys, Routing.RoutingTables tables, TimeProvider time)
{
    private static readonly string[] OtherHeaders = ["x-api-key", "api-key", "x-goog-api-key", "x-litellm-api-key", "Ocp-Apim-Subscription-Key"];

    /// <summary>The caller, or why there is none. Completes at once for a key that is known.</summary>
    public async ValueTask<(Caller? Caller, GatewayError? Error)> AuthenticateAsync(HttpRequest request)
    {
        if (HeaderOf(request) is not { Length: > 0 } header)
        {
            return (null, GatewayError.MissingKey);
        }

        if (Hashed(request, header) is not { } sent)
        {
            return (null, GatewayError.InvalidKey);
        }

        if (!keys.TryGet(sent.Hash, out var caller))
        {
            // A key that was known is not believed for ever without Auth's word, and is then asked for again.
            (var state, caller) = await keys.ResolveAsync(sent.Hash, sent.Key);
            if (state == KeyState.Unknown)
            {
                return (null, GatewayError.InvalidKey);
            }

            if (state == KeyState.Unavailable)
            {
                return (null, GatewayError.AuthUnavailable);
            }
        }

        return caller!.Refusal(time.GetUtcNow()) is { } code ? (null, GatewayError.OfKey(code)) : (caller, null);
    }

    private string? HeaderOf(HttpRequest request)
    {
        var headers = request.Headers;
        if (tables.Current.Configuration.General.KeyHeaderName is { } name && headers.TryGetValue(name, out var named) && named is [{ Length: > 0 } own])
        {
            return own;
        }

        if (headers.Authorization is [{ Length: > 0 } authorization])
        {
            return authorization;
        }

        foreach (var other in OtherHeaders)
        {
            if (headers.TryGetValue(other, out var value) && value is [{ Length: > 0 } key])
            {
                return key;
            }
        }

        return null;
    }

    // A connection mostly sends the same key again, and the server then hands out the very same text: it is not hashed again. Not where
    // requests share a connection at the same time (HTTP/2), because its items are made for one at a time.
    private static SentKey? Hashed(HttpRequest request, string header)
    {
        var items = HttpProtocol.IsHttp11(request.Protocol) ? request.HttpContext.Features.Get<IConnectionItemsFeature>()?.Items : null;
        if (items is not null && items.TryGetValue(SentKey.Slot, out var item) && item is SentKey last && ReferenceEquals(last.Header, header))
        {
            return last;
        }

        var key = header.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? header[7..].Trim() : header.Trim();
        if (key.Length is 0 or > KeyHash.KeyCharactersMax)
        {
            return null;
        }

        var sent = new SentKey(header, key, KeyHash.Of(key));
        items?[SentKey.Slot] = sent;
        return sent;
    }

    /// <summary>What a connection sent last.</summary>
    private sealed record SentKey(string Header, string Key, KeyHash Hash)
    {
        public static readonly object Slot = new();
    }
}
