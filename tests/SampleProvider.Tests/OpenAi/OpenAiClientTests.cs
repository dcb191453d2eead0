using System.ClientModel;
using System.Text.Json;
using Gateway.SampleProvider.Tests.Answers;
using OpenAI;
using OpenAI.Chat;
using OpenAI.Embeddings;
using OpenAI.Models;

namespace Gateway.SampleProvider.Tests.OpenAi;

/// <summary>OpenAI's own client is the judge of whether the sample speaks OpenAI.</summary>
public sealed class OpenAiClientTests(SampleServer server) : IClassFixture<SampleServer>
{
    private static readonly ChatTool Weather = ChatTool.CreateFunctionTool("get_weather", "The weather somewhere", BinaryData.FromString(
        """{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":3},"unit":{"enum":["c","f"]},"note":{"type":"string"}},"required":["city","days","unit"]}"""));

    private OpenAIClient Client(string key = "sk-sample") =>
        new(new ApiKeyCredential(key), new() { Endpoint = new Uri(server.Url + "/v1"), RetryPolicy = new System.ClientModel.Primitives.ClientRetryPolicy(maxRetries: 0) });

    private ChatClient Chat(string model = "gpt-4") => Client().GetChatClient(model);

    [Fact]
    public async Task A_chat_is_answered_and_its_usage_is_what_the_tokenizer_counts()
    {
        ChatCompletion answer = await Chat().CompleteChatAsync(
            [new SystemChatMessage("You are terse."), new UserChatMessage("Where does the river end? Où finit le fleuve?")]);

        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
        Assert.Equal("gpt-4", answer.Model);
        Assert.StartsWith("chatcmpl-", answer.Id, StringComparison.Ordinal);
        Assert.InRange(DateTimeOffset.UtcNow - answer.CreatedAt, TimeSpan.FromSeconds(-2), TimeSpan.FromSeconds(60));
        Assert.Equal(Counted.Tokens(answer.Content[0].Text), answer.Usage.OutputTokenCount);

        // Four for each of two messages, three that open the answer.
        var input = Counted.Tokens("You are terse.") + Counted.Tokens("Where does the river end? Où finit le fleuve?") + 4 + 4 + 3;
        Assert.Equal(input, answer.Usage.InputTokenCount);
        Assert.Equal(input + answer.Usage.OutputTokenCount, answer.Usage.TotalTokenCount);
    }

    [Fact]
    public async Task The_same_request_has_the_same_text_and_another_id()
    {
        ChatCompletion first = await Chat().CompleteChatAsync("Say it again");
        ChatCompletion second = await Chat().CompleteChatAsync("Say it again");

        Assert.Equal(first.Content[0].Text, second.Content[0].Text);
        Assert.NotEqual(first.Id, second.Id);
    }

    [Fact]
    public async Task The_text_depends_on_what_was_asked_and_on_the_model()
    {
        ChatCompletion first = await Chat().CompleteChatAsync("One question");
        ChatCompletion other = await Chat().CompleteChatAsync("Another question");
        ChatCompletion elsewhere = await Chat("gpt-5").CompleteChatAsync("One question");

        Assert.NotEqual(first.Content[0].Text, other.Content[0].Text);
        Assert.NotEqual(first.Content[0].Text, elsewhere.Content[0].Text);
    }

    [Fact]
    public async Task A_stream_has_the_text_and_the_usage_of_the_reply_that_does_not_stream()
    {
        ChatCompletion whole = await Chat().CompleteChatAsync("Streaming?");
        var text = "";
        ChatTokenUsage? usage = null;
        ChatFinishReason? finish = null;
        ChatMessageRole? role = null;
        await foreach (var update in Chat().CompleteChatStreamingAsync("Streaming?"))
        {
            text += string.Concat(update.ContentUpdate.Select(part => part.Text));
            usage = update.Usage ?? usage;
            finish = update.FinishReason ?? finish;
            role ??= update.Role;
        }

        Assert.Equal(whole.Content[0].Text, text);
        Assert.Equal(ChatMessageRole.Assistant, role);
        Assert.Equal(ChatFinishReason.Stop, finish);
        Assert.Equal(Counted.Tokens(text), usage!.OutputTokenCount);
        Assert.Equal(whole.Usage.TotalTokenCount, usage.TotalTokenCount);
    }

