using System.Collections.Concurrent;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Upstreams;

/// <summary>
/// A provider of OpenAI's protocol in which every model is scripted by the test that uses it. A model without a script answers with
/// <see cref="InputTokens"/> and <see cref="OutputTokens"/>, which cost <see cref="Cost"/>.
/// </summary>
internal sealed class ScriptedModels : IAsyncDisposable
{
    public const long InputTokens = 10;
    public const long OutputTokens = 25;

    /// <summary>In nano-dollars: 10 and 30 dollars for a million tokens.</summary>
    public const long InputPrice = 10_000;
    public const long OutputPrice = 30_000;
    public const long Cost = (InputTokens * InputPrice) + (OutputTokens * OutputPrice);

    /// <summary>What a model without a script says.</summary>
    public static readonly string[] Pieces = ["Every ", "budget ", "has ", "an ", "end."];

    private const string GeminiPath = "/v1beta/models/";

    private readonly ScriptedProvider provider;
    private readonly ConcurrentDictionary<string, Func<Exchange, Task>> scripts = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Func<Exchange, Task>> paths = new(StringComparer.Ordinal);
    private static int count;

    private ScriptedModels(ScriptedProvider provider)
    {
        this.provider = provider;
        provider.OnRequest(AnswerAsync);
    }

    public string Url => provider.Url;

    public static async Task<ScriptedModels> StartAsync() => new(await ScriptedProvider.Start());

    /// <summary>A model's name that no other test has, under one of the prefixes of the cluster's configuration.</summary>
    public static string NewModel(string prefix = "s") => $"{prefix}-{Interlocked.Increment(ref count)}";

    /// <summary>What a model does with each of its requests.</summary>
    public void Script(string model, Func<Exchange, Task> script) => scripts[model] = script;

    /// <summary>What is answered under a path, whose requests name no model.</summary>
    public void Serve(string path, Func<Exchange, Task> script) => paths[path] = script;

    public void Script(string model, Reply reply) => scripts[model] = exchange => exchange.Send(reply);

    /// <summary>The requests that reached a model, in order.</summary>
    public IReadOnlyList<ReceivedRequest> RequestsOf(string model) => [.. provider.Requests.Where(request => ModelOf(request) == model)];

    /// <summary>Waits until so many requests have reached the model.</summary>
    public Task<IReadOnlyList<ReceivedRequest>> WaitForRequestsAsync(string model, int requests = 1) => Eventually.Is(
        () => Task.FromResult(RequestsOf(model)), seen => seen.Count >= requests, $"{requests} requests have reached {model}");

    public static Task OrdinaryAsync(Exchange exchange)
    {
        var model = ModelOf(exchange.Request)!;
        return exchange.Send(OpenAiReplies.WantsStream(exchange.Request)
            ? OpenAiReplies.Stream(exchange.Request, model, Pieces, InputTokens, OutputTokens)
            : OpenAiReplies.Whole(model, string.Concat(Pieces), InputTokens, OutputTokens));
    }

    public ValueTask DisposeAsync() => provider.DisposeAsync();

    private Task AnswerAsync(Exchange exchange) =>
        paths.TryGetValue(exchange.Request.Path, out var served) ? served(exchange)
        : scripts.TryGetValue(ModelOf(exchange.Request)!, out var script) ? script(exchange) : OrdinaryAsync(exchange);

    // Gemini's models stand in the path.
    private static string? ModelOf(ReceivedRequest request) =>
        request.Path.StartsWith(GeminiPath, StringComparison.Ordinal) ? request.Path[GeminiPath.Length..request.Path.LastIndexOf(':')]
        : request.Body.Length == 0 ? null : request.Json.GetProperty("model").GetString();
}
