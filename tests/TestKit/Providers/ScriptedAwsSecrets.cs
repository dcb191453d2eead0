using System.Security.Cryptography;
using System.Text;
using System.Text.Json.Nodes;

namespace Gateway.TestKit.Providers;

/// <summary>
/// AWS Secrets Manager in one region: it checks each request's signature by Amazon's rules (https://docs.aws.amazon.com/IAM/latest/UserGuide/create-signed-request.html),
/// written anew here. <c>GET /role</c> gives the keys of a container's role, <c>POST /sts/</c> those of a role that a pod takes.
/// </summary>
public sealed class ScriptedAwsSecrets : ScriptedSecretStore
{
    public const string Region = "eu-central-1";
    public const string AccessKeyId = "AKIATESTS";
    public const string SecretAccessKey = "secret-access-key-of-the-tests";
    public const string RoleArn = "arn:aws:iam::123456789012:role/gateway";
    public const string RoleToken = "token-of-the-pod";

    private int roles;
    private int revoked;

    private ScriptedAwsSecrets(ScriptedProvider server)
        : base(server)
    {
    }

    /// <summary>How often the keys of the role were fetched.</summary>
    public int Roles => Volatile.Read(ref roles);

    public static async Task<ScriptedAwsSecrets> Start() => new(await ScriptedProvider.Start());

    /// <summary>Takes back the keys that the role has got.</summary>
    public void RevokeRole() => Volatile.Write(ref revoked, Roles);

    private protected override Reply Answer(ReceivedRequest request)
    {
        if (request.Path == "/role")
        {
            return request.Headers.GetValueOrDefault("Authorization") == RoleToken
                ? Reply.Json(200, new JsonObject
                {
                    ["AccessKeyId"] = $"ASIAROLE{Interlocked.Increment(ref roles)}", ["SecretAccessKey"] = SecretAccessKey, ["Token"] = "session", ["Expiration"] = "2099-01-01T00:00:00Z",
                }.ToJsonString())
                : Reply.Json(403, "{}");
        }

        if (request.Path == "/sts/")
        {
            var form = request.Text.Split('&').Select(static pair => pair.Split('=', 2)).ToDictionary(static pair => pair[0], static pair => Uri.UnescapeDataString(pair[1]));
            return form["Action"] == "AssumeRoleWithWebIdentity" && form["RoleArn"] == RoleArn && form["WebIdentityToken"] == RoleToken && form["RoleSessionName"].Length > 0
                ? Reply.Bytes(200, "text/xml", Encoding.UTF8.GetBytes($"""
                    <AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>
                    <SessionToken>session</SessionToken><SecretAccessKey>{SecretAccessKey}</SecretAccessKey><Expiration>2030-01-01T01:00:00Z</Expiration><AccessKeyId>ASIAROLE{Interlocked.Increment(ref roles)}</AccessKeyId>
                    </Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>
                    """))
                : Reply.Bytes(403, "text/xml", "<ErrorResponse/>"u8.ToArray());
        }

        var signature = request.Headers.GetValueOrDefault("Authorization") ?? "";
        if (!signature.Contains($"={AccessKeyId}/", StringComparison.Ordinal) && !Enumerable.Range(revoked + 1, Roles - revoked).Any(role => signature.Contains($"=ASIAROLE{role}/", StringComparison.Ordinal)))
        {
            return Wrong("UnrecognizedClientException");
        }

        if (!IsSigned(request, signature))
        {
            return Wrong("InvalidSignatureException");
        }

        if (request.Headers["x-amz-target"] != "secretsmanager.GetSecretValue" || request.Headers["Content-Type"] != "application/x-amz-json-1.1")
        {
            return Wrong("UnknownOperationException");
        }

        var name = request.Json.GetProperty("SecretId").GetString()!;
        return Refuses ? Wrong("com.amazonaws.secretsmanager#AccessDeniedException")
            : Secrets.TryGetValue(name, out var secret) ? Reply.Json(200, new JsonObject { ["Name"] = name, ["SecretString"] = secret, ["VersionStages"] = new JsonArray("AWSCURRENT") }.ToJsonString())
            : Wrong("ResourceNotFoundException");
    }

    private static Reply Wrong(string type) => Reply.Json(400, new JsonObject { ["__type"] = type, ["Message"] = "refused by the tests" }.ToJsonString());

    private static bool IsSigned(ReceivedRequest request, string authorization)
    {
        var parts = authorization["AWS4-HMAC-SHA256 ".Length..].Split(", ").Select(static part => part.Split('=', 2)).ToDictionary(static part => part[0], static part => part[1]);
        var names = parts["SignedHeaders"].Split(';');
        if (!names.Contains("host") || request.Headers.Keys.Any(name => name.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase) && !names.Contains(name.ToLowerInvariant())))
        {
            return false;
        }

        var date = request.Headers["x-amz-date"];
        var scope = $"{date[..8]}/{Region}/secretsmanager/aws4_request";
        var headers = string.Concat(names.Select(name => $"{name}:{request.Headers.First(header => header.Key.Equals(name, StringComparison.OrdinalIgnoreCase)).Value}\n"));
        var canonical = $"{request.Method}\n{request.Path}\n\n{headers}\n{parts["SignedHeaders"]}\n{Hex(SHA256.HashData(request.Body))}";
        var text = $"AWS4-HMAC-SHA256\n{date}\n{scope}\n{Hex(SHA256.HashData(Encoding.UTF8.GetBytes(canonical)))}";
        var key = Encoding.UTF8.GetBytes("AWS4" + SecretAccessKey);
        foreach (var step in scope.Split('/').Append(text))
        {
            key = HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(step));
        }

        return parts["Credential"].EndsWith("/" + scope, StringComparison.Ordinal) && parts["Signature"] == Hex(key);
    }

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);
}
