using System.Net.ServerSentEvents;
using System.Text;
using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clients;
using Gateway.Cluster.Tests.Clusters;
using Gateway.TestKit.Providers;
using Xunit.Abstractions;

namespace Gateway.Cluster.Tests.Protocols;

/// <summary>
/// Every reply of every surface, translated from every protocol, against the types of the official clients, which their makers make of
/// their published descriptions (<c>Clients/Node/replies.mjs</c>). <c>GATEWAY_TEST_OPENAPI</c> may name OpenAI's description itself.
/// </summary>
[Collection(ProtocolsCollection.Name)]
public sealed class RepliesTests(ProtocolsCluster cluster, ITestOutputHelper output)
{
    private const string Tools = """[{"type":"function","name":"get_weather"},{"type":"custom","name":"free"}]""";

    private readonly List<JsonObject> replies = [];

    [SkippableFact]
    public async Task Every_reply_is_what_its_surface_describes_and_one_that_is_not_is_found()
    {
        ClientsInNode.SkipWithout();
        Add("wrong 1", "chat", """{"id":"a","object":"chat.completion","created":1,"model":"m"}""");
        Add("wrong 2", "response_event", """{"type":"response.output_text.delta","delta":"x"}""");
        Add("wrong 3", "message_event", """{"type":"message_of_tomorrow"}""");
        Add("wrong 4", "completion_chunk", """{"id":"a","object":"text_completion","created":1,"model":"m","choices":[{"index":0,"logprobs":null,"finish_reason":null}]}""");
        Add("wrong 5", "moderation", """{"id":"a","model":"m","results":[{"flagged":"no"}]}""");
        Add("wrong 6", "ollama_chat", """{"model":"m","created_at":"2026-01-01T00:00:00Z","done":true}""");
        Add("wrong 7", "cohere_event", """{"type":"event-of-tomorrow"}""");
        Add("wrong 8", "cohere_chat", """{"id":"a","finish_reason":"STOPPED","message":{"role":"assistant"}}""");
        using var team = cluster.Team(ProtocolsCluster.Key);
        foreach (var protocol in Protocol.All)
        {
            await OfAsync(team, protocol);
        }

        await OperationsAsync(team);
        Add("the list of models", "models", Body(await team.GetAsync("/v1/models")));
        Add("a model", "model", Body(await team.GetAsync("/v1/models/openai")));
        Add("an unknown model", "openai_error", (await team.ChatAsync("nobody's")).Body);
        Add("no model", "openai_error", (await team.PostAsync("/v1/embeddings", new JsonObject())).Body);
        using var nobody = cluster.Team("sk-nobody");
        Add("an unknown key", "openai_error", (await nobody.ChatAsync("openai")).Body);
        Add("an unknown key of messages", "anthropic_error", (await nobody.PostAsync("/v1/messages", Message("openai"))).Body);
        var wrong = await WrongAsync();

        Assert.Equal(["wrong wrong 1", "wrong wrong 2", "wrong wrong 3", "wrong wrong 4", "wrong wrong 5", "wrong wrong 6", "wrong wrong 7", "wrong wrong 8"], wrong.Where(static line => line.StartsWith("wrong wrong", StringComparison.Ordinal)).Select(static line => line[..13]).Distinct());
        Assert.DoesNotContain(wrong, static line => !line.StartsWith("wrong wrong", StringComparison.Ordinal));
    }

    private async Task OfAsync(TeamClient team, Protocol protocol)
    {
        foreach (var test in protocol.Cases("reply"))
        {
            cluster.Answer(protocol.Name, protocol.Reply("reply", test));
            await WholeAsync(team, protocol, $"{protocol} {test}");
        }

        foreach (var test in protocol.Cases("stream"))
        {
            cluster.Answer(protocol.Name, protocol.Reply("stream", test));
            await StreamedAsync(team, protocol, $"{protocol} {test}");
        }

        foreach (var test in protocol.Cases("error"))
        {
            cluster.Answer(protocol.Name, protocol.Reply("error", test));
            Add($"{protocol} error {test} of chat", "openai_error", (await team.PostAsync("/v1/chat/completions", Chat(protocol.Name))).Body);
            Add($"{protocol} error {test} of Ollama's chat", "ollama_error", (await team.PostAsync("/api/chat", Chat(protocol.Name))).Body);
            Add($"{protocol} error {test} of Cohere's chat", "cohere_error", (await team.PostAsync("/v2/chat", Chat(protocol.Name))).Body);
            Add($"{protocol} error {test} of responses", "openai_error", (await team.PostAsync("/v1/responses", Response(protocol.Name))).Body);
            if (protocol.Name != "anthropic")
            {
                Add($"{protocol} error {test} of messages", "anthropic_error", (await team.PostAsync("/v1/messages", Message(protocol.Name))).Body);
            }
        }
    }

