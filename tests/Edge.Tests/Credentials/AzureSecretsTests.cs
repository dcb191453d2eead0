using Gateway.Configuration;
using Gateway.TestKit.Providers;

namespace Gateway.Edge.Tests.Credentials;

/// <summary>Azure Key Vault, asked by an application, by a pod, by an app's identity and by a machine's.</summary>
public sealed class AzureSecretsTests() : CloudStoreTests<ScriptedKeyVault>(SecretStoreKind.Azure)
{
    private protected override string Name => "Azure Key Vault";

    private protected override string VariableOfWhoAsks => "AZURE_CLIENT_SECRET";

    private protected override string VariableToSet => "AZURE_KEY_VAULT_URI";

    private protected override IEnumerable<string> NeverSaid => [ScriptedKeyVault.ClientSecret, "not-the-secret", "Bearer token"];

    [Fact]
    public async Task A_token_serves_for_its_time_and_is_fetched_again_when_it_is_refused()
    {
        await PrepareAsync([OpenAi]);
        // A configuration that changes elsewhere keeps it.
        await PrepareAsync([OpenAi]);
        Time.Advance(TimeSpan.FromMinutes(44));
        await Keeper.LookAsync(default);
        Assert.Equal(1, Store.Tokens);
        Time.Advance(TimeSpan.FromMinutes(1));
        await Keeper.LookAsync(default);
        Assert.Equal(2, Store.Tokens);

        Store.RevokeTokens();
        Store.Write("openai", "sk-second");
        await Keeper.LookAsync(default);
        Assert.Equal(("sk-second", 3), (Value(OpenAi), Store.Tokens));
    }

    [Fact]
    public async Task A_pod_proves_itself_with_its_token()
    {
        using var folder = TemporaryFolder.With("token", ScriptedKeyVault.PodToken + "\n");

        Assert.Empty(await PrepareAsync([OpenAi], With(Application() with { ClientSecret = null, FederatedTokenFile = folder.Path("token") })));

        Assert.Equal("sk-first", Value(OpenAi));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task The_identity_of_an_app_or_a_machine_needs_no_secret(bool isApp)
    {
        var identity = new AzureSecretsSettings
        {
            Address = Store.Url, MachineAddress = Store.Url,
            IdentityAddress = isApp ? Store.Url + "/app" : null, IdentityHeader = isApp ? new Secret(ScriptedKeyVault.IdentityHeader) : null,
        };

        Assert.Empty(await PrepareAsync([OpenAi], With(identity)));

        Assert.Equal("sk-first", Value(OpenAi));
    }

    [Fact]
    public async Task A_machine_without_an_identity_is_told_so() => Assert.Contains(
        "managed identity (status 401)",
        Assert.Single(await PrepareAsync([OpenAi], With(new() { Address = Store.Url, IdentityAddress = Store.Url + "/app", IdentityHeader = new Secret("another") }))),
        StringComparison.Ordinal);

    private protected override Task<ScriptedKeyVault> StartAsync() => ScriptedKeyVault.Start();

    private protected override bool IsRead(ReceivedRequest request) => request.Path.StartsWith("/secrets/", StringComparison.Ordinal);

    private protected override GatewayConfig SetUp() => With(Application());

    private protected override GatewayConfig OfStranger() => With(Application() with { ClientSecret = new Secret("not-the-secret") });

    private static GatewayConfig With(AzureSecretsSettings settings) => Empty with { AzureSecrets = settings };

    private AzureSecretsSettings Application() => new()
    {
        Address = Store.Url, Authority = Store.Url, TenantId = ScriptedKeyVault.TenantId, ClientId = ScriptedKeyVault.ClientId, ClientSecret = new Secret(ScriptedKeyVault.ClientSecret),
    };
}
