using System.Net.Http.Headers;

namespace Gateway.Edge.Providers.Vertex;

/// <summary>Where Vertex AI's models are, whoever made them, and the token that it wants.</summary>
internal static class VertexAccess
{
    private static readonly ServiceAccountTokens Tokens = new(TimeProvider.System);

    /// <summary>The address of a verb on a model.</summary>
    /// <param name="target">Base address, project and location.</param>
    /// <param name="publisher">Who made the model: <c>google</c>, <c>anthropic</c>.</param>
    /// <param name="model">The model, with its version behind an <c>@</c> where it has one.</param>
    /// <param name="verb">With its colon.</param>
    public static Uri AddressOf(ProviderTarget target, string publisher, string model, string verb)
    {
        var path = target.BaseAddress.AbsolutePath.TrimEnd('/');
        var location = target.Cloud?.Region ?? "global";
        var name = Uri.EscapeDataString(model).Replace("%40", "@", StringComparison.Ordinal);
        var rest = path switch
        {
            _ when path.Contains("/publishers/", StringComparison.Ordinal) => $"models/{name}{verb}",
            _ when path.Contains("/projects/", StringComparison.Ordinal) => $"publishers/{publisher}/models/{name}{verb}",
            _ => $"{target.ApiVersion ?? "v1"}/projects/{target.Cloud?.Project}/locations/{location}/publishers/{publisher}/models/{name}{verb}",
        };
        return target.Under(rest);
    }

    /// <summary>Adds the token: one that somebody fetched already, or one of the service account.</summary>
    /// <exception cref="CredentialException">None could be had.</exception>
    public static ValueTask SignAsync(ProviderTarget target, HttpRequestMessage request, CancellationToken cancellation)
    {
        var credentials = target.Cloud?.Credentials ?? target.ApiKey;
        if (string.IsNullOrEmpty(credentials))
        {
            return default;
        }

        if (credentials.StartsWith("ya29.", StringComparison.Ordinal))
        {
            // The header's own check would quote it.
            if (credentials.Any(char.IsControl))
            {
                throw new CredentialException("The token is not fit for a header: it has a line break or another control character.");
            }

            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", credentials);
            return default;
        }

        var token = Tokens.GetAsync(credentials, cancellation);
        if (token.IsCompletedSuccessfully)
        {
            request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token.GetAwaiter().GetResult());
            return default;
        }

        return AddAsync(request, token);
    }

    private static async ValueTask AddAsync(HttpRequestMessage request, ValueTask<string> token) =>
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", await token);
}
