using System.Net.Http.Headers;
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
/// their published descriptions, and against what OpenAI's own says (<see cref="CheckedReplies"/>).
/// </summary>
[Collection(ProtocolsCollection.Name)]
public sealed class RepliesTests(ProtocolsCluster cluster, ITestOutputHelper output)
{
    private const string Tools = """
        [{"type":"function","name":"get_weather"},{"type":"custom","name":"free"},
         {"type":"namespace","name":"crm","description":"Customers.","tools":[{"type":"function","name":"find"}]}]
        """;

    private readonly CheckedReplies replies = new(output);

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
        Add("wrong 9", "gemini", """{"candidates":[{"content":{"role":"model","parts":[{"text":"Hi"}]},"finishReason":"ENDED","index":0}],"modelVersion":"m","responseId":"r","usageMetadata":{}}""");
        Add("wrong 10", "gemini", """{"candidates":[{"content":{"role":"model","parts":[{"functionCall":{"name":"f","args":"{}"}}]}}],"modelVersion":"m","responseId":"r","usageMetadata":{}}""");
        Add("wrong 11", "gemini_embeddings", """{"embeddings":[{"values":"AAAA"}]}""");
        Add("wrong 12", "gemini_models", """{"models":[{"displayName":"m"}]}""");
        Add("wrong 13", "rerank", """{"id":"a","results":[{"index":0,"document":{"text":"d"}}]}""");
        Add("wrong 14", "transcription", """{"usage":{"type":"duration","seconds":1}}""");
        Add("wrong 15", "transcription_event", """{"type":"transcript.text.done"}""");
        Add("wrong 16", "model", """{"id":"m","object":"model","created":1.5,"owned_by":"gateway"}""");
        Add("wrong 17", "files", """{"object":"list","data":[],"first_id":null,"last_id":null,"has_more":false}""");
        using var team = cluster.Team(ProtocolsCluster.Key);
        foreach (var protocol in Protocol.All)
        {
            await OfAsync(team, protocol);
        }

        await OperationsAsync(team);
        Add("the list of models", "models", Body(await team.GetAsync("/v1/models")));
        Add("a model", "model", Body(await team.GetAsync("/v1/models/openai")));
        Add("Gemini's list of models", "gemini_models", Body(await team.GetAsync("/v1beta/models")));
        Add("a model of Gemini's list", "gemini_model", Body(await team.GetAsync("/v1beta/models/openai")));
        Add("an unknown model", "openai_error", (await team.ChatAsync("nobody's")).Body);
        Add("no model", "openai_error", (await team.PostAsync("/v1/embeddings", new JsonObject())).Body);
        using var nobody = cluster.Team("sk-nobody");
        Add("an unknown key", "openai_error", (await nobody.ChatAsync("openai")).Body);
        Add("an unknown key of messages", "anthropic_error", (await nobody.PostAsync("/v1/messages", Message("openai"))).Body);
        var wrong = await replies.WrongAsync();

        // Some are wrong by the client's types and by the description; the last two by the description alone.
        Assert.Equal(
            Enumerable.Range(1, 17).Select(static number => $"wrong wrong {number}"),
            wrong.Where(static line => line.StartsWith("wrong wrong", StringComparison.Ordinal)).Select(static line => line[..line.IndexOf(" (", StringComparison.Ordinal)]).Distinct());
        Assert.All(
            wrong.Where(static line => line.StartsWith("wrong wrong 16", StringComparison.Ordinal) || line.StartsWith("wrong wrong 17", StringComparison.Ordinal)),
            static line => Assert.Contains(", description):", line, StringComparison.Ordinal));
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
            if (protocol.Folder != "Gemini")
            {
                Add($"{protocol} error {test} of Gemini's", "gemini_error", (await team.PostAsync(Gemini(protocol.Name, "generateContent"), GeminiAsk())).Body);
            }

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

        foreach (var reranker in Protocol.Rerankers)
        {
            foreach (var test in reranker.Cases("rerank").Where(test => reranker.Read("rerank", test)["reply"] is not null))
            {
                var request = reranker.Read("rerank", test)["request"]!.DeepClone();
                request["model"] = reranker.Name;
                cluster.Answer(reranker.Name, reranker.Reply("rerank", test));
                Add($"{test} of {reranker}", "rerank", Body(await team.PostAsync("/v2/rerank", request)));
            }

            cluster.Answer(reranker.Name, Reply.Json(500, """{"message":"down"}"""));
            Add($"an error of {reranker}", "cohere_error", (await team.PostAsync("/v2/rerank", new JsonObject { ["model"] = reranker.Name, ["query"] = "?", ["documents"] = new JsonArray("a") })).Body);
        }

