using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Gateway.TestKit.Providers;

/// <summary>
/// Google Secret Manager with the token service of a service account, whose assertions it checks, and a machine's metadata server. Secrets are written by their name in
/// <see cref="Project"/>.
/// </summary>
public sealed class ScriptedGoogleSecrets : ScriptedSecretStore
{
    public const string Project = "project-of-the-tests";
    private const string Email = "edge@project-of-the-tests.iam.gserviceaccount.com";

    // One for all: making one is slow.
    private static readonly RSA Key = RSA.Create(2048);

    private int tokens;
    private int revoked;

    private ScriptedGoogleSecrets(ScriptedProvider server)
        : base(server)
    {
    }

    /// <summary>How often a token was given.</summary>
    public int Tokens => Volatile.Read(ref tokens);

    /// <summary>What stands in a service account's file.</summary>
    public string ServiceAccount => JsonSerializer.Serialize(new { client_email = Email, private_key = Key.ExportPkcs8PrivateKeyPem(), token_uri = Url + "/token" });

    public static async Task<ScriptedGoogleSecrets> Start() => new(await ScriptedProvider.Start());

    /// <summary>Takes back every token that was given.</summary>
    public void RevokeTokens() => Volatile.Write(ref revoked, Tokens);

    private protected override Reply Answer(ReceivedRequest request)
    {
        switch (request.Path)
        {
            case "/token":
                var assertion = request.Text.Split('&').Select(static pair => pair.Split('=', 2)).First(static pair => pair[0] == "assertion")[1];
                return IsSigned(assertion) ? Token() : Reply.Json(400, """{"error":"invalid_grant"}""");
            case "/computeMetadata/v1/instance/service-accounts/default/token":
                return request.Headers.GetValueOrDefault("Metadata-Flavor") == "Google" ? Token() : Reply.Text(403, "Missing Metadata-Flavor:Google header.");
        }

        const string bearer = "Bearer ya29.tests-";
        if (request.Headers.GetValueOrDefault("Authorization") is not { } given || !given.StartsWith(bearer, StringComparison.Ordinal)
            || int.Parse(given[bearer.Length..], CultureInfo.InvariantCulture) <= Volatile.Read(ref revoked))
        {
            return Reply.Json(401, """{"error":{"code":401,"status":"UNAUTHENTICATED"}}""");
        }

        return Refuses ? Reply.Json(403, """{"error":{"code":403,"status":"PERMISSION_DENIED"}}""")
            : request.Path.Split('/') is ["", "v1", "projects", Project, "secrets", var name, "versions", "latest:access"] && Secrets.TryGetValue(name, out var secret)
                ? Reply.Json(200, new JsonObject { ["name"] = request.Path, ["payload"] = new JsonObject { ["data"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(secret)) } }.ToJsonString())
            : Reply.Json(404, """{"error":{"code":404,"status":"NOT_FOUND"}}""");
    }

    private Reply Token() => Reply.Json(200, $$"""{"access_token":"ya29.tests-{{Interlocked.Increment(ref tokens)}}","expires_in":3600,"token_type":"Bearer"}""");

    private bool IsSigned(string assertion)
    {
        var end = assertion.LastIndexOf('.');
        var claims = JsonElement.Parse(Base64Url.DecodeFromChars(assertion.Split('.')[1]));
        return claims.GetProperty("iss").GetString() == Email
            && Key.VerifyData(Encoding.ASCII.GetBytes(assertion[..end]), Base64Url.DecodeFromChars(assertion.AsSpan(end + 1)), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
    }
}
