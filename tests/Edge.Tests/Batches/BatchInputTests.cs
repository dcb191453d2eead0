using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Batches;
using Gateway.Pricing;
using static Gateway.Edge.Tests.Batches.TestBatches;

namespace Gateway.Edge.Tests.Batches;

/// <summary>A batch's input: every line is looked at before anything is sent, and what all of them can cost is known.</summary>
public sealed class BatchInputTests
{
    [Fact]
    public async Task It_is_sent_with_the_providers_name_of_the_model_and_else_as_it_came()
    {
        var first = Line("a", """{ "messages":[{"role":"user","content":"model \"public\" é"}], "model" : "public","a_field_of_tomorrow":[1,2.50], "metadata":{"tags":["x"],"k":"v"} }""");
        var (input, written, error) = await ReadAsync($"{first}\r\n\n  {Line("b")}  ");

        Assert.Null(error);
        var lines = written.Split('\n');
        Assert.Equal(3, lines.Length);
        Assert.Equal(first.Replace("\"model\" : \"public\"", "\"model\" : \"gpt-4o\"", StringComparison.Ordinal).Replace("\"tags\":[\"x\"],", "", StringComparison.Ordinal), lines[0]);
        Assert.Equal(Line("b").Replace("public", "gpt-4o", StringComparison.Ordinal), lines[1]);
        Assert.Equal("", lines[2]);
        Assert.Equal(("public", "/v1/chat/completions", 2), (input.Model, input.Lines.Endpoint, input.Lines.Count));
    }

