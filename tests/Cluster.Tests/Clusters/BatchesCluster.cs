using Gateway.Cluster.Tests.Calls;
using Gateway.TestKit;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Clusters;

/// <summary>Two edges before the sample provider's files and batches, and a scripted provider's; batches are looked at often.</summary>
public sealed class BatchesCluster : RunningCluster
{
    /// <summary>What does as a test says: each of its paths is a provider of its own.</summary>
    internal ScriptedProvider Upstream { get; private set; } = null!;

    public override async Task InitializeAsync()
    {
        Upstream = await ScriptedProvider.Start();
        await base.InitializeAsync();
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await Upstream.DisposeAsync();
    }

    /// <summary>A caller of one edge, with nothing in between.</summary>
    internal async Task<TeamClient> AtEdgeAsync(MadeKey key, string edge) => new(new Uri((await Gateway.ProgramAsync(edge)).Endpoints[0]).Port, key.Key);

    /// <summary>Lets every batch go on that the sample provider holds.</summary>
    internal async Task ReleaseAsync()
    {
        using var sample = await SampleAsync();
        (await sample.PostAsync(new Uri("/sample/batches/release", UriKind.Relative), null)).EnsureSuccessStatusCode();
    }

    /// <summary>The sample provider itself, as the edges see it.</summary>
    internal async Task<HttpClient> SampleAsync() => new() { BaseAddress = new Uri((await Gateway.ProgramAsync("sample-provider")).Endpoints[0]) };

    /// <summary>Sends a file to <c>/v1/files</c>, for a model where one is named.</summary>
    internal async Task<(int Status, string Text)> SendFileAsync(MadeKey key, string purpose, string content, string? model)
    {
        using var http = new HttpClient { BaseAddress = new Uri($"http://localhost:{Gateway.Port}"), DefaultRequestHeaders = { { "Authorization", $"Bearer {key.Key}" } } };
        using var form = new MultipartFormDataContent { { new StringContent(purpose), "purpose" }, { new StringContent(content), "file", "in.jsonl" } };
        if (model is not null)
        {
            form.Add(new StringContent(model), "model");
        }

        using var reply = await http.PostAsync(new Uri("/v1/files", UriKind.Relative), form);
        return ((int)reply.StatusCode, await reply.Content.ReadAsStringAsync());
    }

    private protected override GatewayClusterOptions Options() => new()
    {
        Config = $$$"""
            model_list:
              - {model_name: gpt-4o, litellm_params: {model: openai/gpt-4o}}
              - {model_name: gpt-4o-mini, litellm_params: {model: openai/gpt-4o-mini}}
              - {model_name: claude-2, litellm_params: {model: anthropic/claude-2}}
              - {model_name: silent-but-takes, litellm_params: {model: openai/gpt-4o, api_base: "{{{Upstream.Url}}}/takes/v1", api_key: sk-upstream, timeout: 2}}
              - {model_name: silent, litellm_params: {model: openai/gpt-4o, api_base: "{{{Upstream.Url}}}/silent/v1", api_key: sk-upstream, timeout: 2}}
              - {model_name: busy, litellm_params: {model: openai/gpt-4o, api_base: "{{{Upstream.Url}}}/busy/v1", api_key: sk-upstream}}
              - {model_name: pair, litellm_params: {model: openai/gpt-4o, api_base: "{{{Upstream.Url}}}/one/v1", api_key: sk-upstream}}
              - {model_name: pair, litellm_params: {model: openai/gpt-4o, api_base: "{{{Upstream.Url}}}/two/v1", api_key: sk-upstream}}
            router_settings: {num_retries: 2, fallbacks: [{pair: [gpt-4o]}]}
            """,
        Replicas = 2,
        Environment = new Dictionary<string, string?>
        {
            ["OPENAI_API_KEY"] = null,
            ["ANTHROPIC_API_KEY"] = null,
            ["GATEWAY__BATCHES__LOOKEVERY"] = "00:00:00.400",
            ["GATEWAY__BATCHES__TAKENWITHIN"] = "00:00:05",
            ["GATEWAY__BUDGETS__IDLEAFTER"] = "00:00:00.500",
        },
    };
}

[CollectionDefinition(Name)]
public sealed class BatchesCollection : ICollectionFixture<BatchesCluster>
{
    public const string Name = "the cluster of batches";
}