    [Fact]
    public async Task A_limit_on_tokens_cuts_the_answer_there_and_says_length()
    {
        ChatCompletion answer = await Chat().CompleteChatAsync([new UserChatMessage("Go on")], new() { MaxOutputTokenCount = 7 });

        Assert.Equal(ChatFinishReason.Length, answer.FinishReason);
        Assert.Equal(7, answer.Usage.OutputTokenCount);
        Assert.Equal(7, Counted.Tokens(answer.Content[0].Text));
    }

    [Fact]
    public async Task A_tool_is_called_with_what_its_schema_requires()
    {
        ChatCompletion answer = await Chat().CompleteChatAsync([new UserChatMessage("How is the weather?")], new() { Tools = { Weather } });

        Assert.Equal(ChatFinishReason.ToolCalls, answer.FinishReason);
        var call = Assert.Single(answer.ToolCalls);
        Assert.Equal("get_weather", call.FunctionName);
        Assert.Equal("""{"city":"Paris","days":3,"unit":"c"}""", call.FunctionArguments.ToString());
        Assert.Equal(Counted.Tokens(call.FunctionName) + Counted.Tokens(call.FunctionArguments.ToString()), answer.Usage.OutputTokenCount);
    }

    [Fact]
    public async Task A_tool_is_not_called_unasked_or_when_forbidden_or_once_its_result_is_there()
    {
        ChatCompletion unasked = await Chat().CompleteChatAsync([new UserChatMessage("Hello")], new() { Tools = { Weather } });
        ChatCompletion forbidden = await Chat().CompleteChatAsync(
            [new UserChatMessage("The weather?")], new() { Tools = { Weather }, ToolChoice = ChatToolChoice.CreateNoneChoice() });
        ChatCompletion answered = await Chat().CompleteChatAsync(
            [
                new UserChatMessage("The weather?"),
                new AssistantChatMessage([ChatToolCall.CreateFunctionToolCall("call_1", "get_weather", BinaryData.FromString("{}"))]),
                new ToolChatMessage("call_1", "sunny"),
            ],
            new() { Tools = { Weather } });

        Assert.All([unasked, forbidden, answered], answer => Assert.Equal(ChatFinishReason.Stop, answer.FinishReason));
    }

    [Fact]
    public async Task Tools_are_called_in_parallel_in_a_stream_when_the_text_asks_for_it()
    {
        var other = ChatTool.CreateFunctionTool("get_time");
        var names = new SortedDictionary<int, string>();
        var arguments = new SortedDictionary<int, string>();
        var ids = new HashSet<string>();
        await foreach (var update in Chat().CompleteChatStreamingAsync(
            [new UserChatMessage("Use tools in parallel")], new() { Tools = { Weather, other }, ToolChoice = ChatToolChoice.CreateRequiredChoice() }))
        {
            foreach (var call in update.ToolCallUpdates)
            {
                names[call.Index] = call.FunctionName ?? names[call.Index];
                arguments[call.Index] = arguments.GetValueOrDefault(call.Index) + call.FunctionArgumentsUpdate;
                _ = call.ToolCallId is null || ids.Add(call.ToolCallId);
            }
        }

        Assert.Equal(["get_weather", "get_time"], names.Values);
        Assert.Equal("""{"city":"Paris","days":3,"unit":"c"}""", arguments[0]);
        Assert.Equal("{}", arguments[1]);
        Assert.Equal(2, ids.Count);
    }

