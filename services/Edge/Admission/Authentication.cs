using Gateway.Edge.Admission.Access;
using Microsoft.Extensions.Primitives;

namespace Gateway.Edge.Admission;

/// <summary>Finds out who calls: <c>Authorization: Bearer</c>, or one of the headers that other providers' clients send.</summary>
internal sealed class Authentication(KeyCache keys, Routing.RoutingTables tables, TimeProvider time)
{
    private static readonly string[] OtherHeaders = ["x-api-key", "api-key", "x-goog-api-key", "x-litellm-api-key", "Ocp-Apim-Subscription-Key"];

    /// <summary>The caller, or why there is none. Completes at once for a key that is known.</summary>
    public async ValueTask<(Caller? Caller, GatewayError? Error)> AuthenticateAsync(HttpRequest request)
    {
        if (KeyOf(request) is not { Length: > 0 } key)
        {
            return (null, GatewayError.MissingKey);
        }

        if (key.Length > KeyHash.KeyCharactersMax)
        {
            return (null, GatewayError.InvalidKey);
        }

        var hash = KeyHash.Of(key);
        if (!keys.TryGet(hash, out var caller))
        {
            // A key that was known is not believed for ever without Auth's word, and is then asked for again.
            (var state, caller) = await keys.ResolveAsync(hash, key);
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

    private string? KeyOf(HttpRequest request)
    {
        var headers = request.Headers;
        if (tables.Current.Configuration.General.KeyHeaderName is { } name && headers.TryGetValue(name, out var named) && named is [{ Length: > 0 } own])
        {
            return Bare(own);
        }

        if (headers.Authorization is [{ Length: > 0 } authorization])
        {
            return Bare(authorization);
        }

        foreach (var other in OtherHeaders)
        {
            if (headers.TryGetValue(other, out var value) && value is [{ Length: > 0 } key])
            {
                return Bare(key);
            }
        }

        return null;
    }

    private static string Bare(string value) =>
        value.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? value[7..].Trim() : value.Trim();
}
