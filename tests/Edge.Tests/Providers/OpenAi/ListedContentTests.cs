using System.Text;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Tests.Providers.OpenAi;

public sealed class ListedContentTests
{
    [Theory]
    [InlineData(
        """{"id":"a","choices":[{"index":0,"message":{"role":"assistant","tool_calls":null,"content":[{"type":"thinking","thinking":[{"type":"text","text":"H\u006d"},{"type":"text","text":"."}]},{"type":"text","text":"Caf\u00e9"}]},"finish_reason":"stop"}],"usage":{"x":1.50}}""",
        """{"id":"a","choices":[{"index":0,"message":{"role":"assistant","tool_calls":null,"content":"Caf\u00e9","reasoning_content":"H\u006d."},"finish_reason":"stop"}],"usage":{"x":1.50}}""")]
    [InlineData(
        """{"choices":[{"index":0,"delta":{"content": [{"type":"thinking","thinking":[{"type":"text","text":"Hm"}]}]},"finish_reason":null}]}""",
        """{"choices":[{"index":0,"delta":{"content":"","reasoning_content":"Hm"},"finish_reason":null}]}""")]
    [InlineData(
        """{"choices":[{"index":0,"message":{"reasoning_content":"Hm","content":[{"type":"reasoning","summary":[{"type":"summary_text","text":"Hm"}]},{"type":"text","text":"a"}]}}]}""",
        """{"choices":[{"index":0,"message":{"content":"a","reasoning_content":"Hm"}}]}""")]
    [InlineData(
        """{"choices":[{"index":0,"delta":{"content" : [{"type":"text","text":"a"},{"type":"reference","reference_ids":[1]}]}}]}""",
        """{"choices":[{"index":0,"delta":{"content":"a"}}]}""")]
    [InlineData(
        """{"choices":[{"index":0,"delta":{"content":"\"model_length\""},"finish_reason":"model_length"}]}""",
        """{"choices":[{"index":0,"delta":{"content":"\"model_length\""},"finish_reason":"length"}]}""")]
    public void A_list_is_said_as_text_and_thoughts_and_the_rest_stays(string reply, string expected) =>
        Assert.Equal(expected, Encoding.UTF8.GetString(ListedContent.Mend(Encoding.UTF8.GetBytes(reply))!));

    [Theory]
    [InlineData("""{"choices":[{"index":0,"message":{"content":"\"content\":["}}]}""")]
    [InlineData("""{"choices":[{"index":0,"delta":{"content":null,"tool_calls":[]}}]}""")]
    [InlineData("""{"choices":[{"index":0,"delta":{"content":"a"},"logprobs":{"content":[{"token":"a"}]}}]}""")]
    [InlineData("""{"choices":[{"index":0,"logprobs":{"refusal":null,"content": [{"token":"a"}]},"delta":{"content":"a"}}],"metadata":{"content":[]}}""")]
    [InlineData("")]
    public void What_is_OpenAIs_already_passes(string reply) => Assert.Null(ListedContent.Mend(Encoding.UTF8.GetBytes(reply)));

    [Fact]
    public void What_is_neither_text_nor_thought_is_named()
    {
        var losses = new ReplyLosses();

        ListedContent.Mend("""{"choices":[{"index":0,"delta":{"content":[{"type":"text","text":""},{"type":"thinking","thinking":[]},{"type":"reference","reference_ids":[1]}]}}]}"""u8, losses);

        Assert.Equal(["reference"], losses.Names);
    }

    [Theory]
    [InlineData("{\"content\":[")]
    [InlineData("{\"\\ud800\":1,\"choices\":[{\"delta\":{\"content\":[]}}]}")]
    public void What_is_broken_is_malformed(string reply) => Assert.Throws<MalformedReplyException>(() => ListedContent.Mend(Encoding.UTF8.GetBytes(reply)));

    [Fact]
    public void T84_No_bytes_whatever_raise_anything_but_a_malformed_reply()
    {
        var reply = Encoding.UTF8.GetBytes("""
            {"id":"a","choices":[{"index":0,"message":{"role":"assistant","tool_calls":null,"content":[{"type":"thinking","thinking":[{"type":"text","text":"H\u006d"}]},{"type":"text","text":"Caf\u00e9"}]},"finish_reason":"stop"}]}
            """);
        foreach (var random in Effort.Rounds(3000, 17))
        {
            try
            {
                ListedContent.Mend(ProviderContractTests.Mutate(reply, random));
            }
            catch (MalformedReplyException)
            {
            }
        }
    }
}
