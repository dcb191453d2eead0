using System.Text.Json.Nodes;
using Gateway.Configuration;
using Gateway.Edge.Flow;
using Gateway.Edge.Messages;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using Gateway.Edge.Tests.Providers;
using Gateway.Edge.Tests.Surfaces;

namespace Gateway.Edge.Tests.Flow;

public sealed class UpstreamRequestTests
{
    [Theory]
    [InlineData("prod-chat", null, "max_tokens")]
    [InlineData("prod-chat", "azure/o3", "max_completion_tokens")]
    [InlineData("o3", "azure/gpt-4o", "max_tokens")]
    public async Task ADeploymentWithANameOfItsOwn_IsToldByItsBaseModel(string name, string? baseModel, string bound)
    {
        using var exchange = new SurfaceExchange(new MessagesSurface(), """{"model":"m","max_tokens":9,"messages":[{"role":"user","content":"x"}]}""");
        var model = new ModelDeployment { ModelName = "m", DeploymentId = "d", Provider = "azure", ProviderModel = name, Protocol = ProviderProtocol.Azure, BaseModel = baseModel };
        var target = new Deployment(
            model, name, ChatProviders.Find("azure")!, new ProviderTarget(name, new Uri("https://azure.example"), "k"), null, new DeploymentHealth(), []);

        using var request = UpstreamRequest.Make(exchange.Value, target, ProviderCases.Call()).Request;

        Assert.Equal(9, (int?)JsonNode.Parse(await request.Content!.ReadAsStringAsync())![bound]);
    }

    [Theory]
    [InlineData("mistral", """{"model":"m","messages":[{"role":"user","content":"x","\ud800":1}]}""")]
    [InlineData("anthropic", """{"model":"m","messages":[{"role":"user","content":"x"}],"tools":[{"type":"function","function":{"name":"f","parameters":{"\ud800":1}}}]}""")]
    public void ANameThatIsNoText_IsTheCallersFault(string protocol, string body)
    {
        using var exchange = new SurfaceExchange(null, body);
        var model = new ModelDeployment { ModelName = "m", DeploymentId = "d", Provider = protocol, ProviderModel = "p", Protocol = Enum.Parse<ProviderProtocol>(protocol, ignoreCase: true) };
        var target = new Deployment(model, "p", ChatProviders.Find(protocol)!, new ProviderTarget("p", new Uri("https://provider.example"), "k"), null, new DeploymentHealth(), []);

        Assert.Contains("surrogate", Assert.Throws<UntranslatableRequestException>(() => UpstreamRequest.Make(exchange.Value, target, ProviderCases.Call())).Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task ANameThatIsNoText_IsPassedOn_WhereTheBytesPass()
    {
        using var exchange = new SurfaceExchange(null, """{"model":"m","messages":[{"\ud800":1,"tool_call_id":"a__thought__b"}]}""");
        var model = new ModelDeployment { ModelName = "m", DeploymentId = "d", Provider = "openai", ProviderModel = "p", Protocol = ProviderProtocol.OpenAi };
        var target = new Deployment(model, "p", ChatProviders.Find("openai")!, new ProviderTarget("p", new Uri("https://provider.example"), "k"), null, new DeploymentHealth(), []);

        using var request = UpstreamRequest.Make(exchange.Value, target, ProviderCases.Call()).Request;

        Assert.Equal("""{"model":"p","messages":[{"\ud800":1,"tool_call_id":"a"}]}""", await request.Content!.ReadAsStringAsync());
    }

    [Fact]
    public void NamesThatACallerMadeUp_StandInTheHeader_SoThatItCanBeSent()
    {
        using var exchange = new SurfaceExchange(new MessagesSurface(), """{"model":"m","messages":[]}""");

        ReplyHeaders.Dropped(exchange.Value, ["a\r\nb", "é,x", new string('n', 500), .. Enumerable.Repeat("f", 1000)]);

        var header = exchange.Value.Context.Response.Headers["x-gateway-dropped-params"].ToString();
        Assert.StartsWith($"a??b,??x,{new string('n', 100)},f,f", header, StringComparison.Ordinal);
        Assert.Equal(64, header.Split(',').Length);
    }
}
