using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;

namespace Gateway.Cluster.Tests.Budgets;

/// <summary>Many calls at once.</summary>
internal static class Race
{
    public const string Text = "How much is left?";

    public static Task<Answer[]> ChatAsync(TeamClient team, string model, int calls, string text, int? maxTokens = null) =>
        Task.WhenAll(Enumerable.Range(0, calls).Select(_ => team.ChatAsync(model, text, maxTokens)));

    /// <summary>Calls at once of a caller who comes again when the gateway asks for it (503): on a busy machine a store may take its time.</summary>
    public static Task<Answer[]> PostAsync(TeamClient team, JsonObject body, int calls) => Task.WhenAll(Enumerable.Range(0, calls).Select(_ => Eventually.Is(
        () => team.PostAsync("/v1/chat/completions", body), static answer => answer.Status != 503, "the gateway can say what is left")));

    /// <summary>The answers that were given; all others must be refusals of the budget.</summary>
    public static IReadOnlyList<Answer> Answered(IEnumerable<Answer> answers)
    {
        var groups = answers.ToLookup(static answer => answer.Status == 200);
        Assert.All(groups[false], static answer => answer.IsError(429, "budget_exceeded"));
        return [.. groups[true]];
    }

    /// <summary>A caller of each edge, with nothing in between.</summary>
    public static async Task<IReadOnlyList<TeamClient>> AtEveryEdgeAsync(RunningCluster cluster, MadeKey key) =>
        [.. (await cluster.Gateway.ProgramsAsync()).Where(static program => program.Resource == "edge").Select(edge => new TeamClient(new Uri(edge.Endpoints[0]).Port, key.Key))];

    /// <summary>Each edge has answered the same request for somebody else: what it costs is known everywhere.</summary>
    public static async Task TeachEveryEdgeAsync(RunningCluster cluster, string model, int? maxTokens = null)
    {
        var key = await cluster.Admin.NewKeyAsync(new { key_alias = AdminClient.NewName("teacher") });
        foreach (var direct in await AtEveryEdgeAsync(cluster, key))
        {
            Assert.Equal(ScriptedModels.Cost, (await direct.ChatAsync(model, Text, maxTokens)).Cost);
            direct.Dispose();
        }
    }

    /// <summary>The provider answers no request for <paramref name="model"/> before the gate is opened.</summary>
    public static TaskCompletionSource Gate(ScriptedModels upstream, string model)
    {
        var gate = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        upstream.Script(model, async exchange =>
        {
            await gate.Task.WaitAsync(exchange.Ended);
            await ScriptedModels.OrdinaryAsync(exchange);
        });
        return gate;
    }
}
