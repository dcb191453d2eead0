using System.Text;
using Gateway.Configuration;
using Gateway.Edge.Batches;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using Gateway.Pricing;

namespace Gateway.Edge.Tests.Batches;

/// <summary>Deployments, prices and files of batches.</summary>
internal static class TestBatches
{
    /// <summary>A price with a tier of batches: input 1, output 4 nano-dollars for a thousandth of a token's usual 2 and 8.</summary>
    public static ModelPrice Price { get; } = new(
        "openai", "gpt-4o",
        new PriceTier(ServiceTier.Standard, 0, new TokenRates { Input = 2, Output = 8 }),
        new PriceTier(ServiceTier.Batch, 0, new TokenRates { Input = 1, Output = 4 }),
        new PriceTier(ServiceTier.Batch, 1_000, new TokenRates { Input = 3, Output = 5 })) { ContextWindow = 128_000, MaxOutputTokens = 1_000 };

    public static Deployment Target(string model = "gpt-4o", string provider = "openai", ModelPrice? price = null, bool hasBatches = true) => new(
        new ModelDeployment { ModelName = "public", DeploymentId = "d1", Provider = provider, ProviderModel = model, Protocol = ProviderProtocol.OpenAi },
        model, ChatProviders.Find("openai")!, new ProviderTarget(model, new Uri("http://127.0.0.1:9/v1"), "sk-test") { HasBatches = hasBatches, HasResponses = true }, price ?? Price,
        new DeploymentHealth(), []);

    public static string Line(string id, string body = """{"model":"public","messages":[{"role":"user","content":"Hi"}],"max_tokens":10}""", string url = "/v1/chat/completions") =>
        $$"""{"custom_id":"{{id}}","method":"POST","url":"{{url}}","body":{{body}}}""";

    /// <summary>Reads an input as a file is read, in pieces of any size.</summary>
    public static async Task<(BatchInput Input, string Written, GatewayError? Error)> ReadAsync(string text, Deployment? target = null)
    {
        var input = new BatchInput((model, endpoint) => model != "public" ? (null, new GatewayError(403, "model_access_denied", "No.", "model"))
            : endpoint.ServedBy(target ?? Target()) ? (target ?? Target(), null) : (null, new GatewayError(400, "operation_unsupported", "No.", "model")));
        using var written = new MemoryStream();
        var error = await input.CopyAsync(new MemoryStream(Encoding.UTF8.GetBytes(text)), written, default);
        return (input, Encoding.UTF8.GetString(written.ToArray()), error);
    }
}
