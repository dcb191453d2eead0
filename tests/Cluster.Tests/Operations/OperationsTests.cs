using System.ClientModel;
using System.ClientModel.Primitives;
using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Gateway.Cluster.Tests.Books;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using OpenAI;
using OpenAI.Audio;
using OpenAI.Embeddings;
using OpenAI.Images;
using OpenAI.Moderations;

namespace Gateway.Cluster.Tests.Operations;

/// <summary>
/// What is asked of models besides chat, by OpenAI's own client where it has the call: answered, charged to the nano-dollar, in the books
/// under its own name.
/// </summary>
[Collection(OperationsCollection.Name)]
public sealed class OperationsTests(OperationsCluster cluster) : IAsyncLifetime, IDisposable
{
    private MadeKey key = null!;
    private TeamClient team = null!;

    public async Task InitializeAsync()
    {
        (key, _) = await cluster.Admin.NewUserWithKeyAsync(maxBudget: 5, "operations");
        team = cluster.Team(key);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose() => team?.Dispose();

    [Fact]
    public async Task Embeddings_of_OpenAI_and_of_Cohere_look_the_same_to_OpenAIs_client()
    {
        foreach (var (model, length) in new[] { ("vectors", 1536), ("cohere-vectors", 1024) })
        {
            var client = Client().GetEmbeddingClient(model);
            OpenAIEmbeddingCollection vectors = await client.GenerateEmbeddingsAsync(["north of the river", "south"]);

            Assert.Equal(2, vectors.Count);
            Assert.Equal(length, vectors[0].ToFloats().Length);
            Assert.InRange(vectors[1].ToFloats().ToArray().Sum(static number => number * number), 0.99f, 1.01f);
            Assert.True(vectors.Usage.InputTokenCount > 0);
        }

        var answer = await team.PostAsync("/embeddings", new JsonObject { ["model"] = "vectors", ["input"] = "north of the river" });
        var tokens = answer.Json.GetProperty("usage").GetProperty("prompt_tokens").GetInt64();
        Assert.Equal(tokens * 20, answer.Cost);
        await ChargedAsync("embedding", answer, tokens * 20);
    }

    [Theory]
    [InlineData("/v1/embeddings")]
    [InlineData("/openai/deployments/vectors/embeddings?api-version=2024-10-21")]
    [InlineData("/engines/vectors/embeddings")]
    public async Task The_model_may_stand_in_the_path_and_then_wins(string path)
    {
        var body = new JsonObject { ["input"] = "north" };
        body["model"] = path.StartsWith("/v1", StringComparison.Ordinal) ? "vectors" : "gpt-4";
        Assert.Equal(200, (await team.PostAsync(path, body)).Status);
        body.Remove("model");
        var without = await team.PostAsync(path, body);
        Assert.Equal(path.StartsWith("/v1", StringComparison.Ordinal) ? 400 : 200, without.Status);
    }

    [Fact]
    public async Task Azures_clients_say_their_key_in_a_header_of_its_own()
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, Address("/openai/deployments/gpt-4/chat/completions?api-version=2024-10-21"))
        {
            Content = new StringContent("""{"messages":[{"role":"user","content":"Hello"}]}""", new MediaTypeHeaderValue("application/json")),
        };
        request.Headers.Add("api-key", key.Key);
        using var answer = await http.SendAsync(request);

        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("gpt-4")]
    [InlineData("claude-2")]
    [InlineData("instruct")]
    public async Task Completions_go_on_with_a_text_whole_and_streamed(string model)
    {
        var body = new JsonObject { ["model"] = model, ["prompt"] = "Once upon a time", ["max_tokens"] = 40 };
        var whole = await team.PostAsync("/v1/completions", body);
        Assert.True(whole.Status == 200, whole.Body);
        Assert.Equal("text_completion", whole.Json.GetProperty("object").GetString());
        var text = whole.Json.GetProperty("choices")[0].GetProperty("text").GetString();
        Assert.NotEmpty(text!);
        Assert.True(whole.Json.GetProperty("usage").GetProperty("completion_tokens").GetInt64() > 0);
        await ChargedAsync("text_completion", whole, whole.Cost);

        body["stream"] = true;
        var stream = await team.PostAsync("/v1/completions", body);
        Assert.Equal("text/event-stream", stream.ContentType);
        var frames = stream.Body.Split("\n\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal("data: [DONE]", frames[^1]);
        Assert.DoesNotContain("\"usage\":{", stream.Body, StringComparison.Ordinal);
        Assert.Equal(text, string.Concat(frames[..^1].Select(static frame => JsonNode.Parse(frame[6..])!["choices"]![0]!["text"]!.GetValue<string>())));
        var row = await cluster.Books.RowOfAsync(stream.RequestId);
        Assert.Equal(whole.Cost, row.Cost);
        Assert.False(row.Estimated);
    }

    [Fact]
    public async Task A_rerank_costs_its_searches()
    {
        var documents = new JsonArray([.. Enumerable.Range(0, 150).Select(static i => JsonValue.Create($"document {i} about rivers"))]);
        var body = new JsonObject { ["model"] = "ranks", ["query"] = "rivers", ["documents"] = documents, ["top_n"] = 2, ["return_documents"] = true };
        foreach (var path in new[] { "/v1/rerank", "/v2/rerank", "/rerank" })
        {
            var answer = await team.PostAsync(path, body);

            Assert.True(answer.Status == 200, answer.Body);
            var results = answer.Json.GetProperty("results");
            Assert.Equal(2, results.GetArrayLength());
            Assert.StartsWith("document ", results[0].GetProperty("document").GetProperty("text").GetString(), StringComparison.Ordinal);
            // Two searches of up to a hundred documents, at $0.002.
            await ChargedAsync("rerank", answer, 4_000_000);
        }

        body["model"] = "jina-ranks";
        await ChargedAsync("rerank", await team.PostAsync("/v1/rerank", body), 2_000_000);
    }

    [Fact]
    public async Task A_rerank_says_its_errors_as_Cohere_and_as_OpenAI_do()
    {
        var answer = await team.PostAsync("/v2/rerank", new JsonObject { ["model"] = "none", ["query"] = "q", ["documents"] = new JsonArray("a") });

        Assert.Equal((404, "model_not_found"), (answer.Status, answer.Code));
        Assert.Equal(answer.Json.GetProperty("error").GetProperty("message").GetString(), answer.Json.GetProperty("message").GetString());
    }

    [Fact]
    public async Task A_model_that_cannot_is_refused_by_name_before_anything_is_held()
    {
        var answer = await team.PostAsync("/v1/embeddings", new JsonObject { ["model"] = "claude-2", ["input"] = "north" });
        answer.IsError(400, "operation_unsupported");

        var streamed = await team.PostAsync("/v1/embeddings", new JsonObject { ["model"] = "vectors", ["input"] = "north", ["stream"] = true });
        streamed.IsError(400, "invalid_request");
    }

    [Fact]
    public async Task Moderations_are_free_and_need_no_model()
    {
        ModerationResult result = await Client().GetModerationClient("omni-moderation-latest").ClassifyTextAsync("an attack at dawn");
        Assert.True(result.Flagged);

        var answer = await team.PostAsync("/v1/moderations", new JsonObject { ["input"] = "a walk at dawn" });
        Assert.False(answer.Json.GetProperty("results")[0].GetProperty("flagged").GetBoolean());
        await ChargedAsync("moderation", answer, 0);
    }

    [Fact]
    public async Task Pictures_cost_by_the_picture_or_by_their_tokens()
    {
        GeneratedImage image = await Client().GetImageClient("pictures").GenerateImageAsync("a river");
        Assert.NotNull(image.ImageUri);

        var two = await team.PostAsync("/v1/images/generations", new JsonObject { ["model"] = "pictures", ["prompt"] = "a river", ["n"] = 2 });
        await ChargedAsync("image_generation", two, 80_000_000);

        var tokens = await team.PostAsync("/v1/images/generations", new JsonObject { ["model"] = "token-pictures", ["prompt"] = "a river" });
        var usage = tokens.Json.GetProperty("usage");
        await ChargedAsync(
            "image_generation", tokens, (usage.GetProperty("input_tokens").GetInt64() * 5_000) + (usage.GetProperty("output_tokens").GetInt64() * 40_000));
    }

    [Fact]
    public async Task Speech_is_streamed_through_and_costs_its_characters()
    {
        BinaryData sound = await Client().GetAudioClient("voice").GenerateSpeechAsync("Where does the river end?", GeneratedSpeechVoice.Alloy);
        Assert.Equal("RIFF"u8.ToArray(), sound.ToArray()[..4]);
        Assert.Equal(44 + (25 * 400), sound.ToArray().Length);

        var answer = await team.PostAsync("/v1/audio/speech", new JsonObject { ["model"] = "voice", ["input"] = "Where does the river end?", ["voice"] = "alloy" });
        Assert.Equal("audio/wav", answer.ContentType);
        var row = await cluster.Books.RowOfAsync(answer.RequestId);
        Assert.Equal((25 * 15_000, false), (row.Cost, row.Estimated));

        // Billed by tokens that the sound does not tell: counted, and said to be.
        var counted = await team.PostAsync("/v1/audio/speech", new JsonObject { ["model"] = "token-voice", ["input"] = "Where does the river end?", ["voice"] = "alloy" });
        row = await cluster.Books.RowOfAsync(counted.RequestId);
        Assert.True(row.Estimated && row.Cost > 0);
    }

    [Theory]
    [InlineData("ears", 12 * 100_000)]
    [InlineData("token-ears", 0)]
    public async Task T40_A_recording_is_written_down_by_OpenAIs_client_and_priced(string model, long cost)
    {
        using var recording = new MemoryStream(Recording(96_000));
        var reply = await Client().GetAudioClient(model).TranscribeAudioAsync(recording, "talk.wav");

        Assert.NotEmpty(reply.Value.Text);
        var id = Guid.Parse(reply.GetRawResponse().Headers.TryGetValue("x-gateway-request-id", out var value) ? value! : "");
        var row = await cluster.Books.RowOfAsync(id);
        Assert.False(row.Estimated);
        if (cost > 0)
        {
            Assert.Equal(cost, row.Cost);
        }
        else
        {
            // 120 tokens of sound at $6 and some of text at $10, for a million.
            Assert.Equal((120 * 6_000) + (row.Output * 10_000), row.Cost);
        }
    }

    [Theory]
    [InlineData("json", true)]
    [InlineData("verbose_json", true)]
    [InlineData("srt", true)]
    [InlineData("vtt", true)]
    [InlineData("text", false)]
    public async Task T40_Every_format_of_a_transcript_is_passed_and_its_seconds_are_found_where_they_stand(string format, bool known)
    {
        using var form = Form(("file", Recording(2_400_000)), ("model", "ears"), ("response_format", format));
        var answer = await SendAsync("/v1/audio/transcriptions", form);

        Assert.True(answer.Status == 200, answer.Body);
        var row = await cluster.Books.RowOfAsync(answer.RequestId);
        // The sample provider hears a second in 8,000 bytes. Where nobody says how long it is, 16,000 are taken for one.
        Assert.Equal(!known, row.Estimated);
        Assert.Equal(known ? 300 * 100_000 : (long)Math.Ceiling(2_400_000 / 16_000m) * 100_000, row.Cost);
        Assert.Equal(row.Cost, answer.Cost);
    }

    [Fact]
    public async Task A_form_whose_file_comes_first_falls_back_and_is_sent_whole_again()
    {
        var recording = Recording(1_500_000);
        using var form = Form(("file", recording), ("language", "en"), ("model", "broken-ears"));
        using var plain = Form(("model", "ears"), ("file", recording));
        var answer = await SendAsync("/v1/audio/translations", form);
        var other = await SendAsync("/audio/translations", plain);

        Assert.True(answer.Status == 200, answer.Body);
        Assert.Equal(other.Json.GetProperty("text").GetString(), answer.Json.GetProperty("text").GetString());
        Assert.Equal("1", answer.Header("x-litellm-attempted-fallbacks"));
        using var named = Form(("file", recording));
        Assert.Equal(200, (await SendAsync("/openai/deployments/ears/audio/transcriptions?api-version=2024-10-21", named)).Status);
    }

    [Fact]
    public async Task A_form_that_is_too_large_or_wrong_is_the_callers_fault()
    {
        using var large = Form(("model", "ears"), ("file", Recording(5_000_000)));
        Assert.Equal("request_too_large", (await SendAsync("/v1/audio/transcriptions", large)).Code);
        using var largeUnknown = Form(("model", "ears"), ("file", Recording(5_000_000)));
        Assert.Equal("request_too_large", (await SendAsync("/v1/audio/transcriptions", new Chunked(largeUnknown))).Code);
        using var twice = Form(("model", "ears"), ("file", Recording(300_000)), ("model", "token-ears"));
        Assert.Equal("invalid_request", (await SendAsync("/v1/audio/transcriptions", twice)).Code);
        using var elsewhere = Form(("api_base", "http://elsewhere.example"), ("model", "ears"), ("file", Recording(100)));
        Assert.Equal("invalid_request", (await SendAsync("/v1/audio/transcriptions", elsewhere)).Code);
        using var none = Form(("file", Recording(100)));
        Assert.Equal("invalid_request", (await SendAsync("/v1/audio/transcriptions", none)).Code);
        Assert.Equal("invalid_request", (await team.PostAsync("/v1/audio/transcriptions", new JsonObject { ["model"] = "ears" })).Code);

        // None of it is held against the provider.
        using var good = Form(("model", "ears"), ("file", Recording(8_000)));
        Assert.Equal(200, (await SendAsync("/v1/audio/transcriptions", good)).Status);
    }

    [Fact]
    public async Task What_a_budget_has_no_more_for_is_refused_before_a_provider_is_called()
    {
        var (poor, _) = await cluster.Admin.NewUserWithKeyAsync(maxBudget: 0.05m, "poor");
        using var client = cluster.Team(poor);
        var body = new JsonObject { ["model"] = "pictures", ["prompt"] = "a river" };

        Assert.Equal(200, (await client.PostAsync("/v1/images/generations", body)).Status);
        (await client.PostAsync("/v1/images/generations", body)).IsError(429, "budget_exceeded");
    }

    [Fact]
    public async Task Model_info_has_LiteLLMs_form_and_no_secret()
    {
        var data = (await team.GetAsync("/v1/model/info")).Json.GetProperty("data");
        var info = data.EnumerateArray().Single(static entry => entry.GetProperty("model_name").GetString() == "vectors");

        Assert.Equal("openai/text-embedding-3-small", info.GetProperty("litellm_params").GetProperty("model").GetString());
        Assert.Equal("embedding", info.GetProperty("model_info").GetProperty("mode").GetString());
        Assert.Equal(0.00000002m, info.GetProperty("model_info").GetProperty("input_cost_per_token").GetDecimal());
        Assert.Equal("gpt-4", (await team.GetAsync("/v1/models/gpt-4")).Json.GetProperty("id").GetString());
    }

    [Theory]
    [InlineData("/api/chat", "gpt-4", "messages", "ollama_chat")]
    [InlineData("/api/generate", "gpt-4", "prompt", "ollama_generate")]
    [InlineData("/v2/chat", "gpt-4", "messages", "cohere_chat")]
    [InlineData("/api/embed", "vectors", "input", "embedding")]
    [InlineData("/v2/embed", "vectors", "texts", "embedding")]
    public async Task What_Ollamas_and_Coheres_clients_ask_is_charged_under_its_name(string path, string model, string content, string callType)
    {
        JsonNode said = content switch
        {
            "messages" => new JsonArray(new JsonObject { ["role"] = "user", ["content"] = "Hello!" }),
            "texts" => new JsonArray("Hello!"),
            _ => "Hello!",
        };

        var answer = await team.PostAsync(path, new JsonObject { ["model"] = model, ["stream"] = false, [content] = said });

        Assert.True(answer.Cost > 0);
        await ChargedAsync(callType, answer, answer.Cost);
    }

    private async Task ChargedAsync(string callType, Answer answer, long cost)
    {
        Assert.True(answer.Status == 200, answer.Body);
        Assert.Equal(cost, answer.Cost);
        var row = await cluster.Books.RowOfAsync(answer.RequestId);
        Assert.Equal((cost, false), (row.Cost, row.Estimated));
        Assert.Equal(callType, await cluster.Books.CallTypeAsync(answer.RequestId));
    }

    private OpenAIClient Client() => new(
        new ApiKeyCredential(key.Key), new OpenAIClientOptions { Endpoint = Address("/v1"), RetryPolicy = new ClientRetryPolicy(maxRetries: 0) });

    private Uri Address(string path) => new($"http://localhost:{cluster.Gateway.Port}{path}");

    private async Task<Answer> SendAsync(string path, HttpContent form)
    {
        using var http = new HttpClient();
        using var request = new HttpRequestMessage(HttpMethod.Post, Address(path)) { Content = form };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key.Key);
        using var response = await http.SendAsync(request);
        return new Answer(
            (int)response.StatusCode, response.Headers, response.Content.Headers.ContentType?.MediaType ?? "", await response.Content.ReadAsStringAsync());
    }

    private static MultipartFormDataContent Form(params (string Name, object Value)[] fields)
    {
        var form = new MultipartFormDataContent();
        foreach (var (name, value) in fields)
        {
            if (value is byte[] bytes)
            {
                form.Add(new ByteArrayContent(bytes), name, "talk.wav");
            }
            else
            {
                form.Add(new StringContent((string)value), name);
            }
        }

        return form;
    }

    private static byte[] Recording(int length)
    {
        var bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }

    /// <summary>A form whose length is not said beforehand.</summary>
    private sealed class Chunked : HttpContent
    {
        private readonly HttpContent inner;

        public Chunked(HttpContent inner)
        {
            this.inner = inner;
            Headers.ContentType = inner.Headers.ContentType;
        }

        protected override Task SerializeToStreamAsync(Stream stream, System.Net.TransportContext? context) => inner.CopyToAsync(stream);

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
