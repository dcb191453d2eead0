using System.Globalization;
using System.Net;
using System.Text.Json;

namespace Gateway.SampleProvider.Tests.OpenAi.Batches;

public sealed class BatchesTests(SampleServer server) : IClassFixture<SampleServer>
{
    private const string Chat = "/v1/chat/completions";

    public static TheoryData<string, string, string> Routes => new()
    {
        { Chat, """{"model":"gpt-4","messages":[{"role":"user","content":"x"}]}""", "choices" },
        { "/v1/completions", """{"model":"gpt-4","prompt":"x"}""", "choices" },
        { "/v1/embeddings", """{"model":"text-embedding-3-small","input":"x","dimensions":4}""", "data" },
        { "/v1/responses", """{"model":"gpt-5","input":"x"}""", "output" },
        { "/v1/moderations", """{"model":"omni-moderation-latest","input":"x"}""", "results" },
    };

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_batch_answers_each_line_as_its_route_answers_it_alone(string endpoint, string body, string content)
    {
        var alone = await server.PostJson(endpoint, body);
        var batch = await Ended(await Create(endpoint, [Line("a", endpoint, body), Line("b", endpoint, body)]));
        var lines = await Lines(batch, "output_file_id");

        Assert.Equal("completed", batch.GetProperty("status").GetString());
        Assert.Equal("""{"total":2,"completed":2,"failed":0}""", batch.GetProperty("request_counts").GetRawText());
        Assert.Equal(JsonValueKind.Null, batch.GetProperty("error_file_id").ValueKind);
        Assert.Equal(["a", "b"], lines.ConvertAll(line => line.GetProperty("custom_id").GetString()!));
        foreach (var line in lines)
        {
            var response = line.GetProperty("response");
            Assert.Equal(200, response.GetProperty("status_code").GetInt32());
            Assert.StartsWith("req_", response.GetProperty("request_id").GetString(), StringComparison.Ordinal);
            Assert.Equal(JsonValueKind.Null, line.GetProperty("error").ValueKind);
            Assert.Equal(Comparable(alone.GetProperty(content)), Comparable(response.GetProperty("body").GetProperty(content)));
        }

        Assert.NotEqual(lines[0].GetProperty("id").GetString(), lines[1].GetProperty("id").GetString());
        Assert.NotEqual(lines[0].GetProperty("response").GetProperty("request_id").GetString(), lines[1].GetProperty("response").GetProperty("request_id").GetString());
    }

    [Fact]
    public async Task It_goes_through_every_status_and_says_when()
    {
        var created = await Create(Chat, [Ask("a")], """{"team":"x"}""");
        var batch = await Ended(created);
        var file = await server.GetJson("/v1/files/" + batch.GetProperty("output_file_id").GetString());

        Assert.Equal("validating", created.GetProperty("status").GetString());
        Assert.Equal("""{"team":"x"}""", batch.GetProperty("metadata").GetRawText());
        Assert.Equal("gpt-4", batch.GetProperty("model").GetString());
        Assert.Equal(24 * 3600, Number(batch, "expires_at") - Number(batch, "created_at"));
        long[] times = [Number(batch, "created_at"), Number(batch, "in_progress_at"), Number(batch, "finalizing_at"), Number(batch, "completed_at")];
        Assert.Equal(times.Order(), times);
        Assert.Equal("batch_output", file.GetProperty("purpose").GetString());
    }

