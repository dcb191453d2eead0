using System.Net;
using System.Security.Cryptography;
using System.Text.Json;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.Vertex;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Edge.Tests.Providers.Vertex;

public sealed class ServiceAccountTokensTests : IDisposable
{
    private readonly FakeTimeProvider time = new(new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private readonly TokenService service = new();

    public void Dispose() => service.Dispose();

    [Fact]
    public async Task One_token_serves_until_shortly_before_its_end()
    {
        using var tokens = new ServiceAccountTokens(time, service);
        var account = Account();

        var all = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => tokens.GetAsync(account, default).AsTask()));
        time.Advance(TimeSpan.FromMinutes(50));
        var later = await tokens.GetAsync(account, default);

        Assert.All(all, token => Assert.Equal("token-1", token));
        Assert.Equal("token-1", later);

        time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal("token-2", await tokens.GetAsync(account, default));
    }

    [Fact]
    public async Task A_failure_is_told_without_the_credential_and_tried_again()
    {
        using var tokens = new ServiceAccountTokens(time, service);
        var account = Account();
        service.Status = HttpStatusCode.Forbidden;

        var error = await Assert.ThrowsAsync<CredentialException>(() => tokens.GetAsync(account, default).AsTask());
        service.Status = HttpStatusCode.OK;

        Assert.DoesNotContain("PRIVATE KEY", error.ToString(), StringComparison.Ordinal);
        Assert.StartsWith("token-", await tokens.GetAsync(account, default), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/no/such/file.json")]
    [InlineData("{}")]
    [InlineData("{\"client_email\":\"a\",\"private_key\":\"nonsense\"}")]
    [InlineData("{")]
    public async Task An_account_that_cannot_be_read_is_a_credential_error(string credentials)
    {
        using var tokens = new ServiceAccountTokens(time, service);

        await Assert.ThrowsAsync<CredentialException>(() => tokens.GetAsync(credentials, default).AsTask());
    }

    private static string Account()
    {
        using var key = RSA.Create(2048);
        return JsonSerializer.Serialize(new { client_email = "a@p.iam.gserviceaccount.com", private_key = key.ExportPkcs8PrivateKeyPem(), token_uri = "https://tokens.example/token" });
    }

    private sealed class TokenService : HttpMessageHandler
    {
        private int count;

        public HttpStatusCode Status { get; set; } = HttpStatusCode.OK;

        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var form = await request.Content!.ReadAsStringAsync(cancellationToken);
            Assert.Contains("assertion=", form, StringComparison.Ordinal);
            return new HttpResponseMessage(Status) { Content = new StringContent($$"""{"access_token":"token-{{Interlocked.Increment(ref count)}}","expires_in":3600}""") };
        }
    }
}