    /// <summary>What else is asked of a model, by the protocols that have words of their own for it.</summary>
    private async Task OperationsAsync(TeamClient team)
    {
        foreach (var (name, folder, operation, path) in ((string, string, string, string)[])
        [
            ("cohere", "Cohere", "embeddings", "/v1/embeddings"), ("gemini", "Gemini", "embeddings", "/v1/embeddings"), ("vertex", "Vertex", "embeddings", "/v1/embeddings"),
            ("ollama", "Ollama", "embeddings", "/v1/embeddings"), ("gemini", "Gemini", "images", "/v1/images/generations"), ("vertex", "Vertex", "images", "/v1/images/generations"),
        ])
        {
            var protocol = Protocol.Of(name) with { Folder = folder };
            var request = protocol.Read(operation, "plain")["request"]!.DeepClone();
            request["model"] = name;
            cluster.Answer(name, protocol.Reply(operation, "plain"));
            Add($"{operation} of {name}", operation, Body(await team.PostAsync(path, request)));
            if (operation == "embeddings")
            {
                await EmbeddingsAsync(team, name);
            }
        }

        foreach (var name in (string[])["openai", "mistral"])
        {
            cluster.Answer(name, Reply.Json(200, Moderation().ToJsonString()));
            Add($"moderation of {name}", "moderation", Body(await team.PostAsync("/v1/moderations", new JsonObject { ["model"] = name, ["input"] = "Hello!" })));
        }
    }

    /// <summary>Vectors as Ollama's and Cohere's clients get them of others.</summary>
    private async Task EmbeddingsAsync(TeamClient team, string name)
    {
        if (name != "ollama")
        {
            Add($"vectors of {name} for Ollama's client", "ollama_embeddings", Body(await team.PostAsync("/api/embed", new JsonObject { ["model"] = name, ["input"] = "a" })));
        }

        if (name != "cohere")
        {
            var asked = new JsonObject { ["model"] = name, ["texts"] = new JsonArray("a"), ["input_type"] = "search_query", ["embedding_types"] = new JsonArray("float", "base64") };
            Add($"vectors of {name} for Cohere's client", "cohere_embeddings", Body(await team.PostAsync("/v2/embed", asked)));
        }
    }

    private async Task WholeAsync(TeamClient team, Protocol protocol, string test)
    {
        // What passes is the provider's own: it may be anything.
        if (!protocol.IsOpenAis)
        {
            Add($"{test} as chat", "chat", Body(await team.PostAsync("/v1/chat/completions", Chat(protocol.Name))));
        }

        Add($"{test} as response", "response", Body(await team.PostAsync("/v1/responses", Response(protocol.Name))));
        Add($"{test} as completion", "completion", Body(await team.PostAsync("/v1/completions", new JsonObject { ["model"] = protocol.Name, ["prompt"] = "Hello!" })));
        if (protocol.Folder != "Ollama")
        {
            Add($"{test} as Ollama's", "ollama_chat", Body(await team.PostAsync("/api/chat", Streamed(Chat(protocol.Name), false))));
            Add($"{test} as generated", "ollama_generated", Body(await team.PostAsync("/api/generate", Streamed(new JsonObject { ["model"] = protocol.Name, ["prompt"] = "Hello!" }, false))));
        }

        if (protocol.Folder != "Cohere")
        {
            Add($"{test} as Cohere's", "cohere_chat", Body(await team.PostAsync("/v2/chat", Chat(protocol.Name))));
        }

        if (protocol.Folder != "Anthropic")
        {
            Add($"{test} as message", "message", Body(await team.PostAsync("/v1/messages", Message(protocol.Name))));
            Add($"{test}'s tokens", "message_tokens", Body(await team.PostAsync("/v1/messages/count_tokens", Message(protocol.Name))));
        }
    }

    private async Task StreamedAsync(TeamClient team, Protocol protocol, string test)
    {
        if (!protocol.IsOpenAis)
        {
            AddEvents($"{test} streamed as chat", "chat_chunk", "openai_error", await team.PostAsync("/v1/chat/completions", Chat(protocol.Name, stream: true)));
        }

        AddEvents($"{test} streamed as completion", "completion_chunk", "openai_error", await team.PostAsync("/v1/completions", new JsonObject
        {
            ["model"] = protocol.Name, ["prompt"] = "Hello!", ["stream"] = true, ["stream_options"] = new JsonObject { ["include_usage"] = true },
        }));
        AddEvents($"{test} streamed as response", "response_event", "openai_error", await team.PostAsync("/v1/responses", Response(protocol.Name, stream: true)));
        if (protocol.Folder != "Ollama")
        {
            AddLines($"{test} streamed as Ollama's", await team.PostAsync("/api/chat", Chat(protocol.Name)));
        }

        if (protocol.Folder != "Cohere")
        {
            AddEvents($"{test} streamed as Cohere's", "cohere_event", "cohere_error", await team.PostAsync("/v2/chat", Streamed(Chat(protocol.Name), true)));
        }

        if (protocol.Folder != "Anthropic")
        {
            AddEvents($"{test} streamed as message", "message_event", "anthropic_error", await team.PostAsync("/v1/messages", Message(protocol.Name, stream: true)));
        }
    }

