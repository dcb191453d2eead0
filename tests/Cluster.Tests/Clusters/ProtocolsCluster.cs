using System.Collections.Concurrent;
using System.Globalization;
using Gateway.Cluster.Tests.Protocols;
using Gateway.TestKit;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Clusters;

/// <summary>
/// One edge, and a model behind every protocol that the gateway speaks upstream. Each has the protocol's name; all are answered by one server
/// of the test's, which tells them apart by the first part of the path and says what the test has given it.
/// </summary>
public sealed class ProtocolsCluster : RunningCluster
{
    public const string Key = "team-protocols-token";

    /// <summary>How long a model with <c>-timed</c> behind its name has until its first byte.</summary>
    public const int TimedSeconds = 2;

    private readonly ConcurrentDictionary<string, Reply> answers = new(StringComparer.Ordinal);

    internal ScriptedProvider Upstream { get; private set; } = null!;

    /// <summary>What a protocol's server answers from now on.</summary>
    internal void Answer(string protocol, Reply reply) => answers[protocol] = reply;

    public override async Task InitializeAsync()
    {
        Upstream = (await ScriptedProvider.Start()).OnRequest(AnswerAsync);
        await base.InitializeAsync();
    }

    public override async Task DisposeAsync()
    {
        await base.DisposeAsync();
        await Upstream.DisposeAsync();
    }

    private protected override GatewayClusterOptions Options() => new()
    {
        Config = string.Create(CultureInfo.InvariantCulture, $"""
            model_list:
            {string.Join('\n', Protocol.All.SelectMany(protocol => new[] { Model(protocol, protocol.Name, null), Model(protocol, protocol.Name + "-timed", $"timeout: {TimedSeconds}") })
                .Concat(Protocol.Rerankers.Concat(Protocol.Quirky).Concat(Protocol.OneByOne).Concat(Protocol.Profiles).Select(protocol => Model(protocol, protocol.Name, null))).Concat(Protocol.Quirky.Select(protocol => Model(protocol, protocol.Name + "-strict", "drop_params: false"))))}

            router_settings:
              num_retries: 0
              disable_cooldowns: true

            litellm_settings:
              drop_params: true

            user_access:
              - user_id: team-protocols
                models: ["*"]
                max_budget: 500.00
            """),
    };

    private string Model(Protocol protocol, string name, string? more) => $"""
          - model_name: {name}
            litellm_params:
              model: {protocol.Model}
              api_base: {Upstream.Url}/{protocol.Name}{protocol.BasePath}
              {protocol.Credential}
              {more}
        """;

    private Task AnswerAsync(Exchange exchange)
    {
        var path = exchange.Request.Path;
        var protocol = path.Split('/')[1];
        // A server that has chat alone: what else OpenAI has is asked of it in chat's words.
        var isOther = path.EndsWith("/responses", StringComparison.Ordinal) || (path.EndsWith("/completions", StringComparison.Ordinal) && !path.EndsWith("/chat/completions", StringComparison.Ordinal));
        return exchange.Send(isOther || !answers.TryGetValue(protocol, out var answer) ? Reply.Json(404, """{"error":{"message":"Not found."}}""") : answer);
    }
}

[CollectionDefinition(Name)]
public sealed class ProtocolsCollection : ICollectionFixture<ProtocolsCluster>
{
    public const string Name = "the cluster of every protocol";
}
