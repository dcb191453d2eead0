using BenchmarkDotNet.Attributes;
using Gateway.Configuration;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Bench.Micro;

/// <summary>The order in which a group's deployments are tried.</summary>
public class RouterBenchmarks
{
    private static readonly TimeSpan s_latencyTtl = TimeSpan.FromMinutes(10);
    private static readonly Func<double> s_chance = Random.Shared.NextDouble;

    private readonly UsageBasedStrategy strategy = new();
    private ModelGroup group = null!;

    [Params(1, 3, 10)]
    public int Deployments { get; set; }

    [GlobalSetup]
    public void Prepare() => group = new ModelGroup("gpt-4", [.. Enumerable.Range(0, Deployments).Select(Make)]);

    [Benchmark]
    public int Order() => Router.Order(group, strategy, s_latencyTtl, s_chance).Length;

    private static Deployment Make(int index)
    {
        var model = new ModelDeployment
        {
            ModelName = "gpt-4",
            DeploymentId = $"deployment-{index}",
            Provider = "openai",
            ProviderModel = "gpt-4",
            Protocol = ProviderProtocol.OpenAi,
        };
        return new Deployment(
            model, "gpt-4", ChatProviders.Find("openai")!, new ProviderTarget("gpt-4", new Uri("http://127.0.0.1:9/v1"), "sk-bench"), null, new DeploymentHealth(), []);
    }
}