    [Theory]
    [InlineData("nonsense", "Line 2", "JSON object")]
    [InlineData("[1]", "Line 2", "JSON object")]
    [InlineData("""{"custom_id":"x","method":"POST","url":"/v1/chat/completions"}""", "Line 2", "body is missing")]
    [InlineData("""{"method":"POST","url":"/v1/chat/completions","body":{"model":"public"}}""", "Line 2", "custom_id is missing")]
    [InlineData("""{"custom_id":"x","method":"GET","url":"/v1/chat/completions","body":{"model":"public"}}""", "Line 2", "method must be")]
    [InlineData("""{"custom_id":"x","method":"POST","url":"/v1/images/generations","body":{"model":"public"}}""", "Line 2", "url must be one of /v1/chat/completions")]
    [InlineData("""{"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":{"model":"public"},"body":{"model":"other"}}""", "Line 2", "'body' is unknown, there twice")]
    [InlineData("""{"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":"text"}""", "Line 2", "'body'")]
    [InlineData("""{"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":{"model":"public"},"api_base":"http://evil.example"}""", "Line 2", "'api_base' is unknown")]
    [InlineData("""{"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":{"model":"public","api_base":"http://evil.example"}}""", "Line 2", "cannot choose")]
    [InlineData("""{"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":{"messages":[]}}""", "Line 2", "model is missing")]
    [InlineData("""{"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":{"model":"public","stream":true}}""", "Line 2", "leave stream out")]
    [InlineData("""{"custom_id":"first","method":"POST","url":"/v1/chat/completions","body":{"model":"public"}}""", "Line 2", "custom_id is that of a line before")]
    [InlineData("""{"custom_id":"x","method":"POST","url":"/v1/chat/completions","body":{"model":"other"}}""", "Line 2", "one model")]
    [InlineData("""{"custom_id":"x","method":"POST","url":"/v1/responses","body":{"model":"public"}}""", "Line 2", "one thing only")]
    public async Task What_is_wrong_with_a_line_is_said_with_its_number(string line, string where, string what)
    {
        var (_, _, error) = await ReadAsync($"{Line("first")}\n{line}\n{Line("last")}\n");

        Assert.Equal((400, "invalid_request", "file"), (error!.Status, error.Code, error.Param));
        Assert.StartsWith(where + ":", error.Message, StringComparison.Ordinal);
        Assert.Contains(what, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Empty_lines_count_in_the_number_that_an_error_names()
    {
        var (_, _, error) = await ReadAsync($"{Line("first")}\n\n\n{{}}");
        Assert.StartsWith("Line 4:", error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stored_response_of_another_caller_cannot_be_gone_on_from()
    {
        var (_, _, error) = await ReadAsync(Line("x", """{"model":"public","input":"x","previous_response_id":"resp_1"}""", "/v1/responses"));
        Assert.Contains("previous_response_id", error!.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_file_that_only_the_gateway_knows_is_named_and_a_text_like_it_is_not()
    {
        const string Id = "file-gw00112233445566778899aabbccddeeff";
        var named = Line("x", $$$"""{"model":"public","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"{{{Id}}}"}}]}]}""");
        var said = Line("y", $$"""{"model":"public","messages":[{"role":"user","content":"{{Id}}"}],"max_tokens":10}""");

        var (_, _, error) = await ReadAsync($"{said}\n{named}");

        Assert.StartsWith($"Line 2: it names the gateway's file {Id}", error!.Message, StringComparison.Ordinal);
        Assert.Null((await ReadAsync(said)).Error);
    }

    [Fact]
    public async Task Whether_the_model_may_be_used_is_no_lines_fault()
    {
        var (_, _, error) = await ReadAsync(Line("x", """{"model":"of-others"}"""));
        Assert.Equal(("model_access_denied", "No."), (error!.Code, error.Message));
        (_, _, error) = await ReadAsync(Line("x"), Target(hasBatches: false));
        Assert.Equal("operation_unsupported", error!.Code);
    }

    [Fact]
    public async Task A_file_has_a_line_and_at_most_as_many_as_OpenAI_takes_and_each_is_bounded()
    {
        Assert.Contains("no line", (await ReadAsync("\n\n")).Error!.Message, StringComparison.Ordinal);
        Assert.Contains("longer than 8 MiB", (await ReadAsync(Line("x", "{\"model\":\"public\",\"x\":\"" + new string('x', 9 << 20) + "\"}"))).Error!.Message, StringComparison.Ordinal);
        var text = new StringBuilder();
        for (var number = 0; number <= BatchInput.LinesMax; number++)
        {
            text.Append(Line($"{number}", """{"model":"public","input":"x"}""", "/v1/embeddings")).Append('\n');
        }

        var (input, _, error) = await ReadAsync(text.ToString());
        Assert.StartsWith($"Line {BatchInput.LinesMax + 1}: a batch has at most", error!.Message, StringComparison.Ordinal);
        Assert.Equal(BatchInput.LinesMax, input.Lines.Count);
    }

    [Fact]
    public async Task What_it_may_cost_is_the_sum_of_its_lines_at_the_price_of_batches()
    {
        var body = """{"model":"public","messages":[{"role":"user","content":"Hi"}],"max_tokens":10,"n":3}""";
        var (input, _, _) = await ReadAsync($"{Line("a", body)}\n{Line("b", body)}");

        var read = BatchEstimate.Input(Encoding.UTF8.GetBytes(body), Target());
        Assert.InRange(read, 100, 300);
        // Nano-dollars: a dollar for a million tokens is a thousand for one.
        Assert.Equal(2 * ((read * 1_000) + (10 * 3 * 4_000)), input.Lines.WorstCase.NanoDollars);
        Assert.Equal(2 * body.Length, input.Lines.BodyBytes);
    }

    [Theory]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"Tell me of the sea, and of ships."}]}""", "gpt-4o", 60, 260)]
    // Another vocabulary: a token is at least a byte.
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"Tell me of the sea, and of ships."}]}""", "llama", 1_024 + 85, 1_024 + 100)]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"https://x.example/a.png"}}]}]}""", "gpt-4o", 4_096, 4_500)]
    [InlineData("""{"model":"m","input":[{"type":"message","role":"user","content":[{"type":"input_image","image_url":"https://x.example/a.png"},{"type":"input_image","image_url":"x"}]}]}""", "gpt-4o-mini", 96_338, 98_000)]
    // It may fill the window.
    [InlineData("""{"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"file-1"}}]}]}""", "gpt-4o", 128_000, 128_000)]
    [InlineData("""{"model":"m","input":"x","tools":[{"type":"web_search_preview"}]}""", "gpt-4o", 128_000, 128_000)]
    // Half of a surrogate pair is no name that can be compared.
    [InlineData("""{"model":"m","\ud800":1,"input":[{"type":"\udfff"}]}""", "llama", 1_024, 128_000)]
    public void What_a_line_may_read_is_counted_and_what_cannot_be_seen_is_bounded(string body, string model, long least, long most) =>
        Assert.InRange(BatchEstimate.Input(Encoding.UTF8.GetBytes(body), Target(model, model.StartsWith("gpt", StringComparison.Ordinal) ? "openai" : "groq")), least, most);

    [Fact]
    public void A_picture_in_the_line_is_no_text()
    {
        var body = $$$"""{"model":"m","messages":[{"role":"user","content":[{"type":"image_url","image_url":{"url":"data:image/png;base64,{{{new string('A', 3_000_000)}}}"}}]}]}""";
        Assert.InRange(BatchEstimate.Input(Encoding.UTF8.GetBytes(body), Target()), 4_096, 6_000);
    }

    [Fact]
    public void A_line_that_bounds_nothing_counts_with_the_most_that_its_model_writes_and_embeddings_with_nothing()
    {
        Assert.Equal(1_000L * 4_000, Cost("/v1/chat/completions", """{"model":"m","messages":[]}""") - Cost("/v1/chat/completions", """{"model":"m","messages":[],"max_tokens":0}"""), 20_000d);
        Assert.Equal("""{"model":"m","input":["x","y"]}""".Length * 1_000, Cost("/v1/embeddings", """{"model":"m","input":["x","y"]}"""));
    }

    [Fact]
    public void A_model_without_a_price_of_batches_costs_the_standard_one()
    {
        var price = new ModelPrice("openai", "gpt-4o", new PriceTier(ServiceTier.Standard, 0, new TokenRates { Input = 2, Output = 8 }));
        var body = Encoding.UTF8.GetBytes("""{"model":"m","messages":[],"max_tokens":5}""");
        Assert.Null(BatchEndpoint.Find("/chat/completions")!.ReadHead(body, out var head));
        Assert.Equal(
            (BatchEstimate.Input(body, Target(price: price)) * 2_000) + (5 * 8_000), BatchEstimate.WorstCase(BatchEndpoint.Find("/v1/chat/completions")!, body, head, Target(price: price)).NanoDollars);
    }

    private static double Cost(string url, string body)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        var endpoint = BatchEndpoint.Find(url)!;
        Assert.Null(endpoint.ReadHead(bytes, out var head));
        return BatchEstimate.WorstCase(endpoint, bytes, head, Target()).NanoDollars;
    }
}
