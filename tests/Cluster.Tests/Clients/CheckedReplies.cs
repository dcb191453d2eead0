using System.Text.Json.Nodes;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Clients;

/// <summary>
/// Replies, each held to what its surface describes by <c>Clients/Node/replies.mjs</c>: the types of the official clients, and what OpenAI's published
/// description says (<c>openai-replies.yaml</c>). <c>GATEWAY_TEST_OPENAPI</c> may name the whole of another version of it.
/// </summary>
internal sealed class CheckedReplies(ITestOutputHelper output)
{
    private readonly List<JsonObject> replies = [];

    /// <summary>Adds one.</summary>
    /// <param name="label">What it is, for whoever reads that it is wrong.</param>
    /// <param name="type">A kind that the script knows.</param>
    /// <param name="json">Its body, or an event's data.</param>
    public void Add(string label, string type, string json) => replies.Add(new JsonObject { ["label"] = label, ["type"] = type, ["value"] = JsonNode.Parse(json) });

    /// <summary>Checks them all, and gives a line for each that is wrong: <c>wrong LABEL (TYPE, client or description): what</c>.</summary>
    public async Task<string[]> WrongAsync()
    {
        ClientsInNode.SkipWithout();
        var (exit, said, errors) = await ClientsInNode.RunAsync("replies", string.Join('\n', replies.Select(static reply => reply.ToJsonString())));
        output.WriteLine(said);
        var lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(exit == 0 && lines is [.., var last] && last.StartsWith($"checked {replies.Count},", StringComparison.Ordinal), $"replies.mjs ended with {exit}: {errors}");
        return [.. lines.Where(static line => line.StartsWith("wrong ", StringComparison.Ordinal))];
    }
}