        await SoundAsync();
    }

    /// <summary>What is heard and spoken passes: it reaches the client as the published description has it, and so does an error.</summary>
    private async Task SoundAsync()
    {
        const string segment = """{"id":0,"seek":0,"start":0.0,"end":1.5,"text":" Hello.","tokens":[1,2],"temperature":0.0,"avg_logprob":-0.2,"compression_ratio":1.0,"no_speech_prob":0.1}""";
        foreach (var (name, route, type, reply) in ((string, string, string, Reply)[])
        [
            ("openai", "transcriptions", "transcription", Reply.Json(200, """{"text":"Hello.","usage":{"type":"duration","seconds":2}}""")),
            ("mistral", "transcriptions", "transcription", Reply.Json(200, """{"text":"Hello.","language":"en","segments":[],"usage":{"type":"tokens","input_tokens":3,"output_tokens":2,"total_tokens":5}}""")),
            ("openai", "transcriptions", "transcription_verbose", Reply.Json(200, $$$"""{"text":"Hello.","language":"english","duration":1.5,"segments":[{{{segment}}}],"usage":{"type":"duration","seconds":2}}""")),
            ("openai", "translations", "translation", Reply.Json(200, """{"text":"Hello."}""")),
            ("openai", "translations", "translation_verbose", Reply.Json(200, $$"""{"text":"Hello.","language":"english","duration":1.5,"segments":[{{segment}}]}""")),
            ("openai", "transcriptions", "transcription_event", Reply.Events().Raw("""
                data: {"type":"transcript.text.delta","delta":"Hello."}

                data: {"type":"transcript.text.done","text":"Hello.","usage":{"type":"tokens","input_tokens":3,"output_tokens":2,"total_tokens":5}}


                """)),
            ("openai", "transcriptions", "openai_error", Reply.Json(400, """{"error":{"message":"Invalid file format.","type":"invalid_request_error","param":"file","code":null}}""")),
            ("gemini", "transcriptions", "openai_error", Reply.Json(500, "{}")),
        ])
        {
            cluster.Answer(name, reply);
            using var form = new MultipartFormDataContent { { new StringContent(name), "model" }, { new ByteArrayContent(new byte[1600]), "file", "talk.wav" } };
            if (type == "transcription_event")
            {
                form.Add(new StringContent("true"), "stream");
            }

            AddHeard($"{route} of {name} as {type}", type, await SendFormAsync($"/v1/audio/{route}", form));
        }

        using var team = cluster.Team(ProtocolsCluster.Key);
        cluster.Answer("openai", Reply.Bytes(200, "audio/mpeg", [1, 2, 3]));
        var spoken = await team.PostAsync("/v1/audio/speech", new JsonObject { ["model"] = "openai", ["input"] = "Hello.", ["voice"] = "alloy" });
        Assert.Equal((200, "audio/mpeg", "\u0001\u0002\u0003"), (spoken.Status, spoken.ContentType, spoken.Body));
        cluster.Answer("openai", Reply.Json(400, """{"error":{"message":"No such voice.","type":"invalid_request_error","param":"voice","code":null}}"""));
        Add("an error of speech", "openai_error", (await team.PostAsync("/v1/audio/speech", new JsonObject { ["model"] = "openai", ["input"] = "Hello.", ["voice"] = "none" })).Body);
    }

    private void AddHeard(string label, string type, Answer answer)
    {
        if (answer.ContentType == "text/event-stream")
        {
            AddEvents(label, type, "openai_error", answer);
        }
        else
        {
            Add(label, type, answer.Body);
        }
    }

    private async Task<Answer> SendFormAsync(string path, MultipartFormDataContent form)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = form };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", ProtocolsCluster.Key);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{cluster.Gateway.Port}") };
        using var response = await http.SendAsync(request);
        return new Answer((int)response.StatusCode, response.Headers, response.Content.Headers.ContentType?.MediaType ?? "", await response.Content.ReadAsStringAsync());
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

        if (name is not ("gemini" or "vertex"))
        {
            Add($"vectors of {name} for Gemini's client", "gemini_embedding", Body(await team.PostAsync(Gemini(name, "embedContent"), new JsonObject { ["content"] = GeminiText() })));
            var several = new JsonObject { ["requests"] = new JsonArray(new JsonObject { ["model"] = $"models/{name}", ["content"] = GeminiText() }) };
            Add($"several vectors of {name} for Gemini's client", "gemini_embeddings", Body(await team.PostAsync(Gemini(name, "batchEmbedContents"), several)));
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

        if (protocol.Folder != "Gemini")
        {
            Add($"{test} as Gemini's", "gemini", Body(await team.PostAsync(Gemini(protocol.Name, "generateContent"), GeminiAsk())));
            Add($"{test}'s tokens for Gemini's client", "gemini_tokens", Body(await team.PostAsync(Gemini(protocol.Name, "countTokens"), GeminiAsk())));
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

        if (protocol.Folder != "Gemini")
        {
            AddEvents($"{test} streamed as Gemini's", "gemini_piece", "gemini_error", await team.PostAsync(Gemini(protocol.Name, "streamGenerateContent?alt=sse"), GeminiAsk()));
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

    private void Add(string label, string type, string json) => replies.Add(label, type, json);

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

    private static string Gemini(string model, string verb) => $"/v1beta/models/{model}:{verb}";

    private static JsonObject GeminiText() => new() { ["parts"] = new JsonArray(new JsonObject { ["text"] = "Hello!" }) };

    private static JsonObject GeminiAsk() => new() { ["contents"] = new JsonArray(GeminiText()) };

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
