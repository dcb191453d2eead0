using System.Collections.Concurrent;
using System.Text.Json.Nodes;

namespace Gateway.TestKit.Providers;

/// <summary>
/// HashiCorp Vault's key-value store of version 2, over real HTTP, as far as the gateway asks it: secrets at a mount and a path, tokens, a
/// namespace, AppRole. A test writes secrets, takes tokens away and stops it from answering.
/// </summary>
public sealed class ScriptedVault : IAsyncDisposable
{
    public const string Token = "hvs.a-token-of-the-tests";
    public const string RoleId = "role-of-the-tests";
    public const string SecretId = "secret-id-of-the-tests";

    private readonly ScriptedProvider server;
    private readonly ConcurrentDictionary<string, JsonObject> secrets = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, bool> tokens = new(StringComparer.Ordinal);
    private int logins;
    private volatile bool isAway;

    private ScriptedVault(ScriptedProvider server)
    {
        this.server = server;
        tokens[Token] = true;
        server.OnRequest(AnswerAsync);
    }

    public string Url => server.Url;

    public IReadOnlyList<ReceivedRequest> Requests => server.Requests;

    /// <summary>How often a role has logged in.</summary>
    public int Logins => Volatile.Read(ref logins);

    /// <summary>The namespace that requests must name; null for none.</summary>
    public string? Namespace { get; set; }

    /// <summary>How long a role's token lives, in seconds.</summary>
    public int LeaseSeconds { get; set; } = 3_600;

    /// <summary>While it is sealed it answers 503.</summary>
    public bool IsAway
    {
        get => isAway;
        set => isAway = value;
    }

    public static async Task<ScriptedVault> Start() => new(await ScriptedProvider.Start());

    /// <summary>Writes a version of a secret: <c>Write("secret/payments/openai", ("key", "sk-1"))</c>.</summary>
    public void Write(string path, params (string Field, string Value)[] fields) =>
        secrets[path] = new JsonObject(fields.Select(static field => KeyValuePair.Create(field.Field, (JsonNode?)field.Value)));

    public void Delete(string path) => secrets.TryRemove(path, out _);

    /// <summary>Takes every token away that a role has got.</summary>
    public void RevokeRoles()
    {
        foreach (var token in tokens.Keys.Where(static token => token != Token))
        {
            tokens.TryRemove(token, out _);
        }
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    private Task AnswerAsync(Exchange exchange)
    {
        var request = exchange.Request;
        if (isAway)
        {
            return exchange.Send(Reply.Json(503, """{"errors":["Vault is sealed"]}"""));
        }

        if (request.Path == "/v1/auth/approle/login")
        {
            if (request.Json.GetProperty("role_id").GetString() != RoleId || request.Json.GetProperty("secret_id").GetString() != SecretId)
            {
                return exchange.Send(Reply.Json(400, """{"errors":["invalid role or secret ID"]}"""));
            }

            var made = $"hvs.role-token-{Interlocked.Increment(ref logins)}";
            tokens[made] = true;
            return exchange.Send(Reply.Json(200, new JsonObject { ["auth"] = new JsonObject { ["client_token"] = made, ["lease_duration"] = LeaseSeconds } }.ToJsonString()));
        }

        if (!request.Headers.TryGetValue("X-Vault-Token", out var token) || !tokens.ContainsKey(token) || request.Headers.GetValueOrDefault("X-Vault-Namespace") != Namespace)
        {
            return exchange.Send(Reply.Json(403, """{"errors":["permission denied"]}"""));
        }

        var parts = request.Path.Split('/', 5);
        return parts is ["", "v1", var mount, "data", var path] && secrets.TryGetValue($"{mount}/{path}", out var secret)
            ? exchange.Send(Reply.Json(200, new JsonObject { ["data"] = new JsonObject { ["data"] = secret.DeepClone(), ["metadata"] = new JsonObject { ["version"] = 1 } } }.ToJsonString()))
            : exchange.Send(Reply.Json(404, """{"errors":[]}"""));
    }
}