    [Fact]
    public async Task Its_usage_is_the_sum_of_its_lines_where_they_say_it()
    {
        var batch = await Ended(await Create(Chat, [Ask("a"), Ask("b", "gpt-4+cached-tokens=3+reasoning-tokens=5"), Ask("c")], """{"sample-usage-absent":"c"}"""));
        var lines = await Lines(batch, "output_file_id");
        var usages = lines.ConvertAll(line => line.GetProperty("response").GetProperty("body"))
            .Where(body => body.TryGetProperty("usage", out _)).Select(body => body.GetProperty("usage")).ToList();
        var usage = batch.GetProperty("usage");

        Assert.Equal(2, usages.Count);
        Assert.Equal(usages.Sum(one => Number(one, "prompt_tokens")), Number(usage, "input_tokens"));
        Assert.Equal(usages.Sum(one => Number(one, "completion_tokens")), Number(usage, "output_tokens"));
        Assert.Equal(usages.Sum(one => Number(one, "total_tokens")), Number(usage, "total_tokens"));
        Assert.Equal(3, Number(usage.GetProperty("input_tokens_details"), "cached_tokens"));
        Assert.Equal(5, Number(usage.GetProperty("output_tokens_details"), "reasoning_tokens"));
    }

    [Fact]
    public async Task A_request_that_its_route_refuses_is_a_line_of_the_error_file()
    {
        var batch = await Ended(await Create(Chat, [
            Ask("good"), Ask("busy", "gpt-4+status=429"), Line("empty", Chat, """{"model":"gpt-4","messages":[]}"""),
            Line("stream", Chat, """{"model":"gpt-4","stream":true,"messages":[{"role":"user","content":"x"}]}"""), Ask("lost")],
            """{"sample-fail-lines":"lost"}"""));
        var errors = (await Lines(batch, "error_file_id")).ToDictionary(line => line.GetProperty("custom_id").GetString()!);

        Assert.Equal("completed", batch.GetProperty("status").GetString());
        Assert.Equal("""{"total":5,"completed":1,"failed":4}""", batch.GetProperty("request_counts").GetRawText());
        Assert.Equal(["busy", "empty", "lost", "stream"], errors.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(429, Number(errors["busy"].GetProperty("response"), "status_code"));
        Assert.Equal("rate_limit_exceeded", errors["busy"].GetProperty("response").GetProperty("body").GetProperty("error").GetProperty("code").GetString());
        Assert.Equal(400, Number(errors["empty"].GetProperty("response"), "status_code"));
        Assert.Equal(400, Number(errors["stream"].GetProperty("response"), "status_code"));
        Assert.Equal(JsonValueKind.Null, errors["lost"].GetProperty("response").ValueKind);
        Assert.Equal("request_timeout", errors["lost"].GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("good", Assert.Single(await Lines(batch, "output_file_id")).GetProperty("custom_id").GetString());
    }

    [Theory]
    [InlineData("no json", "invalid_json_line")]
    [InlineData("""{"custom_id":"b","method":"POST","url":"/v1/chat/completions"}""", "missing_required_parameter")]
    [InlineData("""{"method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-4"}}""", "missing_required_parameter")]
    [InlineData("""{"custom_id":"b","method":"GET","url":"/v1/chat/completions","body":{"model":"gpt-4"}}""", "invalid_method")]
    [InlineData("""{"custom_id":"b","method":"POST","url":"/v1/embeddings","body":{"model":"gpt-4"}}""", "url_mismatch")]
    [InlineData("""{"custom_id":"b","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-5"}}""", "model_mismatch")]
    [InlineData("""{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-4"}}""", "duplicate_custom_id")]
    public async Task A_line_that_is_no_request_fails_the_batch_and_is_named(string line, string code)
    {
        var batch = await Ended(await Create(Chat, [Ask("a"), "", line]));
        var error = Assert.Single(batch.GetProperty("errors").GetProperty("data").EnumerateArray());

        Assert.Equal("failed", batch.GetProperty("status").GetString());
        Assert.Equal(code, error.GetProperty("code").GetString());
        Assert.Equal(3, Number(error, "line"));
        Assert.True(Number(batch, "failed_at") > 0);
        Assert.Equal(JsonValueKind.Null, batch.GetProperty("output_file_id").ValueKind);
    }

    [Fact]
    public async Task A_batch_fails_when_it_is_told_to()
    {
        var batch = await Ended(await Create(Chat, [Ask("a")], """{"sample-fail":"token_limit_exceeded"}"""));

        Assert.Equal("failed", batch.GetProperty("status").GetString());
        Assert.Equal("token_limit_exceeded", batch.GetProperty("errors").GetProperty("data")[0].GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("validating")]
    [InlineData("in_progress")]
    [InlineData("finalizing")]
    public async Task It_is_held_until_it_is_released(string status)
    {
        var created = await Create(Chat, [Ask("a")], $$"""{"sample-hold":"{{status}}"}""");
        await Until(created, status);
        using var released = await server.Client.PostAsync("/sample/batches/release", null);
        var batch = await Ended(created);

        Assert.Equal(HttpStatusCode.NoContent, released.StatusCode);
        Assert.Equal("completed", batch.GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_batch_cancelled_on_its_way_keeps_what_it_has_and_says_what_it_has_not()
    {
        var created = await Create(Chat, [Ask("a"), Ask("b"), Ask("c")], """{"sample-hold-after":"2"}""");
        await Until(created, "in_progress", batch => batch.GetProperty("request_counts").GetProperty("completed").GetInt32() == 2);
        using var cancel = await server.Post($"/v1/batches/{Id(created)}/cancel", "");
        var told = JsonElement.Parse(await cancel.Content.ReadAsStringAsync());
        var batch = await Ended(created);
        using var again = await server.Post($"/v1/batches/{Id(created)}/cancel", "");

        Assert.Contains(told.GetProperty("status").GetString(), (string[])["cancelling", "cancelled"]);
        Assert.Equal("cancelled", batch.GetProperty("status").GetString());
        Assert.True(Number(batch, "cancelled_at") >= Number(batch, "cancelling_at"));
        Assert.Equal(["a", "b"], (await Lines(batch, "output_file_id")).ConvertAll(line => line.GetProperty("custom_id").GetString()!));
        var left = Assert.Single(await Lines(batch, "error_file_id"));
        Assert.Equal("batch_cancelled", left.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("""{"total":3,"completed":2,"failed":0}""", batch.GetProperty("request_counts").GetRawText());
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
    }

    [Fact]
    public async Task Cancelling_can_be_held_too()
    {
        var created = await Create(Chat, [Ask("a")], """{"sample-hold":"in_progress,cancelling"}""");
        await Until(created, "in_progress");
        var first = await server.PostJson($"/v1/batches/{Id(created)}/cancel", "");
        var second = await server.PostJson($"/v1/batches/{Id(created)}/cancel", "");
        using var released = await server.Client.PostAsync("/sample/batches/release", null);

        Assert.Equal("cancelling", first.GetProperty("status").GetString());
        Assert.Equal("cancelling", second.GetProperty("status").GetString());
        Assert.Equal("cancelled", (await Ended(created)).GetProperty("status").GetString());
    }

    [Fact]
    public async Task A_batch_whose_window_is_over_keeps_what_it_has()
    {
        var batch = await Ended(await Create(Chat, [Ask("a"), Ask("b")], """{"sample-expire-after":"1"}"""));

        Assert.Equal("expired", batch.GetProperty("status").GetString());
        Assert.True(Number(batch, "expired_at") > 0);
        Assert.Equal("a", Assert.Single(await Lines(batch, "output_file_id")).GetProperty("custom_id").GetString());
        Assert.Equal("batch_expired", Assert.Single(await Lines(batch, "error_file_id")).GetProperty("error").GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("\"endpoint\":\"/v1/chat/completions\"", "\"endpoint\":\"/v1/rerank\"", "endpoint")]
    [InlineData("24h", "1h", "completion_window")]
    [InlineData("\"input_file_id\"", "\"other\"", "input_file_id")]
    [InlineData("\"metadata\":{}", "\"metadata\":{\"sample-hodl\":\"in_progress\"}", "metadata")]
    [InlineData("\"metadata\":{}", "\"metadata\":{\"sample-hold\":\"completed\"}", "metadata")]
    [InlineData("\"metadata\":{}", "\"metadata\":{\"a\":1}", "metadata")]
    public async Task A_batch_that_is_asked_for_wrongly_is_refused(string right, string wrong, string param)
    {
        var id = await server.Upload(Ask("a"), "batch");
        var body = $$"""{"input_file_id":"{{id}}","endpoint":"/v1/chat/completions","completion_window":"24h","metadata":{} }""";
        var refused = await server.PostJson("/v1/batches", body.Replace(right, wrong, StringComparison.Ordinal));

        Assert.Equal(param, refused.GetProperty("error").GetProperty("param").GetString());
    }

    [Fact]
    public async Task A_batch_needs_a_file_that_was_meant_for_one_and_a_stranger_is_not_found()
    {
        var other = await server.PostJson("/v1/batches",
            $$"""{"input_file_id":"{{await server.Upload(Ask("a"), "assistants")}}","endpoint":"/v1/chat/completions","completion_window":"24h"}""");
        var unknown = await server.PostJson("/v1/batches", """{"input_file_id":"file-none","endpoint":"/v1/chat/completions","completion_window":"24h"}""");
        using var none = await server.Client.GetAsync("/v1/batches/batch_none");

        Assert.Equal("invalid_purpose", other.GetProperty("error").GetProperty("code").GetString());
        Assert.Equal("input_file_id", unknown.GetProperty("error").GetProperty("param").GetString());
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
    }

    [Fact]
    public async Task The_list_has_the_newest_first()
    {
        var first = await Create(Chat, [Ask("a")]);
        var second = await Create(Chat, [Ask("a")]);
        var list = await server.GetJson("/v1/batches?limit=1");
        var rest = await server.GetJson("/v1/batches?limit=1&after=" + Id(second));

        Assert.Equal(Id(second), Id(Assert.Single(list.GetProperty("data").EnumerateArray())));
        Assert.True(list.GetProperty("has_more").GetBoolean());
        Assert.Equal(Id(first), Id(Assert.Single(rest.GetProperty("data").EnumerateArray())));
    }

    private async Task<JsonElement> Create(string endpoint, string[] lines, string metadata = "null")
    {
        var file = await server.Upload(string.Join('\n', lines) + "\n", "batch");
        return await server.PostJson("/v1/batches",
            $$"""{"input_file_id":"{{file}}","endpoint":"{{endpoint}}","completion_window":"24h","metadata":{{metadata}} }""");
    }

    private static string Ask(string customId, string model = "gpt-4") =>
        Line(customId, Chat, $$"""{"model":"{{model}}","messages":[{"role":"user","content":"Line {{customId}}"}]}""");

    private static string Line(string customId, string url, string body) =>
        $$"""{"custom_id":"{{customId}}","method":"POST","url":"{{url}}","body":{{body}} }""";

    private Task<JsonElement> Ended(JsonElement batch) =>
        Until(batch, null, static now => now.GetProperty("status").GetString() is "completed" or "failed" or "expired" or "cancelled");

    private async Task<JsonElement> Until(JsonElement batch, string? status, Func<JsonElement, bool>? condition = null)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        while (true)
        {
            var now = await server.GetJson("/v1/batches/" + Id(batch));
            if ((status is null || now.GetProperty("status").GetString() == status) && condition?.Invoke(now) != false)
            {
                return now;
            }

            timeout.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private async Task<List<JsonElement>> Lines(JsonElement batch, string file)
    {
        var content = await server.Client.GetStringAsync($"/v1/files/{batch.GetProperty(file).GetString()}/content");
        return [.. content.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(line => JsonElement.Parse(line))];
    }

    private static string Id(JsonElement thing) => thing.GetProperty("id").GetString()!;

    private static long Number(JsonElement thing, string name) => long.Parse(thing.GetProperty(name).GetRawText(), CultureInfo.InvariantCulture);

    /// <summary>Ids differ from one sending to the next.</summary>
    private static string Comparable(JsonElement element) =>
        System.Text.RegularExpressions.Regex.Replace(element.GetRawText(), "[0-9a-f]{16,}", "");
}
