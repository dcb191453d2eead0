using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Gateway.Configuration;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.Vertex;

namespace Gateway.Edge.Credentials;

/// <summary>
/// Secrets in Google Secret Manager (https://cloud.google.com/secret-manager/docs/reference/rest/v1/projects.secrets.versions/access). A service account asks, or the account
/// of the machine or pod.
/// </summary>
internal sealed class GoogleSecrets : ISecretStore
{
    private readonly GoogleSecretsSettings settings;
    private readonly TimeProvider time;
    private readonly ServiceAccountTokens accounts;
    private readonly StoreCalls calls;
    private readonly StoreCalls machineCalls;
    private readonly Renewed<string> machine;

    public GoogleSecrets(GoogleSecretsSettings settings, HttpMessageInvoker http, ServiceAccountTokens accounts, TimeProvider time)
    {
        (this.settings, this.accounts, this.time) = (settings, accounts, time);
        calls = new StoreCalls("Google Secret Manager", "GOOGLE_SECRET_MANAGER_ENDPOINT", http);
        machineCalls = new StoreCalls("Google's metadata server", "GOOGLE_APPLICATION_CREDENTIALS or GCE_METADATA_HOST", http);
        machine = new Renewed<string>(FetchTokenAsync, time);
    }

    public async Task<byte[]> ReadAsync(string path, CancellationToken cancellation)
    {
        if (settings.Problem is { } problem)
        {
            throw new SecretUnavailableException(problem);
        }

        var address = $"{settings.Endpoint}/v1/{ResourceOf(path)}:access";
        var token = await TokenAsync(null, cancellation);
        var (status, body) = await AskAsync(address, token, cancellation);
        if (status == HttpStatusCode.Unauthorized && settings.ServiceAccountFile is null)
        {
            (status, body) = await AskAsync(address, await TokenAsync(token, cancellation), cancellation);
        }

        if (status != HttpStatusCode.OK)
        {
            throw new SecretUnavailableException(status switch
            {
                HttpStatusCode.Unauthorized => "Google Secret Manager does not know who asks (401): check GOOGLE_APPLICATION_CREDENTIALS.",
                HttpStatusCode.Forbidden => "Google Secret Manager refuses it (403): give the account the role roles/secretmanager.secretAccessor for this secret.",
                HttpStatusCode.NotFound => "Google Secret Manager has no such secret (404). Check its name and GOOGLE_SECRET_MANAGER_PROJECT_ID.",
                HttpStatusCode.BadRequest => "Google Secret Manager cannot give this version (400): it is disabled or destroyed, or the name is none.",
                _ => $"Google Secret Manager answered with status {(int)status}.",
            });
        }

        using var document = calls.Parse(body);
        return document.RootElement.Field("payload"u8).Field("data"u8) is { ValueKind: JsonValueKind.String } data && data.TryGetBytesFromBase64(out var secret)
            ? secret
            : throw new SecretUnavailableException("Google Secret Manager's answer has no secret.");
    }

    private string ResourceOf(string path)
    {
        if (!path.StartsWith("projects/", StringComparison.Ordinal))
        {
            var project = settings.Project ?? throw new SecretUnavailableException(
                "GOOGLE_SECRET_MANAGER_PROJECT_ID is not set: set it to the project of the secret, or write google/projects/PROJECT/secrets/NAME.");
            path = $"projects/{project}/secrets/{path}";
        }

        return path.Contains("/versions/", StringComparison.Ordinal) ? path : path + "/versions/latest";
    }

    private Task<(HttpStatusCode Status, byte[] Body)> AskAsync(string address, string token, CancellationToken cancellation) =>
        calls.SendAsync(HttpMethod.Get, address, request => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", token), cancellation);

    private async Task<string> TokenAsync(string? refused, CancellationToken cancellation)
    {
        if (settings.ServiceAccountFile is not { } file)
        {
            return await machine.GetAsync(refused, cancellation);
        }

        try
        {
            return await accounts.GetAsync(file, cancellation);
        }
        catch (CredentialException wrong)
        {
            throw new SecretUnavailableException($"GOOGLE_APPLICATION_CREDENTIALS gives no token: {wrong.Message}");
        }
    }

    /// <summary>https://cloud.google.com/compute/docs/access/authenticate-workloads#applications.</summary>
    private async Task<(string Value, DateTimeOffset RenewAt)> FetchTokenAsync()
    {
        var (status, body) = await machineCalls.SendAsync(
            HttpMethod.Get, $"http://{settings.MetadataHost}/computeMetadata/v1/instance/service-accounts/default/token",
            static request => request.Headers.Add("Metadata-Flavor", "Google"), CancellationToken.None);
        using var document = status == HttpStatusCode.OK ? machineCalls.Parse(body) : null;
        return document?.RootElement is { } root && root.Field("access_token"u8).Text() is { } token
            ? (token, time.GetUtcNow() + TimeSpan.FromSeconds((root.Field("expires_in"u8).Int() ?? 3_600) * 0.75))
            : throw new SecretUnavailableException($"Google's metadata server gives no token (status {(int)status}): give this machine or pod a service account, or set GOOGLE_APPLICATION_CREDENTIALS.");
    }
}
