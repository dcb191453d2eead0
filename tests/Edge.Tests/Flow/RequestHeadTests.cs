using System.Text;
using System.Text.Json;
using Gateway.Edge.Flow;
using Gateway.Pricing;

namespace Gateway.Edge.Tests.Flow;

public sealed class RequestHeadTests
{
    [Fact]
    public void Read_FindsWhatTheFlowNeeds_WhereverItStands()
    {
        var error = Read("""{"messages":[{"role":"user","content":"model: no"}],"n":2,"max_tokens":5,"max_completion_tokens":9,"user":"u-1","stream":true,"model":"gpt-4"}""", out var head);

        Assert.Null(error);
        Assert.Equal(("gpt-4", 2, 9L, "u-1", true, false), (head.ModelName, head.Choices, head.MaxTokens, head.User, head.Stream, head.IncludeUsage));
    }

    [Theory]
    [InlineData("""{"model":"a"}""", ServiceTier.Standard, ServiceTier.Standard)]
    [InlineData("""{"model":"a","service_tier":null}""", ServiceTier.Standard, ServiceTier.Standard)]
    [InlineData("""{"service_tier":"default","model":"a"}""", ServiceTier.Standard, ServiceTier.Standard)]
    [InlineData("""{"model":"a","service_tier":"flex"}""", ServiceTier.Flex, ServiceTier.Standard)]
    [InlineData("""{"model":"a","service\u005ftier":"priority"}""", ServiceTier.Priority, ServiceTier.Priority)]
    [InlineData("""{"model":"a","service_tier":"auto"}""", ServiceTier.Priority, ServiceTier.Standard)]
    [InlineData("""{"model":"a","service_tier":"a new one"}""", ServiceTier.Priority, ServiceTier.Standard)]
    [InlineData("""{"model":"a","service_tier":{"deep":["flex"]}}""", ServiceTier.Priority, ServiceTier.Standard)]
    public void T39_TheTierAskedFor_IsTheDearestThatTheProviderMayChoose(string body, ServiceTier dearest, ServiceTier untold)
    {
        Assert.Null(Read(body, out var head));
        Assert.Equal((dearest, untold), (head.Tier, head.TierUntold.Service));
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("{")]
    [InlineData("""{"model":"a"} trailing""")]
    [InlineData("""{"model":"a","messages":[}""")]
    public void Read_WhatIsNoJsonObject_IsInvalidJson(string body)
    {
        Assert.Equal("invalid_json", Read(body, out _)?.Code);
    }

    [Theory]
    [InlineData("""{"messages":[]}""", "model")]
    [InlineData("""{"model":7}""", "model")]
    [InlineData("""{"model":"a","stream":"yes"}""", "stream")]
    [InlineData("""{"model":"a","max_tokens":-1}""", "max_tokens")]
    [InlineData("""{"model":"a","n":0}""", "n")]
    [InlineData("""{"model":"a","stream_options":3}""", "stream_options")]
    [InlineData("""{"model":"a","disable_fallbacks":"true"}""", "disable_fallbacks")]
    [InlineData("""{"model":"a","disable_fallbacks":[{"id":"a__thought__b"}],"messages":[]}""", "disable_fallbacks")]
    public void Read_AFieldOfTheWrongKind_IsNamed(string body, string field)
    {
        var error = Read(body, out _);

        Assert.Equal((400, "invalid_request", field), (error!.Status, error.Code, error.Param));
    }

    [Theory]
    [InlineData("api_base")]
    [InlineData("base_url")]
    [InlineData("api_key")]
    [InlineData("api\\u005fbase")]
    public void T71_ACallerWhoSetsAddressOrCredential_IsRefused(string field)
    {
        Assert.Equal("invalid_request", Read($$"""{"model":"a","{{field}}":"http://169.254.169.254/"}""", out _)?.Code);
    }

