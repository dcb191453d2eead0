using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Configuration;
using Gateway.Edge.Providers;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Credentials;

/// <summary>
/// Secrets in HashiCorp Vault's key-value store, version 2, over its HTTP API. A role's token is fetched when it is needed and again before
/// it ends; a token that was given is used as it is.
/// </summary>
internal sealed class VaultSecrets(VaultSettings settings, HttpMessageInvoker http, TimeProvider time) : ISecretStore
{
    private const int BytesMax = 1 << 20;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private RoleToken? known;
    private Task<RoleToken>? login;

    /// <summary>Where and as whom.</summary>
    public VaultSettings Settings { get; } = settings;

    public async Task<byte[]> ReadAsync(string path, CancellationToken cancellation)
    {
        if (Settings.Problem is { } problem)
        {
            throw new SecretUnavailableException(problem);
        }

        var slash = path.IndexOf('/', StringComparison.Ordinal);
        var address = $"{Settings.Address}/v1/{path[..slash]}/data/{string.Join('/', path[(slash + 1)..].Split('/').Select(Uri.EscapeDataString))}";
        var token = await TokenAsync(null, cancellation);
        var (status, body) = await SendAsync(HttpMethod.Get, address, token, null, cancellation);
        if (status == HttpStatusCode.Forbidden && Settings.RoleId is not null)
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

        using var document = Parse(body);
        return document.RootElement.Field("data"u8).Field("data"u8) is { ValueKind: JsonValueKind.Object } data
            ? JsonSerializer.SerializeToUtf8Bytes(data, EdgeJson.Default.JsonElement)
            : throw new SecretUnavailableException("Vault's answer has no secret: the version was deleted, or the mount is no key-value store of version 2.");
    }

    private async Task<string> TokenAsync(string? refused, CancellationToken cancellation)
    {
        if (Settings.RoleId is null)
        {
            return Settings.Token?.Reveal() ?? System.Text.Encoding.UTF8.GetString(await new FileSecrets().ReadAsync(Settings.TokenFile!, cancellation)).Trim();
        }

        Task<RoleToken> role;
        lock (gate)
        {
            if (known is { } token && token.Token != refused && token.RenewAt > time.GetUtcNow())
            {
                return token.Token;
            }

            // One login for all who need it; it has an end of its own.
            role = login ??= LogInAsync();
        }

        return (await role.WaitAsync(cancellation)).Token;
    }

    private async Task<RoleToken> LogInAsync()
    {
        // The caller has to note the task before it can end.
        await Task.Yield();
        RoleToken? token = null;
        try
        {
            return token = await AskForTokenAsync();
        }
        finally
        {
            lock (gate)
            {
                (known, login) = (token, null);
            }
        }
    }

    private async Task<RoleToken> AskForTokenAsync()
    {
        var ask = JsonSerializer.SerializeToUtf8Bytes(new VaultLogin(Settings.RoleId!, Settings.SecretId!.Reveal()), EdgeJson.Default.VaultLogin);
        var (status, body) = await SendAsync(HttpMethod.Post, $"{Settings.Address}/v1/auth/{Settings.RoleMount.Trim('/')}/login", null, ask, CancellationToken.None);
        if (status != HttpStatusCode.OK)
        {
            throw new SecretUnavailableException($"Vault refuses the role (status {(int)status}): check VAULT_ROLE_ID, VAULT_SECRET_ID and where AppRole is mounted.");
        }

        using var document = Parse(body);
        var auth = document.RootElement.Field("auth"u8);
        var lease = auth.Field("lease_duration"u8) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt64(out var seconds) && seconds > 0 ? seconds : 3_600;
        return auth.Field("client_token"u8).Text() is { Length: > 0 } token
            ? new RoleToken(token, time.GetUtcNow() + TimeSpan.FromSeconds(lease * 0.75))
            : throw new SecretUnavailableException("Vault's answer to the role's login has no token.");
    }

    private async Task<(HttpStatusCode Status, byte[] Body)> SendAsync(HttpMethod method, string address, string? token, byte[]? body, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Limit);
        try
        {
            using var request = new HttpRequestMessage(method, address);
            request.Headers.Add("X-Vault-Request", "true");
            if (token is not null)
            {
                request.Headers.Add("X-Vault-Token", token);
            }

            if (Settings.Namespace is { } name)
            {
                request.Headers.Add("X-Vault-Namespace", name);
            }

            if (body is not null)
            {
                request.Content = new ByteArrayContent(body) { Headers = { ContentType = new MediaTypeHeaderValue("application/json") } };
            }

            using var reply = await http.SendAsync(request, limit.Token);
            await using var stream = await reply.Content.ReadAsStreamAsync(limit.Token);
            return (reply.StatusCode, await stream.ReadAllAsync(BytesMax, limit.Token) ?? throw new SecretUnavailableException("Vault's answer is larger than 1 MiB: VAULT_ADDR leads to something else."));
        }
        catch (FormatException)
        {
            // Its message would quote the token.
            throw new SecretUnavailableException("the token or the namespace of Vault has a line break in it.");
        }
        catch (Exception away) when (away is HttpRequestException or IOException)
        {
            throw new SecretUnavailableException($"Vault cannot be reached at {Settings.Address}. Check VAULT_ADDR and the network between.");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new SecretUnavailableException($"Vault at {Settings.Address} did not answer in {Limit.TotalSeconds:0} s.");
        }
    }

    private static JsonDocument Parse(byte[] body)
    {
        try
        {
            return JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            throw new SecretUnavailableException("Vault's answer is no JSON: VAULT_ADDR leads to something else.");
        }
    }

    private sealed record RoleToken(string Token, DateTimeOffset RenewAt);
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
