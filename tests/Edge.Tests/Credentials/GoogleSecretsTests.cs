using Gateway.Configuration;
using Gateway.TestKit.Providers;

namespace Gateway.Edge.Tests.Credentials;

/// <summary>Google Secret Manager, which checks each assertion of a service account.</summary>
public sealed class GoogleSecretsTests() : CloudStoreTests<ScriptedGoogleSecrets>(SecretStoreKind.Google)
{
    private protected override string Name => "Google Secret Manager";

    private protected override string VariableOfWhoAsks => "GOOGLE_APPLICATION_CREDENTIALS";

    private protected override string VariableToSet => "GOOGLE_SECRET_MANAGER_PROJECT_ID";

    private protected override IEnumerable<string> NeverSaid => ["ya29.", "PRIVATE KEY"];

    [Fact]
    public async Task A_project_may_stand_in_the_place()
    {
        var place = new SecretLocation(SecretStoreKind.Google, $"projects/{ScriptedGoogleSecrets.Project}/secrets/openai", null);

        Assert.Empty(await PrepareAsync([place], Empty with { GoogleSecrets = Account() with { Project = null } }));

        Assert.Equal("sk-first", Value(place));
        Assert.Equal($"/v1/projects/{ScriptedGoogleSecrets.Project}/secrets/openai/versions/latest:access", Assert.Single(Store.Requests, IsRead).Path);
    }

    [Fact]
    public async Task The_account_of_the_machine_gets_a_token_once_and_another_when_it_is_refused()
    {
        var machine = Empty with { GoogleSecrets = Account() with { ServiceAccountFile = null, MetadataHost = new Uri(Store.Url).Authority } };

        Assert.Empty(await PrepareAsync([OpenAi], machine));
        await Keeper.LookAsync(default);
        Assert.Equal(("sk-first", 1), (Value(OpenAi), Store.Tokens));

        Store.RevokeTokens();
        Store.Write("openai", "sk-second");
        await Keeper.LookAsync(default);
        Assert.Equal(("sk-second", 2), (Value(OpenAi), Store.Tokens));

        Time.Advance(TimeSpan.FromMinutes(46));
        await Keeper.LookAsync(default);
        Assert.Equal(3, Store.Tokens);
    }

    private protected override Task<ScriptedGoogleSecrets> StartAsync() => ScriptedGoogleSecrets.Start();

    private protected override bool IsRead(ReceivedRequest request) => request.Path.EndsWith(":access", StringComparison.Ordinal);

    private protected override GatewayConfig SetUp() => Empty with { GoogleSecrets = Account() };

    private protected override GatewayConfig OfStranger()
    {
        var file = Folder.Path("stranger.json");
        File.WriteAllText(file, Store.ServiceAccount.Replace("edge@", "stranger@", StringComparison.Ordinal));
        return Empty with { GoogleSecrets = Account() with { ServiceAccountFile = file } };
    }

    private GoogleSecretsSettings Account()
    {
        File.WriteAllText(Folder.Path("account.json"), Store.ServiceAccount);
        return new() { Project = ScriptedGoogleSecrets.Project, Endpoint = Store.Url, ServiceAccountFile = Folder.Path("account.json") };
    }
}
