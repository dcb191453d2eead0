using Gateway.Configuration;
using Gateway.TestKit.Providers;

namespace Gateway.Edge.Tests.Credentials;

/// <summary>AWS Secrets Manager, which checks each signature.</summary>
public sealed class AwsSecretsTests() : CloudStoreTests<ScriptedAwsSecrets>(SecretStoreKind.Aws)
{
    private protected override string Name => "AWS Secrets Manager";

    private protected override string VariableOfWhoAsks => "AWS_SECRET_ACCESS_KEY";

    private protected override string VariableToSet => "AWS_ACCESS_KEY_ID";

    private protected override IEnumerable<string> NeverSaid => [ScriptedAwsSecrets.SecretAccessKey, "not-the-secret", ScriptedAwsSecrets.RoleToken];

    [Fact]
    public async Task An_ARN_names_its_own_region_and_no_other_is_needed()
    {
        var arn = $"arn:aws:secretsmanager:{ScriptedAwsSecrets.Region}:123456789012:secret:payments/openai-a1B2c3";
        Store.Write(arn, "sk-of-arn");
        var place = new SecretLocation(SecretStoreKind.Aws, arn, null);
        var elsewhere = Empty with { AwsSecrets = Static() with { Region = null } };

        Assert.Contains("AWS_REGION_NAME", Assert.Single(await PrepareAsync([OpenAi, place], elsewhere)), StringComparison.Ordinal);
        Assert.Empty(await PrepareAsync([place], elsewhere));

        Assert.Equal("sk-of-arn", Value(place));
    }

    [Fact]
    public async Task A_containers_role_fetches_its_keys_once_and_again_when_they_are_taken_back()
    {
        File.WriteAllText(Folder.Path("token"), ScriptedAwsSecrets.RoleToken + "\n");
        var role = new AwsSecretsSettings { Region = ScriptedAwsSecrets.Region, Endpoint = Store.Url, RoleAddress = Store.Url + "/role", RoleTokenFile = Folder.Path("token") };

        Assert.Empty(await PrepareAsync([OpenAi], Empty with { AwsSecrets = role }));
        await Keeper.LookAsync(default);
        Assert.Equal(("sk-first", 1), (Value(OpenAi), Store.Roles));

        Store.RevokeRole();
        Store.Write("openai", "sk-second");
        await Keeper.LookAsync(default);
        Assert.Equal(("sk-second", 2), (Value(OpenAi), Store.Roles));
    }

    [Fact]
    public async Task A_pod_takes_its_role_with_its_token_and_again_before_the_keys_end()
    {
        File.WriteAllText(Folder.Path("token"), ScriptedAwsSecrets.RoleToken + "\n");
        var pod = new AwsSecretsSettings
        {
            Region = ScriptedAwsSecrets.Region, Endpoint = Store.Url, TokenEndpoint = Store.Url + "/sts", RoleArn = ScriptedAwsSecrets.RoleArn, WebIdentityTokenFile = Folder.Path("token"),
        };

        Assert.Empty(await PrepareAsync([OpenAi], Empty with { AwsSecrets = pod }));
        Time.Advance(TimeSpan.FromMinutes(44));
        await Keeper.LookAsync(default);
        Assert.Equal(("sk-first", 1), (Value(OpenAi), Store.Roles));

        Time.Advance(TimeSpan.FromMinutes(1));
        await Keeper.LookAsync(default);
        Assert.Equal(2, Store.Roles);
        Assert.Contains(
            "check AWS_ROLE_ARN", Assert.Single(await PrepareAsync([OpenAi with { Path = "other" }], Empty with { AwsSecrets = pod with { RoleArn = "arn:aws:iam::1:role/other" } })), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_container_without_a_role_is_told_so() => Assert.Contains(
        "check that the container has a role",
        Assert.Single(await PrepareAsync([OpenAi], Empty with { AwsSecrets = new() { Region = ScriptedAwsSecrets.Region, RoleAddress = Store.Url + "/role" } })),
        StringComparison.Ordinal);

    private protected override Task<ScriptedAwsSecrets> StartAsync() => ScriptedAwsSecrets.Start();

    private protected override bool IsRead(ReceivedRequest request) => request.Path == "/";

    private protected override GatewayConfig SetUp() => Empty with { AwsSecrets = Static() };

    private protected override GatewayConfig OfStranger() => Empty with { AwsSecrets = Static() with { SecretAccessKey = new Secret("not-the-secret") } };

    private AwsSecretsSettings Static() => new()
    {
        Region = ScriptedAwsSecrets.Region, Endpoint = Store.Url, AccessKeyId = ScriptedAwsSecrets.AccessKeyId, SecretAccessKey = new Secret(ScriptedAwsSecrets.SecretAccessKey),
    };
}
