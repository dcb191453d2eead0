using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gateway.Cluster.Tests.Books;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;

namespace Gateway.Cluster.Tests.Surfaces;

/// <summary>However a stream ends before its time, a client of Ollama's, Cohere's or Gemini's is told in its own words and pays what was produced.</summary>
[Collection(ScriptedCollection.Name)]
public sealed class SurfaceEndsTests(ScriptedCluster cluster)
{
    private const string Events = "/v1beta/models/MODEL:streamGenerateContent?alt=sse";
    private const string Array = "/v1beta/models/MODEL:streamGenerateContent";

    public static TheoryData<string> Paths => ["/api/chat", "/api/generate", "/v2/chat", Events, Array];

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task At_the_end_of_the_money_a_stream_ends_with_the_surfaces_own_error_and_never_over(string path)
    {
        var model = ScriptedModels.NewModel();
        cluster.Upstream.Script(model, exchange => exchange.Send(OpenAiReplies.Pieces(model, Enumerable.Repeat("word ", 5_000))));
        // Good for about 200 of its words.
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(200 * ScriptedModels.OutputPrice / 1_000_000_000m);
        using var team = cluster.Team(key);

        var got = await SendAsync(team, path, model);

        Assert.Equal(200, got.Status);
        var last = path == Array ? JsonElement.Parse(got.Body).EnumerateArray().Last() : JsonElement.Parse(got.Body.TrimEnd().Split('\n')[^1].Replace("data: ", "", StringComparison.Ordinal));
        var (code, words) = path switch
        {
            "/v2/chat" => (last.GetProperty("delta").GetProperty("code"), last.GetProperty("delta").GetProperty("error")),
            Events or Array => (last.GetProperty("error").GetProperty("details")[0].GetProperty("metadata").GetProperty("code"), last.GetProperty("error").GetProperty("message")),
            _ => (last.GetProperty("code"), last.GetProperty("error")),
        };
        Assert.Equal("budget_exceeded", code.GetString());
        Assert.NotEmpty(words.GetString()!);
        Assert.Contains("word ", got.Body, StringComparison.Ordinal);
        Assert.Equal(Outcome.BudgetExhausted, (await cluster.Books.RowOfAsync(got.RequestId)).Outcome);
        var books = await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}");
        Assert.InRange(books.Window!.Spent, books.Window.Limit / 2, books.Window.Limit);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_client_that_leaves_owes_what_was_produced(string path)
    {
        var model = ScriptedModels.NewModel();
        cluster.Upstream.Script(model, OpenAiReplies.Pieces(model, "One ", "two ", "three ", "four ").Hang());
        var (key, userId) = await cluster.Admin.NewUserWithKeyAsync(10m);

        var id = await LeaveAfterAsync(key, path.Replace("MODEL", model, StringComparison.Ordinal), Request(path, model), "four ");

        await Assert.Single(await cluster.Upstream.WaitForRequestsAsync(model)).Cancelled.WaitAsync(Eventually.Limit);
        var row = await cluster.Books.RowOfAsync(id);
        Assert.Equal((Outcome.ClientClosed, true), (row.Outcome, row.Estimated));
        Assert.InRange(row.Output, 4, 6);
        Assert.Equal(row.Cost, (await cluster.Books.AtRestAsync(key.Id, 1, $"user/{userId}")).Window!.Spent);
    }

    [Theory]
    [MemberData(nameof(Paths))]
    public async Task A_provider_that_breaks_off_is_told_and_an_answer_is_counted_once(string path)
    {
        var model = ScriptedModels.NewModel();
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);

        var good = await SendAsync(team, path, model);
        cluster.Upstream.Script(model, OpenAiReplies.Pieces(model, "One ", "two ").Cut());
        var broken = await SendAsync(team, path, model);

        Assert.DoesNotContain("provider_error", good.Body, StringComparison.Ordinal);
        Assert.Contains("\"provider_error\"", broken.Body, StringComparison.Ordinal);
        Assert.Contains("two ", broken.Body, StringComparison.Ordinal);
        var row = await cluster.Books.RowOfAsync(good.RequestId);
        Assert.Equal((ScriptedModels.Cost, ScriptedModels.InputTokens, ScriptedModels.OutputTokens, false), (row.Cost, row.Input, row.Output, row.Estimated));
        Assert.Equal(Outcome.UpstreamCut, (await cluster.Books.RowOfAsync(broken.RequestId)).Outcome);
    }

    private static Task<Answer> SendAsync(TeamClient team, string path, string model) => team.SendAsync(HttpMethod.Post, path.Replace("MODEL", model, StringComparison.Ordinal), Request(path, model));

    private static string Request(string path, string model) => path switch
    {
        "/api/generate" => $$"""{"model":"{{model}}","prompt":"Count."}""",
        Events or Array => """{"contents":[{"role":"user","parts":[{"text":"Count."}]}]}""",
        _ => $$"""{"model":"{{model}}","stream":true,"messages":[{"role":"user","content":"Count."}]}""",
    };

    /// <summary>Reads a stream until a text has come, and hangs up; gives the request's id.</summary>
    private async Task<Guid> LeaveAfterAsync(MadeKey key, string path, string body, string text)
    {
        using var http = new HttpClient { BaseAddress = new Uri($"http://localhost:{cluster.Gateway.Port}") };
        using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent(body, new MediaTypeHeaderValue("application/json")) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key.Key);
        using var response = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var stream = await response.Content.ReadAsStreamAsync();
        var said = new StringBuilder();
        var buffer = new byte[4096];
        while (!said.ToString().Contains(text, StringComparison.Ordinal))
        {
            var read = await stream.ReadAsync(buffer).AsTask().WaitAsync(Eventually.Limit);
            Assert.NotEqual(0, read);
            said.Append(Encoding.UTF8.GetString(buffer, 0, read));
        }

        return Guid.Parse(Assert.Single(response.Headers.GetValues("x-gateway-request-id")));
    }
}
