using System.Text;
using Gateway.Edge.Chat;
using Gateway.Edge.CohereApi;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Tests.Chat;

public sealed class ChatAnswerTests
{
    [Theory]
    [InlineData("""{"choices":[{"message":{"annotations":[]}},{"message":{"annotations":[{"type":"url_citation"}]}}]}""", "annotations")]
    [InlineData("""{"choices":[{"message":{"content":"\"annotations\"","annotations" : [ {"type":"url_citation"}]}}]}""", "annotations")]
    [InlineData("""{"images":null,"choices":[{"message":{"images":[{"type":"image_url"}]}}]}""", "images")]
    [InlineData("""{"choices":[{"message":{"annotations":[],"images":[]}}]}""", null)]
    public void WhatAClientHasNoPlaceFor_IsNamed_WhereverItStands(string answer, string? lost)
    {
        var losses = new ReplyLosses();

        ChatAnswer.NoteLosses(Encoding.UTF8.GetBytes(answer), new CohereSurface(), losses);

        Assert.Equal(lost is null ? [] : [lost], losses.Names);
    }
}
