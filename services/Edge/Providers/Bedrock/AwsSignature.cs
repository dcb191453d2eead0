using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Edge.Providers.Bedrock;

/// <summary>Who signs.</summary>
internal sealed record AwsCredentials(string AccessKeyId, string SecretAccessKey, string? SessionToken)
{
    /// <summary>Leaves the secrets out.</summary>
    public override string ToString() => nameof(AwsCredentials);
}

/// <summary>Amazon's signature of a request, version 4.</summary>
internal static class AwsSignature
{
    private const string Algorithm = "AWS4-HMAC-SHA256";

    /// <summary>Adds the headers <c>x-amz-date</c>, <c>x-amz-security-token</c> and <c>Authorization</c>.</summary>
    public static void Sign(HttpRequestMessage request, ReadOnlySpan<byte> body, AwsCredentials credentials, string region, string service, DateTimeOffset now)
    {
        var instant = now.UtcDateTime.ToString("yyyyMMdd'T'HHmmss'Z'", CultureInfo.InvariantCulture);
        var scope = $"{instant[..8]}/{region}/{service}/aws4_request";
        var signed = new SortedDictionary<string, string>(StringComparer.Ordinal)
        {
            ["host"] = request.RequestUri!.IsDefaultPort ? request.RequestUri.Host : request.RequestUri.Authority,
            ["x-amz-date"] = instant,
        };
        if (request.Content?.Headers.ContentType is { } type)
        {
            signed["content-type"] = type.ToString();
        }

        request.Headers.Remove("x-amz-date");
        request.Headers.Remove("x-amz-security-token");
        request.Headers.Remove("Authorization");
        request.Headers.Add("x-amz-date", instant);
        if (!string.IsNullOrEmpty(credentials.SessionToken))
        {
            signed["x-amz-security-token"] = credentials.SessionToken;
            request.Headers.Add("x-amz-security-token", credentials.SessionToken);
        }

        foreach (var (name, values) in request.Headers.Where(static header => header.Key.StartsWith("x-amz-", StringComparison.OrdinalIgnoreCase)))
        {
            signed[name.ToLowerInvariant()] = string.Join(',', values);
        }

        // 1. The request in a form that both sides write alike.
        var names = string.Join(';', signed.Keys);
        var canonical = new StringBuilder()
            .Append(request.Method.Method).Append('\n')
            .Append(CanonicalPath(request.RequestUri)).Append('\n')
            .Append(CanonicalQuery(request.RequestUri)).Append('\n');
        foreach (var (name, value) in signed)
        {
            canonical.Append(name).Append(':').Append(value.Trim()).Append('\n');
        }

        canonical.Append('\n').Append(names).Append('\n').Append(Convert.ToHexStringLower(SHA256.HashData(body)));

        // 2. What is signed: the form's hash, with when and where.
        var text = $"{Algorithm}\n{instant}\n{scope}\n{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(canonical.ToString())))}";

        // 3. With a key that is good for this day, region and service.
        var key = Hash(Encoding.UTF8.GetBytes("AWS4" + credentials.SecretAccessKey), instant[..8]);
        key = Hash(Hash(Hash(key, region), service), "aws4_request");
        request.Headers.TryAddWithoutValidation(
            "Authorization", $"{Algorithm} Credential={credentials.AccessKeyId}/{scope}, SignedHeaders={names}, Signature={Convert.ToHexStringLower(Hash(key, text))}");
    }

    private static byte[] Hash(byte[] key, string text) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(text));

    /// <summary>Each segment is escaped once more than it is sent: so Amazon wants it for all services but S3.</summary>
    private static string CanonicalPath(Uri address) => string.Join('/', address.AbsolutePath.Split('/').Select(Uri.EscapeDataString));

    private static string CanonicalQuery(Uri address) => string.Join(
        '&',
        address.Query.TrimStart('?').Split('&', StringSplitOptions.RemoveEmptyEntries)
            .Select(pair => pair.Split('=', 2))
            .Select(pair => (Name: Escape(pair[0]), Value: Escape(pair.Length > 1 ? pair[1] : string.Empty)))
            .OrderBy(pair => pair.Name, StringComparer.Ordinal).ThenBy(pair => pair.Value, StringComparer.Ordinal)
            .Select(pair => $"{pair.Name}={pair.Value}"));

    private static string Escape(string part) => Uri.EscapeDataString(Uri.UnescapeDataString(part));
}
