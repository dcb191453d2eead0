using System.Globalization;
using System.Text.Json.Nodes;

namespace Gateway.TestKit.Providers;

/// <summary>Azure Key Vault with the token service of an application and the identities of an app and of a machine.</summary>
public sealed class ScriptedKeyVault : ScriptedSecretStore
{
    public const string TenantId = "tenant-of-the-tests";
    public const string ClientId = "client-of-the-tests";
    public const string ClientSecret = "client-secret-of-the-tests";
    public const string PodToken = "token-of-the-pod";
    public const string IdentityHeader = "header-of-the-app";

    private const string Resource = "https://vault.azure.net";

    private int tokens;
    private int revoked;

    private ScriptedKeyVault(ScriptedProvider server)
        : base(server)
    {
    }

    /// <summary>How often a token was given.</summary>
    public int Tokens => Volatile.Read(ref tokens);

    public static async Task<ScriptedKeyVault> Start() => new(await ScriptedProvider.Start());

    /// <summary>Takes back every token that was given.</summary>
    public void RevokeTokens() => Volatile.Write(ref revoked, Tokens);

    private protected override Reply Answer(ReceivedRequest request)
    {
        var query = Fields(request.Query.TrimStart('?'));
        switch (request.Path)
        {
            case $"/{TenantId}/oauth2/v2.0/token":
                var form = Fields(request.Text);
                return form["grant_type"] == "client_credentials" && form["client_id"] == ClientId && form["scope"] == Resource + "/.default"
                    && (form.GetValueOrDefault("client_secret") == ClientSecret
                        || (form.GetValueOrDefault("client_assertion") == PodToken && form["client_assertion_type"] == "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"))
                    ? Token("3599") : Reply.Json(401, """{"error":"invalid_client"}""");
            case "/app":
                return request.Headers.GetValueOrDefault("X-IDENTITY-HEADER") == IdentityHeader && query["resource"] == Resource && query["api-version"] == "2019-08-01"
                    ? Token("\"3599\"") : Reply.Json(401, "{}");
            case "/metadata/identity/oauth2/token":
                return request.Headers.GetValueOrDefault("Metadata") == "true" && query["resource"] == Resource && query["api-version"] == "2018-02-01"
                    ? Token("\"3599\"") : Reply.Json(400, "{}");
        }

        const string bearer = "Bearer token-";
        if (request.Headers.GetValueOrDefault("Authorization") is not { } given || !given.StartsWith(bearer, StringComparison.Ordinal)
            || int.Parse(given[bearer.Length..], CultureInfo.InvariantCulture) <= Volatile.Read(ref revoked))
        {
            return Reply.Json(401, """{"error":{"code":"Unauthorized"}}""");
        }

        return Refuses ? Reply.Json(403, """{"error":{"code":"Forbidden"}}""")
            : request.Path.Split('/') is ["", "secrets", var name] && query.ContainsKey("api-version") && Secrets.TryGetValue(name, out var secret)
                ? Reply.Json(200, new JsonObject { ["value"] = secret, ["id"] = $"{Url}/secrets/{name}/1" }.ToJsonString())
            : Reply.Json(404, """{"error":{"code":"SecretNotFound"}}""");
    }

    private Reply Token(string expiresIn) => Reply.Json(200, $$"""{"token_type":"Bearer","access_token":"token-{{Interlocked.Increment(ref tokens)}}","expires_in":{{expiresIn}}}""");

    private static Dictionary<string, string> Fields(string form) => form.Split('&', StringSplitOptions.RemoveEmptyEntries).Select(static pair => pair.Split('=', 2))
        .ToDictionary(static pair => Uri.UnescapeDataString(pair[0]), static pair => Uri.UnescapeDataString(pair[1]));
}