    private static string Body(Answer answer)
    {
        answer.IsOk();
        return answer.Body;
    }

    private void AddEvents(string label, string type, string errorType, Answer answer)
    {
        if (answer.Status != 200)
        {
            Add(label, errorType, answer.Body);
            return;
        }

        using var body = new MemoryStream(Encoding.UTF8.GetBytes(answer.Body));
        foreach (var (item, index) in SseParser.Create(body).Enumerate().Where(static item => item.Data != "[DONE]").Select(static (item, index) => (item, index)))
        {
            // Responses have an event of their own for an error; the others end with the envelope.
            var isError = type != "response_event" && JsonNode.Parse(item.Data)!["error"] is not null;
            Add($"{label}, event {index}", isError ? errorType : type, item.Data);
        }
    }

    private void AddLines(string label, Answer answer)
    {
        foreach (var (line, index) in answer.Body.TrimEnd('\n').Split('\n').Select(static (line, index) => (line, index)))
        {
            var said = JsonNode.Parse(line)!;
            Add($"{label}, line {index}", said["error"] is not null ? "ollama_error" : (bool)said["done"]! ? "ollama_chat" : "ollama_line", line);
        }
    }

    private static JsonObject Streamed(JsonObject body, bool stream)
    {
        body["stream"] = stream;
        return body;
    }

    private void Add(string label, string type, string json) => replies.Add(new JsonObject { ["label"] = label, ["type"] = type, ["value"] = JsonNode.Parse(json) });

    private async Task<string[]> WrongAsync()
    {
        ClientsInNode.SkipWithout();
        var (exit, said, errors) = await ClientsInNode.RunAsync("replies", string.Join('\n', replies.Select(static reply => reply.ToJsonString())));
        output.WriteLine(said);
        var lines = said.Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.True(exit == 0 && lines is [.., var last] && last.StartsWith($"checked {replies.Count}", StringComparison.Ordinal), $"replies.mjs ended with {exit}: {errors}");
        return [.. lines.Where(static line => line.StartsWith("wrong ", StringComparison.Ordinal))];
    }

    /// <summary>What OpenAI's own answers (https://platform.openai.com/docs/api-reference/moderations/object).</summary>
    private static JsonObject Moderation()
    {
        string[] categories =
        [
            "harassment", "harassment/threatening", "hate", "hate/threatening", "illicit", "illicit/violent", "self-harm", "self-harm/instructions", "self-harm/intent",
            "sexual", "sexual/minors", "violence", "violence/graphic",
        ];
        JsonObject Each(Func<JsonNode> value) => new(categories.Select(category => KeyValuePair.Create(category, (JsonNode?)value())));
        var result = new JsonObject
        {
            ["flagged"] = false, ["categories"] = Each(static () => false), ["category_scores"] = Each(static () => 0.01), ["category_applied_input_types"] = Each(static () => new JsonArray("text")),
        };
        return new() { ["id"] = "modr-1", ["model"] = "omni-moderation-latest", ["results"] = new JsonArray(result) };
    }

    private static JsonObject Chat(string model, bool stream = false)
    {
        var body = TeamClient.Body(model, "Hello!");
        if (stream)
        {
            body["stream"] = true;
            body["stream_options"] = new JsonObject { ["include_usage"] = true };
        }

        return body;
    }

    private static JsonObject Message(string model, bool stream = false)
    {
        var body = TeamClient.Body(model, "Hello!", 1000);
        body["stream"] = stream;
        return body;
    }

    /// <summary>With what a response repeats of its request, stated as briefly as it may be.</summary>
    private static JsonObject Response(string model, bool stream = false) => new()
    {
        ["model"] = model, ["input"] = "Hello!", ["stream"] = stream, ["instructions"] = "Be terse.", ["metadata"] = new JsonObject { ["a"] = "b" },
        ["reasoning"] = new JsonObject { ["effort"] = "low" }, ["tools"] = JsonNode.Parse(Tools), ["max_output_tokens"] = 5000,
    };
}
