using System.Text;
using Gateway.Edge.Files;
using Gateway.Edge.Flow;
using Gateway.Edge.GeminiApi;

namespace Gateway.Edge.Tests.Flow;

/// <summary>Whatever a caller puts where: changes do not overlap, and as many bytes are sent as are announced.</summary>
public sealed class SplicedContentTests
{
    [Theory]
    [InlineData("""{"user":{"id":"a__thought__b"},"contents":[]}""", """{"contents":[]}""")]
    [InlineData("""{"contents":[],"user":[{"signature":"__thought__b"},{"id":"a__thought__b"}],"model":{"call_id":"a__thought__b"}}""", """{"contents":[]}""")]
    [InlineData("""{"requests":[{"model":"models/m","signature":"__thought__x"},{"model":"models/m","content":{}}]}""", """{"requests":[{"model":"models/p","content":{}}]}""")]
    [InlineData("""{"requests":[{"\ud800":1,"model":"models/m"}]}""", """{"requests":[{"\ud800":1,"model":"models/p"}]}""")]
    public async Task A_change_within_what_is_cut_is_none(string request, string expected)
    {
        var body = Encoding.UTF8.GetBytes(request);
        Assert.Null(new GeminiSurface(streams: false).ReadHead(body, out var head));

        await AssertSentAsync(expected, new SplicedContent(body, GeminiNames.Splices(body, head, "p")));
    }

    [Fact]
    public async Task A_file_in_a_block_that_is_cut_is_named_to_nobody()
    {
        const string id = "\"file-gw00112233445566778899aabbccddeeff\"";
        var body = Encoding.UTF8.GetBytes($$"""{"model":"m","input":[{"encrypted_content":"__thought__","file_id":{{id}}},{"file_id":{{id}}}]}""");
        Assert.Null(RequestHead.TryRead(body, out var head));
        head.Files = new HeadFiles([.. FilePlaces.Of(body).Select(static place => new Splice(place.Start, place.End, "\"f\""u8.ToArray()))], [], 0);

        await AssertSentAsync("""{"model":"p","input":[{"file_id":"f"}]}""", new SplicedContent(body, Splice.ForOpenAi(body, head, "\"p\""u8.ToArray(), forceStream: false)));
    }

    [Fact]
    public void Of_changes_the_enclosing_one_wins_and_what_is_put_in_stands_before_it()
    {
        var ordered = Splice.InOrder([new(5, 6, default), new(2, 4, default), new(2, 7, default), new(3, 3, default), new(7, 9, default), new(2, 2, default), new(7, 7, default)]);

        Assert.Equal([(2, 2), (2, 7), (7, 7), (7, 9)], ordered.Select(static splice => (splice.Start, splice.End)));
    }

    [Fact]
    public void Changes_that_overlap_are_a_mistake() =>
        Assert.Throws<ArgumentException>(() => new SplicedContent(new byte[9], [new Splice(0, 5, default), new Splice(2, 3, default)]));

    private static async Task AssertSentAsync(string expected, SplicedContent content)
    {
        var sent = await content.ReadAsByteArrayAsync();

        Assert.Equal(expected, Encoding.UTF8.GetString(sent));
        Assert.Equal(expected, Encoding.UTF8.GetString(content.ToArray()));
        Assert.Equal(sent.Length, content.Headers.ContentLength);
    }
}
