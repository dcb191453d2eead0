using System.Buffers;
using System.Text;
using Gateway.Edge.Providers;

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
}
