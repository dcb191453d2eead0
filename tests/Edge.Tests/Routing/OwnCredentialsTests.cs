using Gateway.Configuration;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Tests.Routing;

/// <summary>A group as an owner calls it that has credentials of its own.</summary>
public sealed class OwnCredentialsTests
{
    private readonly RoutingTable table;
    private int made;

    public OwnCredentialsTests()
    {
        var group = new ModelGroup("gpt", [Make("eu", "azure"), Make("us", "openai"), Make("mock", "openai", "A fixed answer.")]) { Fallbacks = ["other"] };
        table = new RoutingTable(
            new GatewayConfig { FileName = "c", Version = "1" }, [group], [], new SimpleShuffleStrategy(), (deployment, name) =>
            {
                made++;
                return Make($"{deployment.Id}+{name}", deployment.Provider);
            });
    }

    [Theory]
    [InlineData("eu", "eu+x us mock")]
    [InlineData("gpt", "eu+x us+x mock")]
    [InlineData("openai", "eu us+x mock")]
    [InlineData("anthropic", "eu us mock")]
    public void A_credential_is_named_by_deployment_model_or_provider(string target, string deployments) =>
        Assert.Equal(deployments, Ids(new() { [target] = "x" }));

    [Fact]
    public void The_most_particular_name_wins() =>
        Assert.Equal("eu+of-eu us+of-gpt mock", Ids(new() { ["azure"] = "of-azure", ["openai"] = "of-openai", ["gpt"] = "of-gpt", ["eu"] = "of-eu" }));

    [Fact]
    public void A_deployment_is_made_once_for_each_credential_and_the_group_keeps_its_rules()
    {
        var group = table.Find("gpt")!;
        var first = table.With(group, new Dictionary<string, string> { ["openai"] = "x" });
        var second = table.With(group, new Dictionary<string, string> { ["openai"] = "x" });

        Assert.Same(first.Deployments[1], second.Deployments[1]);
        Assert.Equal((1, "other"), (made, Assert.Single(first.Fallbacks)));
        Assert.Same(group, table.With(group, new Dictionary<string, string> { ["anthropic"] = "x" }));
    }

    private string Ids(Dictionary<string, string> credentials) =>
        string.Join(' ', table.With(table.Find("gpt")!, credentials).Deployments.Select(static deployment => deployment.Id));

    private static Deployment Make(string id, string provider, string? mocked = null) => new(
        new ModelDeployment { ModelName = "gpt", DeploymentId = id, Provider = provider, ProviderModel = "m", Protocol = ProviderProtocol.OpenAi, MockResponse = mocked },
        "m", ChatProviders.Find("openai")!, new ProviderTarget("m", new Uri("http://h/v1"), "k"), null, new DeploymentHealth(), []);
}
