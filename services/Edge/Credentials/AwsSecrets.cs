using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Configuration;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.Bedrock;

namespace Gateway.Edge.Credentials;

/// <summary>
/// Secrets in AWS Secrets Manager (https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html). The keys that sign are given, or those of
/// a role, which are fetched again before they end.
/// </summary>
internal sealed class AwsSecrets : ISecretStore
{
    private const string Service = "secretsmanager";

    private readonly AwsSecretsSettings settings;
    private readonly TimeProvider time;
    private readonly StoreCalls calls;
    private readonly Renewed<AwsCredentials> role;

    public AwsSecrets(AwsSecretsSettings settings, HttpMessageInvoker http, TimeProvider time)
    {
        (this.settings, this.time) = (settings, time);
        calls = new StoreCalls("AWS Secrets Manager", "AWS_ENDPOINT_URL_SECRETS_MANAGER", http);
        role = new Renewed<AwsCredentials>(new AwsRole(settings, http, time).FetchAsync, time);
    }

    public async Task<byte[]> ReadAsync(string path, CancellationToken cancellation)
    {
        if (settings.Problem is { } problem)
        {
            throw new SecretUnavailableException(problem);
        }

        var region = path.Split(':') is ["arn", _, Service, var named, ..] ? named : settings.Region
            ?? throw new SecretUnavailableException("AWS_REGION_NAME is not set: set it to the region of the secret, or name the secret by its ARN.");
        var credentials = await CredentialsAsync(null, cancellation);
        var (status, body) = await AskAsync(path, region, credentials, cancellation);
        if (status != HttpStatusCode.OK && settings.AccessKeyId is null && TypeOf(body) is "ExpiredTokenException" or "UnrecognizedClientException")
        {
            // The role's keys were taken back before their end.
            (status, body) = await AskAsync(path, region, await CredentialsAsync(credentials, cancellation), cancellation);
        }

        if (status != HttpStatusCode.OK)
        {
            throw new SecretUnavailableException(ReasonOf(status, TypeOf(body), region));
        }

        using var document = calls.Parse(body);
        var root = document.RootElement;
        return root.Field("SecretString"u8).Text() is { } text ? Encoding.UTF8.GetBytes(text)
            : root.Field("SecretBinary"u8) is { ValueKind: JsonValueKind.String } binary && binary.TryGetBytesFromBase64(out var bytes) ? bytes
            : throw new SecretUnavailableException("AWS Secrets Manager's answer has no secret.");
    }

    /// <summary>Amazon's own address of a service in a region.</summary>
    public static string AddressOf(string service, string region) => $"https://{service}.{region}.amazonaws.com{(region.StartsWith("cn-", StringComparison.Ordinal) ? ".cn" : "")}";

    private static string ReasonOf(HttpStatusCode status, string? type, string region) => type switch
    {
        "ResourceNotFoundException" => $"AWS Secrets Manager has no such secret in {region}. Check its name and AWS_REGION_NAME.",
        "InvalidRequestException" => "the secret is marked for deletion, or has no current version.",
        "AccessDeniedException" => "AWS Secrets Manager refuses it: the policy does not allow secretsmanager:GetSecretValue for this secret.",
        "DecryptionFailure" => "the secret cannot be decrypted: the policy does not allow kms:Decrypt with its key.",
        "UnrecognizedClientException" or "InvalidSignatureException" or "IncompleteSignatureException" =>
            $"AWS Secrets Manager does not know who asks ({type}): check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and the clock of this machine.",
        "ExpiredTokenException" => "the session has ended: set another AWS_SESSION_TOKEN with its keys.",
        _ => $"AWS Secrets Manager answered with status {(int)status}{(type is null ? "" : $" ({type})")}.",
    };

    /// <summary>The kind of an error. It stands behind a '#' where the answer names its schema.</summary>
    private static string? TypeOf(byte[] body)
    {
        try
        {
            using var document = JsonDocument.Parse(body);
            return document.RootElement.Field("__type"u8).Text() is { Length: < 100 } type ? type[(type.LastIndexOf('#') + 1)..] : null;
        }
        catch (JsonException)
        {
            return null;
        }
    }

    private Task<(HttpStatusCode Status, byte[] Body)> AskAsync(string path, string region, AwsCredentials credentials, CancellationToken cancellation)
    {
        var address = settings.Endpoint ?? AddressOf(Service, region);
        var ask = JsonSerializer.SerializeToUtf8Bytes(new AwsSecretRequest(path), EdgeJson.Default.AwsSecretRequest);
        return calls.SendAsync(
            HttpMethod.Post, address + "/",
            request =>
            {
                request.Content = new ByteArrayContent(ask) { Headers = { ContentType = new MediaTypeHeaderValue("application/x-amz-json-1.1") } };
                request.Headers.Add("x-amz-target", "secretsmanager.GetSecretValue");
                AwsSignature.Sign(request, ask, credentials, region, Service, time.GetUtcNow());
            },
            cancellation);
    }

    private Task<AwsCredentials> CredentialsAsync(AwsCredentials? refused, CancellationToken cancellation) => settings.AccessKeyId is { } id
        ? Task.FromResult(new AwsCredentials(id, settings.SecretAccessKey!.Reveal(), settings.SessionToken?.Reveal()))
        : role.GetAsync(refused, cancellation);
}

/// <summary>Asks for a secret's current version.</summary>
/// <param name="SecretId">Its name or ARN.</param>
internal sealed record AwsSecretRequest([property: JsonPropertyName("SecretId")] string SecretId);
