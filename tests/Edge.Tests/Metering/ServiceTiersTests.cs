using System.Text;
using Gateway.Edge.Messages;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers.Anthropic;
using Gateway.Edge.Responses;
using Gateway.Edge.Streaming;
using Gateway.Edge.Tests.Surfaces;
using Gateway.Pricing;

namespace Gateway.Edge.Tests.Metering;

/// <summary>Which service tier an answer says that it was made at.</summary>
public sealed class ServiceTiersTests
{
    [Theory]
    [InlineData("""{"choices":[],"usage":{"prompt_tokens":1},"service_tier":"priority","system_fingerprint":"fp"}""", ServiceTier.Priority)]
    [InlineData("""{"service_tier" : "flex","choices":[]}""", ServiceTier.Flex)]
    [InlineData("""{"service_tier":"default","choices":[]}""", ServiceTier.Standard)]
    [InlineData("""{"service_tier":"scale"}""", ServiceTier.Standard)]
    [InlineData("""{"service_tier":"a new one"}""", null)]
    [InlineData("""{"service_tier":null,"choices":[]}""", null)]
    [InlineData("""{"choices":[{"message":{"content":"\"service_tier\":\"flex\""}}]}""", null)]
    [InlineData("""{"service_tier":"pri""", null)]
    [InlineData("""{"choices":[]}""", null)]
    public void T39_In_ChatOfOpenAis_ItIsFoundWhereItStands(string reply, ServiceTier? tier) => Assert.Equal(tier, ServiceTiers.In(Encoding.UTF8.GetBytes(reply)));

    [Fact]
    public void T39_In_Anthropics_ItStandsInTheUsage()
    {
        var usage = new AnthropicUsage();
        Take(usage, """{"input_tokens":3,"service_tier":"priority"}""");
        Take(usage, """{"output_tokens":5}""");
        Assert.Equal(ServiceTier.Priority, usage.Tier);

        var stream = new MessagesPassedStream(assembles: false);
        stream.Watch("message_start"u8, """{"type":"message_start","message":{"usage":{"input_tokens":3,"service_tier":"priority"}}}"""u8, new OutputTap());
        Assert.Equal(ServiceTier.Priority, stream.Tier);

        using var exchange = new SurfaceExchange(new MessagesSurface(), """{"model":"a","max_tokens":1,"messages":[]}""");
        MessagesPassed.Instance.ReadReply(exchange.Value, """{"usage":{"input_tokens":3,"output_tokens":1,"service_tier":"priority"}}"""u8.ToArray());
        Assert.Equal(ServiceTier.Priority, exchange.Value.Units.Service);
    }

    [Fact]
    public void T39_In_Responses_ItIsTheResponsesOwn_AndNoCallersMetadata()
    {
        var stream = new ResponsesPassedStream(static _ => { });
        stream.Watch(
            "response.completed"u8,
            """{"type":"response.completed","response":{"service_tier":"priority","metadata":{"service_tier":"flex"},"usage":{"input_tokens":1,"output_tokens":2}}}"""u8, new OutputTap());
        Assert.Equal(ServiceTier.Priority, stream.Tier);
    }

    private static void Take(AnthropicUsage usage, string json)
    {
        using var document = System.Text.Json.JsonDocument.Parse(json);
        usage.Take(document.RootElement);
    }
}
