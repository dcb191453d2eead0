using System.Text;
using Gateway.Edge.CohereApi;
using Gateway.Edge.Tests.Surfaces;

namespace Gateway.Edge.Tests.Flow;

public sealed class RequestExchangeTests
{
    [Theory]
    [InlineData("""{"choices":[{"message":{"annotations":[]}},{"message":{"annotations":[{"type":"url_citation"}]}}]}""", "annotations")]
    [InlineData("""{"choices":[{"message":{"content":"\"annotations\"","annotations" : [ {"type":"url_citation"}]}}]}""", "annotations")]
    [InlineData("""{"images":null,"choices":[{"message":{"images":[{"type":"image_url"}]}}]}""", "images")]
    [InlineData("""{"choices":[{"message":{"annotations":[],"images":[]}}]}""", null)]
    public void WhatAClientHasNoPlaceFor_IsNamed_WhereverItStands(string answer, string? lost)
    {
        var surface = new CohereSurface();
        using var exchange = new SurfaceExchange(surface, """{"model":"m","messages":[{"role":"user","content":"x"}]}""");

        exchange.Value.NoteLosses(Encoding.UTF8.GetBytes(answer));

        Assert.Equal(lost is null ? [] : [lost], exchange.Value.Losses.Names);
    }
}
