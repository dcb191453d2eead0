using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Gateway.Configuration;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Credentials;

/// <summary>
/// Secrets in Azure Key Vault (https://learn.microsoft.com/rest/api/keyvault/secrets/get-secret/get-secret). An application asks, with its secret or with the token of
/// its pod, or the identity of the machine.
/// </summary>
internal sealed class AzureSecrets : ISecretStore
{
    private const string ApiVersion = "7.4";

    private readonly AzureSecretsSettings settings;
    private readonly TimeProvider time;
    private readonly StoreCalls calls;
    private readonly StoreCalls tokenCalls;
    private readonly Renewed<string> token;

    public AzureSecrets(AzureSecretsSettings settings, HttpMessageInvoker http, TimeProvider time)
    {
        (this.settings, this.time) = (settings, time);
        calls = new StoreCalls("Azure Key Vault", "AZURE_KEY_VAULT_URI", http);
        tokenCalls = settings.IsApplication
            ? new StoreCalls("Microsoft Entra ID", "AZURE_AUTHORITY_HOST", http)
            : new StoreCalls("Azure's managed identity", "AZURE_CLIENT_SECRET, IDENTITY_ENDPOINT", http);
        token = new Renewed<string>(FetchTokenAsync, time);
    }

    /// <summary>What a token has to be good for: each of Azure's clouds has vaults of its own.</summary>
    private string Resource => new Uri(settings.Address!).Host is var host && host.IndexOf(".vault.", StringComparison.Ordinal) is > 0 and var at
        ? $"https://{host[(at + 1)..]}"
        : "https://vault.azure.net";

    public async Task<byte[]> ReadAsync(string path, CancellationToken cancellation)
    {
        if (settings.Problem is { } problem)
        {
            throw new SecretUnavailableException(problem);
        }

        var address = $"{settings.Address}/secrets/{path}?api-version={ApiVersion}";
        var first = await token.GetAsync(null, cancellation);
        var (status, body) = await AskAsync(address, first, cancellation);
        if (status == HttpStatusCode.Unauthorized)
        {
            (status, body) = await AskAsync(address, await token.GetAsync(first, cancellation), cancellation);
        }

        if (status != HttpStatusCode.OK)
        {
            throw new SecretUnavailableException(status switch
            {
                HttpStatusCode.Unauthorized => "Azure Key Vault does not know who asks (401): check AZURE_TENANT_ID, which must be the vault's.",
                HttpStatusCode.Forbidden => "Azure Key Vault refuses it (403): give the identity the role Key Vault Secrets User, and let this network in. A secret that is disabled is refused too.",
                HttpStatusCode.NotFound => "Azure Key Vault has no such secret (404). Check its name and AZURE_KEY_VAULT_URI.",
                HttpStatusCode.TooManyRequests => "Azure Key Vault is asked too often (429): raise credential_refresh.",
                _ => $"Azure Key Vault answered with status {(int)status}.",
            });
        }

        using var document = calls.Parse(body);
        return document.RootElement.Field("value"u8).Text() is { } secret
            ? Encoding.UTF8.GetBytes(secret)
            : throw new SecretUnavailableException("Azure Key Vault's answer has no secret: AZURE_KEY_VAULT_URI leads to something else.");
    }

    private Task<(HttpStatusCode Status, byte[] Body)> AskAsync(string address, string bearer, CancellationToken cancellation) =>
        calls.SendAsync(HttpMethod.Get, address, request => request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", bearer), cancellation);

    private async Task<(string Value, DateTimeOffset RenewAt)> FetchTokenAsync()
    {
        var (status, body) = settings.IsApplication ? await AskAsApplicationAsync() : await AskAsMachineAsync();
        using var document = status == HttpStatusCode.OK ? tokenCalls.Parse(body) : null;
        if (document?.RootElement is not { } root || root.Field("access_token"u8).Text() is not { } fetched)
        {
            throw new SecretUnavailableException(settings.IsApplication
                ? $"Microsoft Entra ID refuses the application (status {(int)status}): check AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_FEDERATED_TOKEN_FILE."
                : $"Azure gives no token for a managed identity (status {(int)status}): give this machine or app an identity, or set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET.");
        }

        // A number, or for a machine's identity the same as a text. An app's identity says when it ends instead: an hour is less than it ever lives.
        var seconds = int.TryParse(root.Field("expires_in"u8).Scalar(), out var said) ? said : 3_600;
        return (fetched, time.GetUtcNow() + TimeSpan.FromSeconds(seconds * 0.75));
    }

    /// <summary>https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow.</summary>
    private async Task<(HttpStatusCode Status, byte[] Body)> AskAsApplicationAsync()
    {
        List<KeyValuePair<string, string>> form =
        [
            new("grant_type", "client_credentials"), new("client_id", settings.ClientId!), new("scope", Resource + "/.default"),
        ];
        if (settings.ClientSecret is { } secret)
        {
            form.Add(new("client_secret", secret.Reveal()));
        }
        else
        {
            var assertion = await new FileSecrets().ReadAsync(settings.FederatedTokenFile!, CancellationToken.None);
            form.Add(new("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"));
            form.Add(new("client_assertion", Encoding.UTF8.GetString(assertion).Trim()));
        }

        return await tokenCalls.SendAsync(
            HttpMethod.Post, $"{settings.Authority}/{settings.TenantId}/oauth2/v2.0/token", request => request.Content = new FormUrlEncodedContent(form), CancellationToken.None);
    }

    /// <summary>https://learn.microsoft.com/entra/identity/managed-identities-azure-resources/how-to-use-vm-token; apps have the same with names of their own.</summary>
    private Task<(HttpStatusCode Status, byte[] Body)> AskAsMachineAsync()
    {
        var address = settings.IdentityAddress is { } app
            ? $"{app}?api-version=2019-08-01"
            : $"{settings.MachineAddress}/metadata/identity/oauth2/token?api-version=2018-02-01";
        var whose = settings.ClientId is { } client ? $"&client_id={Uri.EscapeDataString(client)}" : "";
        return tokenCalls.SendAsync(
            HttpMethod.Get, $"{address}&resource={Uri.EscapeDataString(Resource)}{whose}",
            request =>
            {
                if (settings.IdentityHeader is { } header)
                {
                    request.Headers.Add("X-IDENTITY-HEADER", header.Reveal());
                }
                else
                {
                    request.Headers.Add("Metadata", "true");
                }
            },
            CancellationToken.None);
    }
}