    [Fact]
    public async Task The_tool_that_is_named_is_the_one_that_is_called()
    {
        var other = ChatTool.CreateFunctionTool("get_time");
        ChatCompletion answer = await Chat().CompleteChatAsync(
            [new UserChatMessage("Hello")], new() { Tools = { Weather, other }, ToolChoice = ChatToolChoice.CreateFunctionChoice("get_time") });

        Assert.Equal("get_time", Assert.Single(answer.ToolCalls).FunctionName);
    }

    [Fact]
    public async Task A_schema_for_the_answer_is_kept()
    {
        var format = ChatResponseFormat.CreateJsonSchemaFormat("person", BinaryData.FromString(
            """{"type":"object","properties":{"name":{"type":"string"},"tags":{"type":"array","minItems":2,"items":{"$ref":"#/$defs/tag"}}},"required":["name","tags"],"$defs":{"tag":{"type":"string","maxLength":3}}}"""),
            jsonSchemaIsStrict: true);
        ChatCompletion answer = await Chat().CompleteChatAsync([new UserChatMessage("Hello")], new() { ResponseFormat = format });
        ChatCompletion any = await Chat().CompleteChatAsync(
            [new UserChatMessage("Hello")], new() { ResponseFormat = ChatResponseFormat.CreateJsonObjectFormat() });

        Assert.Equal("""{"name":"sample name","tags":["sam","sam"]}""", answer.Content[0].Text);
        Assert.Equal(JsonValueKind.Object, JsonElement.Parse(any.Content[0].Text).ValueKind);
    }

    [Fact]
    public async Task Embeddings_are_the_same_unit_vectors_for_the_same_text()
    {
        var client = Client().GetEmbeddingClient("text-embedding-3-small");
        OpenAIEmbeddingCollection first = await client.GenerateEmbeddingsAsync(["a river", "the sea"], new() { Dimensions = 256 });
        OpenAIEmbedding again = await client.GenerateEmbeddingAsync("a river", new() { Dimensions = 256 });
        OpenAIEmbedding whole = await client.GenerateEmbeddingAsync("a river");

        Assert.Equal(256, first[0].ToFloats().Length);
        Assert.Equal(1536, whole.ToFloats().Length);
        Assert.True(first[0].ToFloats().Span.SequenceEqual(again.ToFloats().Span));
        Assert.False(first[0].ToFloats().Span.SequenceEqual(first[1].ToFloats().Span));
        Assert.InRange(first[0].ToFloats().ToArray().Sum(value => value * value), 0.999f, 1.001f);
        Assert.Equal(Counted.Tokens("a river") + Counted.Tokens("the sea"), first.Usage.InputTokenCount);
    }

    [Fact]
    public async Task The_float_form_of_an_embedding_is_its_base64_form()
    {
        var written = await server.PostJson("/v1/embeddings", """{"model":"m","input":"x","dimensions":8}""");
        var packed = await server.PostJson("/v1/embeddings", """{"model":"m","input":"x","dimensions":8,"encoding_format":"base64"}""");

        var bytes = packed.GetProperty("data")[0].GetProperty("embedding").GetBytesFromBase64();
        var floats = written.GetProperty("data")[0].GetProperty("embedding").EnumerateArray().Select(value => value.GetSingle()).ToArray();
        Assert.Equal(floats, Enumerable.Range(0, 8).Select(i => BitConverter.ToSingle(bytes, i * 4)));
    }

    [Fact]
    public async Task Models_are_listed()
    {
        OpenAIModelCollection models = await Client().GetOpenAIModelClient().GetModelsAsync();

        Assert.Contains(models, model => model.Id == "gpt-4");
    }

    [Fact]
    public async Task A_key_that_ends_in_invalid_gets_the_real_401_without_the_key_in_it()
    {
        var refused = await Assert.ThrowsAsync<ClientResultException>(
            () => Client("sk-abcdefghijklmnop-invalid").GetChatClient("gpt-4").CompleteChatAsync("Hello"));

        Assert.Equal(401, refused.Status);
        Assert.Contains("Incorrect API key provided: sk-*****alid", refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("abcdefghijklmnop", refused.Message, StringComparison.Ordinal);
    }
}
