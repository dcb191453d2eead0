using System.Net;
using System.Text.Json;

namespace Gateway.SampleProvider.Tests.Scripts;

/// <summary>Every script, as a header and as a suffix of the model's name, for each of the three protocols.</summary>
public sealed class ScriptTests(SampleServer server) : IClassFixture<SampleServer>
{
    public static TheoryData<string, bool> Routes => new()
    {
        { "/v1/chat/completions", true }, { "/v1/chat/completions", false },
        { "/v1/messages", true }, { "/v1/messages", false },
        { "/v2/chat", true }, { "/v2/chat", false },
    };

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_status_comes_in_the_providers_own_shape_with_retry_after(string path, bool byHeader)
    {
        using var response = await Send(path, byHeader, false, ("status", "429"), ("retry-after", "7"));
        var body = JsonElement.Parse(await response.Content.ReadAsStringAsync());

        Assert.Equal(HttpStatusCode.TooManyRequests, response.StatusCode);
        Assert.Equal("7", Assert.Single(response.Headers.GetValues("retry-after")));
        var message = path == "/v2/chat" ? body.GetProperty("message") : body.GetProperty("error").GetProperty("message");
        Assert.NotEmpty(message.GetString()!);
        _ = path switch
        {
            "/v1/messages" => AssertEqual("rate_limit_error", body.GetProperty("error").GetProperty("type").GetString()),
            "/v1/chat/completions" => AssertEqual("rate_limit_exceeded", body.GetProperty("error").GetProperty("code").GetString()),
            _ => true,
        };
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task The_number_of_content_frames_and_of_tokens_is_the_one_given(string path, bool byHeader)
    {
        var (frames, whole) = await Stream(path, byHeader, ("chunks", "10"), ("tokens", "25"));

        Assert.True(whole);
        Assert.Equal(10, frames.Count(IsContent));
        Assert.Equal(25, OutputTokens(frames));
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task More_chunks_than_the_usual_answer_has_tokens_make_it_longer(string path, bool byHeader)
    {
        var (frames, _) = await Stream(path, byHeader, ("chunks", "300"));

        Assert.Equal(300, frames.Count(IsContent));
        Assert.Equal(300, OutputTokens(frames));
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_cut_lets_the_frames_before_it_arrive_and_ends_the_connection(string path, bool byHeader)
    {
        for (var round = 0; round < 20; round++)
        {
            var (frames, whole) = await Stream(path, byHeader, ("chunks", "10"), ("cut-after", "3"));

            Assert.False(whole);
            Assert.Equal(3, frames.Count(IsContent));
        }
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_cut_after_nothing_ends_the_connection_before_the_first_byte(string path, bool byHeader)
    {
        await Assert.ThrowsAsync<HttpRequestException>(() => Send(path, byHeader, true, ("cut-after", "0")));
        await Assert.ThrowsAsync<HttpRequestException>(() => Send(path, byHeader, false, ("cut-after", "0")));
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_reply_that_does_not_stream_is_cut_in_its_middle(string path, bool byHeader)
    {
        using var response = await Send(path, byHeader, false, ("cut-after", "1"));

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        await Assert.ThrowsAsync<HttpRequestException>(() => response.Content.ReadAsByteArrayAsync());
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_hang_sends_nothing_more_until_the_client_leaves_and_counts_as_cancelled(string path, bool byHeader)
    {
        var before = (await server.Stats()).GetProperty("cancelled").GetInt64();
        using (var response = await Send(path, byHeader, true, ("chunks", "10"), ("hang-after", "2")))
        {
            using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());
            for (var content = 0; content < 2;)
            {
                content += await reader.ReadLineAsync() is { } line && line.StartsWith("data: ", StringComparison.Ordinal) && IsContent(line["data: ".Length..]) ? 1 : 0;
            }

            await reader.ReadLineAsync();
            Assert.False(reader.ReadLineAsync().IsCompleted);
            Assert.Equal(1, (await server.Stats()).GetProperty("in_flight").GetInt64());
        }

        var after = await server.WaitForStats(stats => stats.GetProperty("in_flight").GetInt64() == 0);
        Assert.Equal(before + 1, after.GetProperty("cancelled").GetInt64());
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_malformed_frame_stands_where_it_was_put_and_the_stream_goes_on(string path, bool byHeader)
    {
        var (frames, whole) = await Stream(path, byHeader, ("chunks", "10"), ("malformed-after", "2"));
        using var body = await Send(path, byHeader, false, ("malformed-after", "0"));

        Assert.True(whole);
        var broken = Assert.Single(frames, frame => frame != "[DONE]" && !IsJson(frame));
        Assert.Equal(2, frames.TakeWhile(frame => frame != broken).Count(IsContent));
        Assert.Equal(7, frames.SkipWhile(frame => frame != broken).Count(IsContent));
        Assert.False(IsJson(await body.Content.ReadAsStringAsync()));
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task An_error_in_the_stream_is_its_last_frame(string path, bool byHeader)
    {
        var (frames, whole) = await Stream(path, byHeader, ("chunks", "10"), ("error-after", "4"));

        Assert.True(whole);
        Assert.Equal(4, frames.Count(IsContent));
        Assert.Contains("error", frames[^1], StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Usage_can_be_absent_zero_doubled_or_sent_twice(string path, bool byHeader)
    {
        var (plain, _) = await Stream(path, byHeader, ("tokens", "5"));
        var (absent, _) = await Stream(path, byHeader, ("tokens", "5"), ("usage", "absent"));
        var (zero, _) = await Stream(path, byHeader, ("tokens", "5"), ("usage", "zero"));
        var (doubled, _) = await Stream(path, byHeader, ("tokens", "5"), ("usage", "double"));
        var (twice, _) = await Stream(path, byHeader, ("tokens", "5"), ("usage", "twice"));
        using var body = await Send(path, byHeader, false, ("usage", "absent"));

        Assert.Equal(5, OutputTokens(plain));
        Assert.Null(OutputTokens(absent));
        Assert.Equal(0, OutputTokens(zero));
        Assert.Equal(10, OutputTokens(doubled));
        Assert.Equal(5, OutputTokens(twice));
        Assert.Equal(plain.Count + 1, twice.Count);
        Assert.DoesNotContain("usage", await body.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_reply_is_given_word_for_word(string path, bool byHeader)
    {
        using var response = await Send(path, byHeader, false, ("reply", byHeader ? "Word for word." : "Word%20for%20word."));

        Assert.Contains("\"Word for word.\"", await response.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task Delays_pass_before_the_first_byte_and_before_each_chunk(string path, bool byHeader)
    {
        var clock = System.Diagnostics.Stopwatch.StartNew();
        var (frames, _) = await Stream(path, byHeader, ("delay-ms", "60"), ("chunk-delay-ms", "20"), ("chunks", "3"));

        // Only the lower bound is certain; timers may be a tick early.
        Assert.True(clock.ElapsedMilliseconds >= 110, $"{clock.ElapsedMilliseconds} ms");
        Assert.Equal(3, frames.Count(IsContent));
    }

    [Theory]
    [InlineData("x-sample-stattus", "503")]
    [InlineData("x-sample-status", "200")]
    [InlineData("x-sample-usage", "none")]
    public async Task A_script_that_does_not_exist_is_an_error_and_not_an_ordinary_answer(string name, string value)
    {
        const string body = """{"model":"gpt-4","messages":[{"role":"user","content":"x"}]}""";
        using var byHeader = await server.Post("/v1/chat/completions", body, (name, value));
        using var bySuffix = await server.Post("/v1/chat/completions",
            body.Replace("gpt-4", $"gpt-4+{name["x-sample-".Length..]}={value}", StringComparison.Ordinal));

        Assert.Equal(HttpStatusCode.BadRequest, byHeader.StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, bySuffix.StatusCode);
    }

    [Fact]
    public async Task Cached_and_reasoning_tokens_are_reported_where_each_provider_reports_them()
    {
        const string messages = "\"max_tokens\":50,\"messages\":[{\"role\":\"user\",\"content\":\"one two three four five six\"}]";
        var openAi = (await server.PostJson("/v1/chat/completions", $$"""{"model":"m+cached-tokens=4+reasoning-tokens=9+tokens=5",{{messages}}}""")).GetProperty("usage");
        var anthropic = (await server.PostJson("/v1/messages", $$"""{"model":"m+cached-tokens=4+cache-write-tokens=2+tokens=5",{{messages}}}""")).GetProperty("usage");

        Assert.Equal(13, openAi.GetProperty("prompt_tokens").GetInt32());
        Assert.Equal(4, openAi.GetProperty("prompt_tokens_details").GetProperty("cached_tokens").GetInt32());
        Assert.Equal(14, openAi.GetProperty("completion_tokens").GetInt32());
        Assert.Equal(9, openAi.GetProperty("completion_tokens_details").GetProperty("reasoning_tokens").GetInt32());
        Assert.Equal(13 - 4 - 2, anthropic.GetProperty("input_tokens").GetInt32());
        Assert.Equal(4, anthropic.GetProperty("cache_read_input_tokens").GetInt32());
        Assert.Equal(2, anthropic.GetProperty("cache_creation_input_tokens").GetInt32());
    }

    [Fact]
    public async Task The_README_has_a_row_for_every_script()
    {
        var refused = await server.PostJson("/v1/chat/completions", Body("m", false), ("x-sample-nothing", "1"));
        var message = refused.GetProperty("error").GetProperty("message").GetString()!;
        var names = message[(message.IndexOf("There are: ", StringComparison.Ordinal) + "There are: ".Length)..].TrimEnd('.').Split(", ");
        var readme = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "SampleProvider.README.md"));

        Assert.Equal(15, names.Length);
        Assert.All(names, name => Assert.Contains($"\n| `{name}` |", readme, StringComparison.Ordinal));
    }

    private static bool AssertEqual(string expected, string? actual)
    {
        Assert.Equal(expected, actual);
        return true;
    }

    private static string Body(string model, bool stream) =>
        $$"""{"model":"{{model}}","stream":{{(stream ? "true" : "false")}},"stream_options":{"include_usage":true},"max_tokens":1000,"messages":[{"role":"user","content":"Hello"}]}""";

    private static (string Body, (string, string)[] Headers) Request(bool byHeader, bool stream, (string Name, string Value)[] scripts) => byHeader
        ? (Body("m", stream), [.. scripts.Select(script => ("x-sample-" + script.Name, script.Value))])
        : (Body("m" + string.Concat(scripts.Select(script => $"+{script.Name}={script.Value}")), stream), []);

    private Task<HttpResponseMessage> Send(string path, bool byHeader, bool stream, params (string Name, string Value)[] scripts)
    {
        var (body, headers) = Request(byHeader, stream, scripts);
        return server.Post(path, body, headers);
    }

    private Task<(List<string> Data, bool Whole)> Stream(string path, bool byHeader, params (string Name, string Value)[] scripts)
    {
        var (body, headers) = Request(byHeader, true, scripts);
        return server.PostStream(path, body, headers);
    }

    private static bool IsContent(string frame) => IsJson(frame)
        && (frame.Contains("\"delta\":{\"content\":", StringComparison.Ordinal)
            || frame.Contains("\"text_delta\"", StringComparison.Ordinal)
            || frame.Contains("\"content-delta\"", StringComparison.Ordinal));

    private static bool IsJson(string text)
    {
        try
        {
            JsonElement.Parse(text);
            return true;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>The output tokens that the last frame with usage reports; null when none does.</summary>
    private static int? OutputTokens(List<string> frames)
    {
        var last = frames.FindLast(frame => frame.Contains("\"usage\":{", StringComparison.Ordinal));
        if (last is null)
        {
            return null;
        }

        var frame = JsonElement.Parse(last);
        var usage = frame.TryGetProperty("usage", out var own) ? own : frame.GetProperty("delta").GetProperty("usage");
        return usage.TryGetProperty("completion_tokens", out var openAi) ? openAi.GetInt32()
            : usage.TryGetProperty("output_tokens", out var anthropic) ? anthropic.GetInt32()
            : usage.GetProperty("billed_units").GetProperty("output_tokens").GetInt32();
    }
}
