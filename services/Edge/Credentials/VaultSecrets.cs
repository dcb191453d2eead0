using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Configuration;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Credentials;

/// <summary>
/// Secrets in HashiCorp Vault's key-value store, version 2, over its HTTP API. A role's token is fetched when it is needed and again before
/// it ends; a token that was given is used as it is.
/// </summary>
internal sealed class VaultSecrets : ISecretStore
{
    private readonly VaultSettings settings;
    private readonly TimeProvider time;
    private readonly StoreCalls calls;
    private readonly Renewed<string> role;

    public VaultSecrets(VaultSettings settings, HttpMessageInvoker http, TimeProvider time)
    {
        (this.settings, this.time) = (settings, time);
        calls = new StoreCalls("Vault", "VAULT_ADDR", http);
        role = new Renewed<string>(LogInAsync, time);
    }

    public async Task<byte[]> ReadAsync(string path, CancellationToken cancellation)
    {
        if (settings.Problem is { } problem)
        {
            throw new SecretUnavailableException(problem);
        }

        var slash = path.IndexOf('/', StringComparison.Ordinal);
        var address = $"{settings.Address}/v1/{path[..slash]}/data/{string.Join('/', path[(slash + 1)..].Split('/').Select(Uri.EscapeDataString))}";
        var token = await TokenAsync(null, cancellation);
        var (status, body) = await SendAsync(HttpMethod.Get, address, token, null, cancellation);
        if (status == HttpStatusCode.Forbidden && settings.RoleId is not null)
        {
            // The role's token was revoked before its end.
            (status, body) = await SendAsync(HttpMethod.Get, address, await TokenAsync(token, cancellation), null, cancellation);
        }

        if (status != HttpStatusCode.OK)
        {
            throw new SecretUnavailableException(status switch
            {
                HttpStatusCode.Forbidden => "Vault refuses it (403): the token has ended, or its policy does not let it read this path.",
                HttpStatusCode.NotFound => "Vault has no such secret (404). Check the mount, which must be a key-value store of version 2, the path and VAULT_NAMESPACE.",
                HttpStatusCode.ServiceUnavailable => "Vault is sealed or in maintenance (503).",
                _ => $"Vault answered with status {(int)status}.",
            });
        }

        using var document = calls.Parse(body);
        return document.RootElement.Field("data"u8).Field("data"u8) is { ValueKind: JsonValueKind.Object } data
            ? JsonSerializer.SerializeToUtf8Bytes(data, EdgeJson.Default.JsonElement)
            : throw new SecretUnavailableException("Vault's answer has no secret: the version was deleted, or the mount is no key-value store of version 2.");
    }

    private async Task<string> TokenAsync(string? refused, CancellationToken cancellation) => settings.RoleId is not null
        ? await role.GetAsync(refused, cancellation)
        : settings.Token?.Reveal() ?? System.Text.Encoding.UTF8.GetString(await new FileSecrets().ReadAsync(settings.TokenFile!, cancellation)).Trim();

    private async Task<(string Value, DateTimeOffset RenewAt)> LogInAsync()
    {
        var ask = JsonSerializer.SerializeToUtf8Bytes(new VaultLogin(settings.RoleId!, settings.SecretId!.Reveal()), EdgeJson.Default.VaultLogin);
        var (status, body) = await SendAsync(HttpMethod.Post, $"{settings.Address}/v1/auth/{settings.RoleMount.Trim('/')}/login", null, ask, CancellationToken.None);
        if (status != HttpStatusCode.OK)
        {
            throw new SecretUnavailableException($"Vault refuses the role (status {(int)status}): check VAULT_ROLE_ID, VAULT_SECRET_ID and where AppRole is mounted.");
        }

        using var document = calls.Parse(body);
        var auth = document.RootElement.Field("auth"u8);
        var lease = auth.Field("lease_duration"u8) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var seconds) && seconds > 0 ? seconds : 3_600;
        return auth.Field("client_token"u8).Text() is { Length: > 0 } token
            ? (token, time.GetUtcNow() + TimeSpan.FromSeconds(lease * 0.75))
            : throw new SecretUnavailableException("Vault's answer to the role's login has no token.");
    }

    private Task<(HttpStatusCode Status, byte[] Body)> SendAsync(HttpMethod method, string address, string? token, byte[]? body, CancellationToken cancellation) => calls.SendAsync(
        method, address,
        request =>
        {
            request.Headers.Add("X-Vault-Request", "true");
            if (token is not null)
            {
                request.Headers.Add("X-Vault-Token", token);
            }

            if (settings.Namespace is { } name)
            {
                request.Headers.Add("X-Vault-Namespace", name);
            }

            if (body is not null)
            {
                request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            }
        },
        cancellation);
}

/// <summary>AppRole's login.</summary>
/// <param name="RoleId">The role.</param>
/// <param name="SecretId">Its secret.</param>
internal sealed record VaultLogin(
    [property: JsonPropertyName("role_id")] string RoleId, [property: JsonPropertyName("secret_id")] string SecretId)
{
    /// <summary>Leaves the secret out.</summary>
    public override string ToString() => $"VaultLogin {{ RoleId = {RoleId} }}";
}
