using System.Text.Json;
using Anthropic;
using Anthropic.Exceptions;
using Anthropic.Models.Messages;
using Gateway.Cluster.Tests.Clusters;

namespace Gateway.Cluster.Tests.Clients;

/// <summary>Anthropic's own .NET client, its validation on, as a team uses it: against models behind every protocol that the sample provider speaks.</summary>
[Collection(ClientsCollection.Name)]
public sealed class AnthropicClientTests(ClientsCluster cluster)
{
    private static readonly ToolUnion Weather = new Tool
    {
        Name = "get_weather",
        InputSchema = InputSchema.FromRawUnchecked(JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(
            """{"type":"object","properties":{"city":{"type":"string"}},"required":["city"]}""")!),
    };

    public static TheoryData<string> Models => new(ClientsCluster.Models);

    [Theory]
    [MemberData(nameof(Models))]
    public async Task It_gets_a_message(string model)
    {
        var answer = await Client().Messages.Create(Ask(model, "Where does the river end?"));

        Assert.True(answer.Content[0].TryPickText(out var text));
        Assert.NotEmpty(text!.Text);
        Assert.True(answer.StopReason == "end_turn");
        Assert.StartsWith("msg_", answer.ID, StringComparison.Ordinal);
        Assert.True(answer.Usage.InputTokens > 0 && answer.Usage.OutputTokens > 0);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Its_stream_has_the_text_and_the_usage_of_the_whole(string model)
    {
        var whole = await Client().Messages.Create(Ask(model, "Streaming?"));
        var (text, output, stopped) = ("", 0L, false);
        await foreach (var update in Client().Messages.CreateStreaming(Ask(model, "Streaming?")))
        {
            if (update.TryPickContentBlockDelta(out var delta) && delta.Delta.TryPickText(out var piece))
            {
                text += piece.Text;
            }
            else if (update.TryPickDelta(out var end))
            {
                output = end.Usage.OutputTokens;
            }

            stopped |= update.TryPickStop(out _);
        }

        whole.Content[0].TryPickText(out var expected);
        Assert.Equal(expected!.Text, text);
        Assert.Equal(whole.Usage.OutputTokens, output);
        Assert.True(stopped);
    }

    [Theory]
    [MemberData(nameof(Models))]
    public async Task Its_tool_is_called_and_the_result_comes_back(string model)
    {
        var asked = await Client().Messages.Create(Ask(model, "How is the weather?", Weather));

        Assert.True(asked.StopReason == "tool_use");
        ToolUseBlock? call = null;
        Assert.Contains(asked.Content, block => block.TryPickToolUse(out call));
        Assert.Equal("get_weather", call!.Name);
        Assert.True(call.Input.ContainsKey("city"));
    }

    [Fact]
    public async Task It_understands_the_gateways_errors()
    {
        await Assert.ThrowsAsync<AnthropicForbiddenException>(() => Client(ClientsCluster.FewKey).Messages.Create(Ask("claude", "no")));
        await Assert.ThrowsAsync<AnthropicUnauthorizedException>(() => Client("nobody-token").Messages.Create(Ask("gpt-4o", "no")));
    }

    private AnthropicClient Client(string key = ClientsCluster.Key) =>
        new() { ApiKey = key, BaseUrl = $"http://localhost:{cluster.Gateway.Port}", ResponseValidation = true, MaxRetries = 0 };

    private static MessageCreateParams Ask(string model, string text, params IReadOnlyList<ToolUnion> tools) =>
        new() { Model = model, MaxTokens = 1000, Messages = [new UserMessageParam(text)], Tools = tools.Count == 0 ? null : tools };
}
