using System.Buffers.Text;
using System.Collections.Concurrent;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Gateway.Edge.Providers.Vertex;

/// <summary>
/// Access tokens of Google's service accounts: a signed assertion is exchanged for a token that lives an hour. One is kept for each account
/// and fetched again before it ends; requests that come meanwhile wait for the same fetch.
/// </summary>
/// <param name="time">The clock.</param>
/// <param name="handler">Sends the exchange; null for the network.</param>
internal sealed class ServiceAccountTokens(TimeProvider time, HttpMessageHandler? handler = null) : IDisposable
{
    private static readonly TimeSpan FetchedAgainBefore = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan AssertionLifetime = TimeSpan.FromHours(1);

    // By the accounts in the configuration. One that was rotated away is forgotten when its token has ended and another account comes.
    private readonly ConcurrentDictionary<string, Task<Token>> tokens = new(StringComparer.Ordinal);

    private readonly HttpClient client = new(handler ?? new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false }) { Timeout = TimeSpan.FromSeconds(10) };

    /// <summary>The token of the account whose file's path or JSON this is.</summary>
    /// <exception cref="CredentialException">There is no such account, or Google refused it.</exception>
    public ValueTask<string> GetAsync(string credentials, CancellationToken cancellation)
    {
        if (tokens.TryGetValue(credentials, out var known) && known.IsCompletedSuccessfully && IsFresh(known.GetAwaiter().GetResult()))
        {
            return new ValueTask<string>(known.GetAwaiter().GetResult().Text);
        }

        return FetchAsync(credentials, known, cancellation);
    }

    /// <inheritdoc/>
    public void Dispose() => client.Dispose();

    private async ValueTask<string> FetchAsync(string credentials, Task<Token>? known, CancellationToken cancellation)
    {
        if (known is null || known.IsCompleted)
        {
            if (known is null)
            {
                ForgetEnded();
            }

            // Whoever comes first fetches. The fetch ignores the caller's cancellation: others wait for it too.
            var fetch = new Lazy<Task<Token>>(() => FetchAsync(credentials));
            var ours = known is null
                ? tokens.GetOrAdd(credentials, _ => fetch.Value)
                : tokens.AddOrUpdate(credentials, _ => fetch.Value, (_, current) => current == known ? fetch.Value : current);
            known = ours;
        }

        return (await known.WaitAsync(cancellation)).Text;
    }

    private void ForgetEnded()
    {
        foreach (var account in tokens)
        {
            if (account.Value.IsCompleted && !(account.Value.IsCompletedSuccessfully && IsFresh(account.Value.GetAwaiter().GetResult())))
            {
                tokens.TryRemove(account);
            }
        }
    }

    private bool IsFresh(Token token) => time.GetUtcNow() < token.EndsAt - FetchedAgainBefore;

    private async Task<Token> FetchAsync(string credentials)
    {
        var account = ServiceAccount.Read(credentials);
        var now = time.GetUtcNow();
        using var body = new FormUrlEncodedContent(
        [
            new("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer"),
            new("assertion", account.Assertion(now, AssertionLifetime)),
        ]);
        try
        {
            using var reply = await client.PostAsync(account.TokenAddress, body);
            using var document = JsonReading.ParseReply(await reply.Content.ReadAsByteArrayAsync());
            var text = document.RootElement.Field("access_token"u8).Text();
            if (!reply.IsSuccessStatusCode || text is null)
            {
                throw new CredentialException($"Google gave no token for the service account: status {(int)reply.StatusCode}.");
            }

            return new Token(text, now + TimeSpan.FromSeconds(document.RootElement.Field("expires_in"u8).Int() ?? 3600));
        }
        catch (Exception error) when (error is HttpRequestException or TaskCanceledException or MalformedReplyException)
        {
            throw new CredentialException("Google's token service could not be reached or answered nonsense.");
        }
    }

    private sealed record Token(string Text, DateTimeOffset EndsAt);

    private sealed record ServiceAccount(string Email, string PrivateKey, Uri TokenAddress)
    {
        private const string Scope = "https://www.googleapis.com/auth/cloud-platform";

        public static ServiceAccount Read(string credentials)
        {
            try
            {
                var json = credentials.TrimStart().StartsWith('{') ? Encoding.UTF8.GetBytes(credentials) : File.ReadAllBytes(credentials);
                using var document = JsonDocument.Parse(json);
                var root = document.RootElement;
                return new ServiceAccount(
                    root.Field("client_email"u8).Text() ?? throw new CredentialException("The service account has no client_email."),
                    root.Field("private_key"u8).Text() ?? throw new CredentialException("The service account has no private_key."),
                    new Uri(root.Field("token_uri"u8).Text() ?? "https://oauth2.googleapis.com/token"));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException or JsonException or UriFormatException)
            {
                throw new CredentialException("The service account's file cannot be read: vertex_credentials must be its path or its JSON.");
            }
        }

        public string Assertion(DateTimeOffset now, TimeSpan lifetime)
        {
            var claims = string.Create(
                CultureInfo.InvariantCulture,
                $$"""{"iss":"{{JsonEncodedText.Encode(Email)}}","scope":"{{Scope}}","aud":"{{TokenAddress}}","iat":{{now.ToUnixTimeSeconds()}},"exp":{{(now + lifetime).ToUnixTimeSeconds()}}}""");
            var signed = Base64Url.EncodeToString("""{"alg":"RS256","typ":"JWT"}"""u8) + "." + Base64Url.EncodeToString(Encoding.UTF8.GetBytes(claims));
            using var key = RSA.Create();
            try
            {
                key.ImportFromPem(PrivateKey);
            }
            catch (Exception error) when (error is ArgumentException or CryptographicException)
            {
                throw new CredentialException("The service account's private key cannot be read.");
            }

            return signed + "." + Base64Url.EncodeToString(key.SignData(Encoding.ASCII.GetBytes(signed), HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1));
        }

        public override string ToString() => nameof(ServiceAccount);
    }
}
