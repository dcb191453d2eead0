using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Surfaces;

/// <summary>Gemini's addresses: the model and the verb stand in them, and a key does not.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class GeminiRoutesTests(ScriptedCluster cluster)
{
    private const string Body = """{"contents":[{"parts":[{"text":"Hello!"}]}]}""";

    [Theory]
    [InlineData("s-of/a/house:8b", "s-of/a/house:8b")]
    [InlineData("s-of%2Fa%2Fhouse:8b", "s-of/a/house:8b")]
    public async Task A_models_name_may_have_slashes_and_colons(string asked, string model)
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, $"/v1beta/models/{asked}:generateContent", Body);

        Assert.True(got.Status == 200, got.Body);
        Assert.Equal(model, got.Json.GetProperty("modelVersion").GetString());
        Assert.Equal(string.Concat(ScriptedModels.Pieces), got.Json.GetProperty("candidates")[0].GetProperty("content").GetProperty("parts")[0].GetProperty("text").GetString());
        Assert.NotEmpty(cluster.Upstream.RequestsOf(model));
        await Charged.AsReportedAsync(cluster, got, streamed: false);
    }

    [Theory]
    [InlineData("POST", "/v1beta/models/s-1:generateContent?key=KEY")]
    [InlineData("POST", "/v1beta/models/s-1:streamGenerateContent?alt=sse&access_token=KEY")]
    [InlineData("GET", "/v1beta/models?key=KEY")]
    [InlineData("GET", "/v1beta/models/s-1?key=KEY")]
    public async Task T70_A_key_in_the_address_is_refused_though_it_is_a_good_one(string method, string path)
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(new HttpMethod(method), path.Replace("KEY", key.Key, StringComparison.Ordinal), method == "POST" ? Body : null);

        var error = got.Json.GetProperty("error");
        Assert.Equal((400, "INVALID_ARGUMENT"), (got.Status, error.GetProperty("status").GetString()));
        Assert.Contains("x-goog-api-key", error.GetProperty("message").GetString(), StringComparison.Ordinal);
        Assert.DoesNotContain(key.Key, got.Body, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/v1beta/models/s-1:predict", 404, "NOT_FOUND", "route_not_found")]
    [InlineData("/v1beta/models/s-1", 404, "NOT_FOUND", "route_not_found")]
    [InlineData("/v1beta/models/:generateContent", 404, "NOT_FOUND", "route_not_found")]
    [InlineData("/v1beta/models/s-1:streamGenerateContent?alt=proto", 400, "INVALID_ARGUMENT", "invalid_request")]
    [InlineData("/v1beta/models/nobodys:generateContent", 404, "NOT_FOUND", "model_not_found")]
    public async Task What_there_is_not_is_said_in_Googles_words(string path, int status, string name, string code)
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, path, Body);

        var error = got.Json.GetProperty("error");
        Assert.Equal((status, status, name, code), (got.Status, error.GetProperty("code").GetInt32(), error.GetProperty("status").GetString(), error.GetProperty("details")[0].GetProperty("metadata").GetProperty("code").GetString()));
    }

    [Fact]
    public async Task At_a_limit_the_wait_stands_in_the_error_too()
    {
        var key = await cluster.Admin.NewKeyAsync(new { rpm_limit = 1 });
        using var team = cluster.Team(key);

        await team.SendAsync(HttpMethod.Post, "/v1beta/models/free-1:generateContent", Body);
        var got = await team.SendAsync(HttpMethod.Post, "/v1beta/models/free-1:generateContent", Body);

        Assert.Equal(429, got.Status);
        var retry = got.Json.GetProperty("error").GetProperty("details")[1];
        Assert.Equal(("type.googleapis.com/google.rpc.RetryInfo", $"{Assert.Single(got.Headers.GetValues("Retry-After"))}s"), (retry.GetProperty("@type").GetString(), retry.GetProperty("retryDelay").GetString()));
    }

    [Fact]
    public async Task OpenAIs_own_list_of_models_stays_where_it_is()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var openAis = await team.GetAsync("/v1/models");
        var googles = await team.GetAsync("/v1beta/models");

        var names = openAis.Json.GetProperty("data").EnumerateArray().Select(static model => "models/" + model.GetProperty("id").GetString()).ToList();
        Assert.NotEmpty(names);
        Assert.Equal(names, googles.Json.GetProperty("models").EnumerateArray().Select(static model => model.GetProperty("name").GetString()));
    }

    [Theory]
    [InlineData("embedContent", "\"content\":{\"parts\":[{\"text\":\"a\"},{\"text\":\"b\"}]}", "content")]
    [InlineData("embedContent", "\"content\":{\"parts\":[{\"inlineData\":{\"mimeType\":\"image/png\",\"data\":\"AA==\"}}]}", "content")]
    [InlineData("embedContent", "\"a\":1", "content")]
    [InlineData("batchEmbedContents", "\"requests\":[]", "requests")]
    [InlineData("batchEmbedContents", "\"requests\":[{\"model\":\"models/dear\",\"content\":{\"parts\":[{\"text\":\"a\"}]}}]", "requests.model")]
    [InlineData("batchEmbedContents", "\"requests\":[{\"content\":{\"parts\":[{\"text\":\"a\"}]},\"taskType\":\"X\"},{\"content\":{\"parts\":[{\"text\":\"a\"}]}}]", "taskType")]
    public async Task What_only_Gemini_embeds_is_refused_elsewhere(string verb, string asked, string param)
    {
        var model = ScriptedModels.NewModel();
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, $"/v1beta/models/{model}:{verb}", $"{{{asked}}}");

        Assert.Equal(400, got.Status);
        Assert.Equal(param, got.Json.GetProperty("error").GetProperty("details")[0].GetProperty("metadata").GetProperty("param").GetString());
        Assert.Empty(cluster.Upstream.RequestsOf(model));
    }

    [Fact]
    public async Task Embeddings_of_others_are_said_in_OpenAIs_words_and_what_cannot_be_is_named()
    {
        var model = ScriptedModels.NewModel();
        cluster.Upstream.Script(model, Reply.Json(200, """{"object":"list","data":[{"object":"embedding","index":0,"embedding":[0.10,-2e-3]}],"model":"x","usage":{"prompt_tokens":10,"total_tokens":10}}"""));
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var got = await team.SendAsync(HttpMethod.Post, $"/v1beta/models/{model}:embedContent", """{"content":{"parts":[{"text":"Caf\u00e9"}]},"task_type":"RETRIEVAL_QUERY","output_dimensionality":2}""");

        Assert.Equal((200, """{"embedding":{"values":[0.10,-2e-3]},"usageMetadata":{"promptTokenCount":10,"totalTokenCount":10}}"""), (got.Status, got.Body));
        Assert.Equal($$"""{"model":"{{model}}","input":["Caf\u00e9"],"dimensions":2}""", Assert.Single(cluster.Upstream.RequestsOf(model)).Text);
        Assert.Equal("taskType", Assert.Single(got.Headers.GetValues("x-gateway-dropped-params")));
    }
}