    [Theory]
    [InlineData("""{"model":"public","messages":[],"x_unknown":{"deep":[1,2.50,"ü"]}}""", """{"model":"real","messages":[],"x_unknown":{"deep":[1,2.50,"ü"]}}""")]
    [InlineData("""{ "a" : 1 , "model" : "public" }""", """{ "a" : 1 , "model" : "real" }""")]
    [InlineData("""{"model":"public","disable_fallbacks":true,"a":1}""", """{"model":"real","a":1}""")]
    [InlineData("""{"model":"public","a":1, "disable_fallbacks":true}""", """{"model":"real","a":1}""")]
    [InlineData("""{"disable_fallbacks":true,"model":"public"}""", """{"model":"real"}""")]
    [InlineData("""{"model":"public","metadata":{"tags":["a"]},"a":1}""", """{"model":"real","a":1}""")]
    [InlineData("""{"model":"public","metadata":{"tags":["a"],"topic":"x"}}""", """{"model":"real","metadata":{"topic":"x"}}""")]
    [InlineData("""{"model":"public","metadata":{"topic":"x", "tags":["a"]}}""", """{"model":"real","metadata":{"topic":"x"}}""")]
    [InlineData("""{"model":"public","metadata":{"tags":"a"}}""", """{"model":"real","metadata":{"tags":"a"}}""")]
    [InlineData("""{"model":"public","disable_fallbacks":true,"metadata":{"tags":[]}}""", """{"model":"real"}""")]
    [InlineData("""{"metadata":{"tags":["a"]},"disable_fallbacks":null,"model":"public"}""", """{"model":"real"}""")]
    public async Task Splice_ChangesTheModelAndNothingElse(string body, string expected)
    {
        Assert.Equal(expected, await SplicedAsync(body, forceStream: false));
    }

    [Theory]
    [InlineData("""{"metadata":{"tags":["a","b"]},"model":"m"}""", "a,b")]
    [InlineData("""{"model":"m","met\u0061data":{"t\u0061gs":["a"]},"metadata":{"x":1,"tags":["b"]}}""", "a,b")]
    [InlineData("""{"model":"m","metadata":{"tags":[]}}""", null)]
    [InlineData("""{"model":"m","metadata":{"deep":{"tags":["a"]}}}""", null)]
    [InlineData("""{"model":"m","metadata":null}""", null)]
    public void Tags_AreReadFromMetadata_HoweverItsNameIsWritten(string body, string? tags)
    {
        Assert.Null(Read(body, out var head));
        Assert.Equal(tags?.Split(','), head.Tags);
    }

    [Theory]
    [InlineData("""{"model":"m","metadata":{"tags":[1]}}""")]
    [InlineData("""{"model":"m","metadata":{"tags":[["a"]]}}""")]
    public void Tags_ThatAreNoTexts_AreRefused(string body) => Assert.Equal("metadata.tags", Read(body, out _)?.Param);

    [Theory]
    [InlineData("""{"model":"public","stream":true}""")]
    [InlineData("""{"stream_options":null,"model":"public","stream":true}""")]
    [InlineData("""{"stream_options":{},"model":"public","stream":true}""")]
    [InlineData("""{"stream_options":{"include_usage":false},"model":"public","stream":true}""")]
    [InlineData("""{"model":"public","stream":true,"stream_options":{"include_obfuscation":false}}""")]
    public async Task T30_AStream_IsAskedForItsUsage_WhateverTheCallerSaid(string body)
    {
        using var sent = JsonDocument.Parse(await SplicedAsync(body, forceStream: false));

        Assert.True(sent.RootElement.GetProperty("stream_options").GetProperty("include_usage").GetBoolean());
        if (body.Contains("obfuscation", StringComparison.Ordinal))
        {
            Assert.False(sent.RootElement.GetProperty("stream_options").GetProperty("include_obfuscation").GetBoolean());
        }
    }

    [Theory]
    [InlineData("""{"model":"public"}""")]
    [InlineData("""{"model":"public","stream":false}""")]
    [InlineData("""{"model":"public","stream":null,"stream_options":{"include_usage":true}}""")]
    public async Task Splice_AGuardedRequest_IsStreamedUpstream(string body)
    {
        using var sent = JsonDocument.Parse(await SplicedAsync(body, forceStream: true));

        Assert.True(sent.RootElement.GetProperty("stream").GetBoolean());
        Assert.True(sent.RootElement.GetProperty("stream_options").GetProperty("include_usage").GetBoolean());
        Assert.Equal(1, sent.RootElement.EnumerateObject().Count(property => property.Name == "stream"));
    }

    private static GatewayError? Read(string body, out RequestHead head) => RequestHead.TryRead(Encoding.UTF8.GetBytes(body), out head);

    private static async Task<string> SplicedAsync(string body, bool forceStream)
    {
        var bytes = Encoding.UTF8.GetBytes(body);
        Assert.Null(RequestHead.TryRead(bytes, out var head));
        using var content = new SplicedContent(bytes, Splice.ForOpenAi(bytes, head, "\"real\""u8.ToArray(), forceStream));
        using var sent = new MemoryStream();
        await content.CopyToAsync(sent);
        Assert.Equal(content.Headers.ContentLength, sent.Length);
        return Encoding.UTF8.GetString(sent.ToArray());
    }
}
