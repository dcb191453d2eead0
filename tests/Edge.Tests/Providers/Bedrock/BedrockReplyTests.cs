using System.Buffers;
using System.Text;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.Bedrock;

namespace Gateway.Edge.Tests.Providers.Bedrock;

public sealed class BedrockReplyTests
{
    [Theory]
    [InlineData("malformed_model_output")]
    [InlineData("malformed_tool_use")]
    public void WhatBedrockCouldNotRead_IsNoFinishedAnswer(string reason)
    {
        var reply = Encoding.UTF8.GetBytes($$$"""{"output":{"message":{"content":[{"text":"Wait."}]}},"stopReason":"{{{reason}}}","usage":{"inputTokens":1,"outputTokens":1}}""");

        Assert.Throws<MalformedReplyException>(() => ProviderCases.Provider("bedrock").ReadReply(reply, ProviderCases.Call(), new ArrayBufferWriter<byte>()));
    }

    [Theory]
    [InlineData("contentBlockStart", """{"contentBlockIndex":0,"start":{"toolResult":{"toolUseId":"t"}}}""", "toolResult")]
    [InlineData("contentBlockDelta", """{"contentBlockIndex":0,"delta":{"image":{"source":{}}}}""", "image")]
    [InlineData("contentBlockStart", """{"contentBlockIndex":0,"start":{"toolUse":{"toolUseId":"t","name":"f"}}}""", null)]
    [InlineData("contentBlockDelta", """{"contentBlockIndex":0,"delta":{"text":"a"}}""", null)]
    public void WhatAStreamSaysThatOpenAiHasNoWordFor_IsNamed(string name, string said, string? lost)
    {
        var losses = new ReplyLosses();
        new BedrockStream(ProviderCases.Call(stream: true) with { Losses = losses }).Read(Encoding.UTF8.GetBytes(name), Encoding.UTF8.GetBytes(said), new ArrayBufferWriter<byte>());

        Assert.Equal(lost is null ? [] : [lost], losses.Names);
    }
}
