using System.Text;
using Gateway.Configuration;
using Gateway.Edge.Flow;
using Gateway.Edge.Messages;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using Gateway.Edge.Tests.Providers;
using Gateway.Edge.Tests.Surfaces;

namespace Gateway.Edge.Tests.Messages;

/// <summary>A conversation that passes to Anthropic, with ids that other models made.</summary>
public sealed class ForeignToolIdsTests
{
    [Theory]
    [InlineData(
        """{"model":"m","messages":[{"role":"assistant","content":[{"type":"tool_use", "id": "functions.Bash:0","name":"Bash","input":{"id":"a.b"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id" : "functions.Bash:0","content":"functions.Bash:0"}]}]}""",
        """{"model":"p","messages":[{"role":"assistant","content":[{"type":"tool_use", "id": "functions_Bash_0","name":"Bash","input":{"id":"a.b"}}]},{"role":"user","content":[{"type":"tool_result","tool_use_id" : "functions_Bash_0","content":"functions.Bash:0"}]}]}""")]
    [InlineData(
        """{"messages":[{"content":[{"type":"tool_use","id":"a_b"},{"type":"tool_use","id":"a.b"},{"type":"tool_use","id":""}]},{"content":[{"type":"tool_result","tool_use_id":"a.b"},{"type":"tool_result","tool_use_id":"a_b"},{"type":"tool_result","tool_use_id":""}]}],"model":"m"}""",
        """{"messages":[{"content":[{"type":"tool_use","id":"a_b"},{"type":"tool_use","id":"a_b_2"},{"type":"tool_use","id":"call"}]},{"content":[{"type":"tool_result","tool_use_id":"a_b_2"},{"type":"tool_result","tool_use_id":"a_b"},{"type":"tool_result","tool_use_id":"call"}]}],"model":"p"}""")]
    // Gemini's signature behind it goes, too.
    [InlineData(
        """{"model":"m","messages":[{"content":[{"type":"tool_use","id":"a.b__thought__YQ"}]},{"content":[{"type":"tool_result","tool_use_id":"a.b__thought__YQ"}]}]}""",
        """{"model":"p","messages":[{"content":[{"type":"tool_use","id":"a_b"}]},{"content":[{"type":"tool_result","tool_use_id":"a_b"}]}]}""")]
    // What is no call of a tool, and what Anthropic takes, stays.
    [InlineData(
        """{"model":"m","messages":[{"content":[{"type":"tool_use","id":"toolu_1-A"},{"type":"text","text":"\"tool_use_id\":\"a.b\""}]},{"content":[{"type":"tool_result","tool_use_id":"toolu_1-A"}]}]}""",
        """{"model":"p","messages":[{"content":[{"type":"tool_use","id":"toolu_1-A"},{"type":"text","text":"\"tool_use_id\":\"a.b\""}]},{"content":[{"type":"tool_result","tool_use_id":"toolu_1-A"}]}]}""")]
    [InlineData(
        """{"model":"m","messages":[{"content":[{"type":"tool_use","id":"\ud800.","input":{}},{"type":"x","tool_use_id":"a.b"},{"type":"tool_result","tool_use_id":7}]}]}""",
        """{"model":"p","messages":[{"content":[{"type":"tool_use","id":"\ud800.","input":{}},{"type":"x","tool_use_id":"a.b"},{"type":"tool_result","tool_use_id":7}]}]}""")]
    public async Task AnIdThatAnthropicRefuses_IsSaidAsItTakesIt_AndNothingElseIsChanged(string body, string expected)
    {
        using var exchange = new SurfaceExchange(new MessagesSurface(), body);
        exchange.Value.Passed = MessagesPassed.Instance;
        var target = Target("anthropic", "https://api.anthropic.com");

        using var request = UpstreamRequest.Make(exchange.Value, target, ProviderCases.Call()).Request;

        Assert.Equal(expected, await request.Content!.ReadAsStringAsync());
        Assert.Equal(expected, Encoding.UTF8.GetString(new SplicedContent(exchange.Value.Body.Memory, new MessagesCounted(new MessagesSurface()).Splices(exchange.Value.Body.Memory, exchange.Value.Head, target)).ToArray()));
    }

    /// <summary>Another's server that speaks Anthropic's messages takes the ids that its model made, and the model may go by them.</summary>
    [Theory]
    [InlineData("anthropic", "https://api.anthropic.com/v1", true)]
    [InlineData("anthropic", "https://made.services.ai.azure.com/anthropic", true)]
    [InlineData("vertex-claude", "https://aiplatform.googleapis.com", true)]
    [InlineData("anthropic", "https://api.moonshot.ai/anthropic", false)]
    [InlineData("anthropic", "http://vllm:8000", false)]
    [InlineData("anthropic", "https://notanthropic.com", false)]
    public async Task AnId_IsChangedOnlyWhereAnthropicsServersReadIt(string protocol, string address, bool changed)
    {
        using var exchange = new SurfaceExchange(new MessagesSurface(), """{"model":"m","messages":[{"content":[{"type":"tool_use","id":"f.B:0"}]},{"content":[{"type":"tool_result","tool_use_id":"f.B:0"}]}]}""");
        exchange.Value.Passed = MessagesPassed.Instance;
        var target = Target(protocol, address);

        using var request = UpstreamRequest.Make(exchange.Value, target, ProviderCases.Call()).Request;

        var id = changed ? "f_B_0" : "f.B:0";
        Assert.Contains($$"""{"type":"tool_use","id":"{{id}}"}]},{"content":[{"type":"tool_result","tool_use_id":"{{id}}"}""", await request.Content!.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(changed ? 3 : 1, new MessagesCounted(new MessagesSurface()).Splices(exchange.Value.Body.Memory, exchange.Value.Head, target).Count);
    }

    private static Deployment Target(string protocol, string address)
    {
        var model = new ModelDeployment { ModelName = "m", DeploymentId = "d", Provider = "p", ProviderModel = "p", Protocol = ProviderProtocol.Anthropic };
        return new Deployment(model, "p", ChatProviders.Find(protocol)!, new ProviderTarget("p", new Uri(address), "k"), null, new DeploymentHealth(), []);
    }
}
