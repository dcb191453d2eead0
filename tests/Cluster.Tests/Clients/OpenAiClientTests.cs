using System.ClientModel;
using System.ClientModel.Primitives;
using System.Text.Json;
using Gateway.Cluster.Tests.Clusters;
using OpenAI;
using OpenAI.Batch;
using OpenAI.Chat;
using OpenAI.Files;
using OpenAI.Models;

// The client calls its own batches an evaluation.
#pragma warning disable OPENAI001

namespace Gateway.Cluster.Tests.Clients;

/// <summary>OpenAI's own .NET client as a team uses it: only the address and the key are the gateway's. Models behind every protocol that the sample provider speaks answer it.</summary>
[Collection(ClientsCollection.Name)]
public sealed class OpenAiClientTests(ClientsCluster cluster)
{
    private static readonly ChatTool Weather = ChatTool.CreateFunctionTool("get_weather", "The weather somewhere", BinaryData.FromString(
        """{"type":"object","properties":{"city":{"type":"string"},"days":{"type":"integer","minimum":3}},"required":["city","days"]}"""));

    public static TheoryData<string> Models => new(ClientsCluster.Models);

    [Theory]
    [MemberData(nameof(Models))]
    public async Task It_gets_a_chat_completion(string model)
    {
        ChatCompletion answer = await Chat(model).CompleteChatAsync([new SystemChatMessage("You are terse."), new UserChatMessage("Where does the river end?")]);

        Assert.Equal(ChatFinishReason.Stop, answer.FinishReason);
        Assert.Equal(ChatMessageRole.Assistant, answer.Role);
        // What passes is the provider's own words, its name of the model among them.
        Assert.Equal(model == "mistral" ? "mistral-large-latest" : model, answer.Model);
        Assert.NotEmpty(answer.Content[0].Text);
        Assert.True(answer.Usage.InputTokenCount > 0 && answer.Usage.OutputTokenCount > 0);
        Assert.Equal(answer.Usage.InputTokenCount + answer.Usage.OutputTokenCount, answer.Usage.TotalTokenCount);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task It_streams_and_gets_the_usage_that_it_asks_for(string model)
    {
        ChatCompletion whole = await Chat(model).CompleteChatAsync("Streaming?");
        var text = "";
        ChatTokenUsage? usage = null;
        ChatFinishReason? finish = null;
        await foreach (var update in Chat(model).CompleteChatStreamingAsync("Streaming?"))
        {
            text += string.Concat(update.ContentUpdate.Select(static part => part.Text));
            usage = update.Usage ?? usage;
            finish = update.FinishReason ?? finish;
        }

        Assert.Equal(whole.Content[0].Text, text);
        Assert.Equal(ChatFinishReason.Stop, finish);
        Assert.Equal(whole.Usage.TotalTokenCount, usage!.TotalTokenCount);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Its_tool_is_called_and_the_result_comes_back(string model)
    {
        List<ChatMessage> talk = [new UserChatMessage("How is the weather?")];
        ChatCompletion asked = await Chat(model).CompleteChatAsync(talk, new() { Tools = { Weather } });

        Assert.Equal(ChatFinishReason.ToolCalls, asked.FinishReason);
        var call = Assert.Single(asked.ToolCalls);
        Assert.Equal("get_weather", call.FunctionName);
        Assert.Equal("""{"city":"Paris","days":3}""", call.FunctionArguments.ToString().Replace(" ", "", StringComparison.Ordinal));

        talk.Add(new AssistantChatMessage(asked));
        talk.Add(new ToolChatMessage(call.Id, "sunny"));
        ChatCompletion told = await Chat(model).CompleteChatAsync(talk, new() { Tools = { Weather } });
        Assert.Equal(ChatFinishReason.Stop, told.FinishReason);
        Assert.NotEmpty(told.Content[0].Text);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Its_tools_are_called_in_a_stream(string model)
    {
        var other = ChatTool.CreateFunctionTool("get_time");
        var names = new SortedDictionary<int, string>();
        var arguments = new SortedDictionary<int, string>();
        var ids = new HashSet<string>();
        ChatFinishReason? finish = null;
        await foreach (var update in Chat(model).CompleteChatStreamingAsync(
            [new UserChatMessage("Use tools in parallel")], new() { Tools = { Weather, other }, ToolChoice = ChatToolChoice.CreateRequiredChoice() }))
        {
            finish = update.FinishReason ?? finish;
            foreach (var call in update.ToolCallUpdates)
            {
                names[call.Index] = call.FunctionName ?? names[call.Index];
                arguments[call.Index] = arguments.GetValueOrDefault(call.Index) + call.FunctionArgumentsUpdate;
                _ = call.ToolCallId is null || ids.Add(call.ToolCallId);
            }
        }

        Assert.Equal(["get_weather", "get_time"], names.Values);
        Assert.Equal("""{"city":"Paris","days":3}""", arguments[0].Replace(" ", "", StringComparison.Ordinal));
        Assert.Equal(2, ids.Count);
        Assert.Equal(ChatFinishReason.ToolCalls, finish);
    }

    [Fact]
    public async Task It_lists_the_team_s_models()
    {
        OpenAIModelCollection models = await Client(ClientsCluster.FewKey).GetOpenAIModelClient().GetModelsAsync();
        Assert.Equal(["gpt-4o"], models.Select(static model => model.Id));
    }

    [Fact]
    public async Task It_understands_a_refusal()
    {
        var denied = await Assert.ThrowsAsync<ClientResultException>(() => Client(ClientsCluster.FewKey).GetChatClient("claude").CompleteChatAsync("Hello!"));
        Assert.Equal(403, denied.Status);
        Assert.Contains("model_access_denied", denied.Message, StringComparison.Ordinal);

        var unknown = await Assert.ThrowsAsync<ClientResultException>(() => Client("sk-nobody").GetChatClient("gpt-4o").CompleteChatAsync("Hello!"));
        Assert.Equal(401, unknown.Status);
        Assert.Contains("invalid_api_key", unknown.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_sends_a_file_waits_for_its_batch_reads_the_answers_and_deletes_it()
    {
        var client = Client(ClientsCluster.Key);
        var (files, batches) = (client.GetOpenAIFileClient(), client.GetBatchClient());
        ChatCompletion alone = await client.GetChatClient("gpt-4o").CompleteChatAsync([new UserChatMessage("Where does the river end?")], new() { MaxOutputTokenCount = 30 });
        OpenAIFile input = await files.UploadFileAsync(
            BinaryData.FromString("""{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-4o","max_completion_tokens":30,"messages":[{"role":"user","content":"Where does the river end?"}]}}"""),
            "in.jsonl", FileUploadPurpose.Batch);

        // The client asks by itself until the batch is over.
        var asked = BinaryContent.Create(BinaryData.FromObjectAsJson(new { input_file_id = input.Id, endpoint = "/v1/chat/completions", completion_window = "24h" }));
        var operation = await batches.CreateBatchAsync(asked, waitUntilCompleted: true);
        var batch = JsonElement.Parse((await operation.GetBatchAsync(options: null)).GetRawResponse().Content);
        BinaryData output = await files.DownloadFileAsync(batch.GetProperty("output_file_id").GetString());
        OpenAIFileCollection listed = await files.GetFilesAsync(FilePurpose.Batch);
        FileDeletionResult deleted = await files.DeleteFileAsync(input.Id);
        var gone = await Assert.ThrowsAsync<ClientResultException>(() => files.GetFileAsync(input.Id));

        Assert.True(operation.HasCompleted);
        Assert.Equal((operation.BatchId, "completed"), (batch.GetProperty("id").GetString(), batch.GetProperty("status").GetString()));
        var answer = JsonElement.Parse(output).GetProperty("response").GetProperty("body");
        Assert.Equal(alone.Content[0].Text, answer.GetProperty("choices")[0].GetProperty("message").GetProperty("content").GetString());
        Assert.Equal(alone.Usage.TotalTokenCount, answer.GetProperty("usage").GetProperty("total_tokens").GetInt32());
        Assert.Contains(listed, file => file.Id == input.Id);
        Assert.Equal((true, 404), (deleted.Deleted, gone.Status));
    }

    [Fact]
    public async Task It_lists_its_batches_and_cancels_one()
    {
        var client = Client(ClientsCluster.Key);
        OpenAIFile input = await client.GetOpenAIFileClient().UploadFileAsync(
            BinaryData.FromString("""{"custom_id":"a","method":"POST","url":"/v1/chat/completions","body":{"model":"gpt-4o","max_tokens":30,"messages":[{"role":"user","content":"Hello!"}]}}"""),
            "in.jsonl", FileUploadPurpose.Batch);
        var asked = BinaryContent.Create(BinaryData.FromObjectAsJson(new
        {
            input_file_id = input.Id, endpoint = "/v1/chat/completions", completion_window = "24h", metadata = new Dictionary<string, string> { ["sample-hold"] = "in_progress" },
        }));
        var operation = await client.GetBatchClient().CreateBatchAsync(asked, waitUntilCompleted: false);
        var listed = new List<string?>();
        await foreach (var page in client.GetBatchClient().GetBatchesAsync(new BatchCollectionOptions { PageSizeLimit = 2 }).GetRawPagesAsync())
        {
            listed.AddRange(JsonElement.Parse(page.GetRawResponse().Content).GetProperty("data").EnumerateArray().Select(static batch => batch.GetProperty("id").GetString()));
        }

        await operation.CancelAsync(options: null);
        await operation.WaitForCompletionAsync();
        var batch = JsonElement.Parse((await operation.GetBatchAsync(options: null)).GetRawResponse().Content);

        Assert.Contains(operation.BatchId, listed);
        Assert.Equal("cancelled", batch.GetProperty("status").GetString());
        Assert.Equal(JsonValueKind.Null, batch.GetProperty("output_file_id").ValueKind);
    }

    private ChatClient Chat(string model) => Client(ClientsCluster.Key).GetChatClient(model);

    private OpenAIClient Client(string key) => new(
        new ApiKeyCredential(key),
        new() { Endpoint = new Uri($"http://localhost:{cluster.Gateway.Port}/v1"), RetryPolicy = new ClientRetryPolicy(maxRetries: 0) });
}
