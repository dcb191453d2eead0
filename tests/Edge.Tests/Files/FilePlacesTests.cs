using System.Text;
using Gateway.Edge.Files;
using Gateway.Edge.Flow;

namespace Gateway.Edge.Tests.Files;

/// <summary>Where a body names files of the gateway's, and what goes out instead.</summary>
public sealed class FilePlacesTests
{
    private const string One = "file-gw00112233445566778899aabbccddeeff";
    private const string Two = "file-gwffeeddccbbaa99887766554433221100";

    [Theory]
    [InlineData("""{"model":"m","messages":[{"role":"user","content":[{"type":"file","file":{"file_id":"ONE"}},{"type":"file","file":{"filename":"x", "file_id" : "TWO"}}]}]}""", 2)]
    [InlineData("""{"input":[{"role":"user","content":[{"type":"input_file","file_id":"ONE"},{"file_id":"TWO","type":"input_image"}]}],"model":"m"}""", 2)]
    [InlineData("""{"input":[{"type":"function_call_output","output":[{"type":"input_file","file_id":"ONE"}]}],"model":"m"}""", 1)]
    [InlineData("""{"model":"m","input":"x","tools":[{"type":"code_interpreter","container":{"type":"auto","file_ids":["ONE","file-other","TWO"]}}]}""", 2)]
    [InlineData("""{"model":"m","input":"x","tools":[{"type":"image_generation","input_image_mask":{"file\u005fid":"ONE"}}]}""", 1)]
    [InlineData("""{"model":"m","prompt":{"id":"pmpt_1","variables":{"paper":{"type":"input_file","file_id":"ONE"}}}}""", 1)]
    [InlineData("""{"model":"m","input":[{"\ud800x":{"file_id":"ONE"},"\ud800":1}]}""", 1)]
    // The same text where it names no file.
    [InlineData("""{"model":"m","messages":[{"role":"user","content":"ONE"},{"role":"user","content":[{"type":"text","text":"ONE"}]}]}""", 0)]
    [InlineData("""{"model":"m","metadata":{"file_id":"ONE"},"disable_fallbacks":true,"user":"ONE"}""", 0)]
    [InlineData("""{"model":"m","messages":[{"role":"assistant","tool_calls":[{"id":"ONE","function":{"name":"f","arguments":"{\"file_id\":\"ONE\"}"}}]}]}""", 0)]
    [InlineData("""{"model":"m","tools":[{"function":{"parameters":{"properties":{"file_id":{"type":"string","const":"ONE"}},"required":["file_id","ONE"]}}}]}""", 0)]
    [InlineData("""{"model":"m","input":[{"content":[{"file_ids":["file-other"],"text":"ONE"}]}]}""", 0)]
    [InlineData("""{"model":"m","input":[{"file_ids":["file-other"]},"ONE",{"file_id":null},"ONE"]}""", 0)]
    // Ids of providers, and what only begins like one of the gateway's.
    [InlineData("""{"model":"m","input":[{"file_id":"file-0123456789abcdef0123456789abcdef"},{"file_id":"file-gw0123"},{"file_id":"ONE0"},{"file_id":"file-gw00112233445566778899AABBCCDDEEFF"}]}""", 0)]
    public void Only_what_names_a_file_is_found_and_every_other_byte_stays(string written, int count)
    {
        var text = written.Replace("ONE", One, StringComparison.Ordinal).Replace("TWO", Two, StringComparison.Ordinal);
        var body = Encoding.UTF8.GetBytes(text);

        var places = FilePlaces.Of(body);

        Assert.Equal(count, places.Count);
        Assert.Equal(text.Contains("\"file-gw", StringComparison.Ordinal), FilePlaces.MayBeIn(body));
        Assert.Null(RequestHead.TryRead(body, out var head));
        head.Files = new HeadFiles([.. places.Select(place => new Splice(place.Start, place.End, Encoding.UTF8.GetBytes($"\"at-provider-{(place.Id == One ? 1 : 2)}\"")))], [], 0);
        var expected = count == 0 ? text : text.Replace($"\"{One}\"", "\"at-provider-1\"", StringComparison.Ordinal).Replace($"\"{Two}\"", "\"at-provider-2\"", StringComparison.Ordinal);
        Assert.Equal(
            Encoding.UTF8.GetString(Splices(Encoding.UTF8.GetBytes(expected))), Encoding.UTF8.GetString(new SplicedContent(body, Splice.ForOpenAi(body, head, "\"real\""u8.ToArray(), false)).ToArray()));
    }

    [Fact]
    public void A_new_id_is_one_and_no_provider_makes_its_like()
    {
        Assert.True(FileRegistry.IsId(Encoding.ASCII.GetBytes(FileRegistry.NewId())));
        Assert.NotEqual(FileRegistry.NewId(), FileRegistry.NewId());
        Assert.False(FileRegistry.IsId("file-655111ec9cfc44489d9af078f08116ef"u8));
    }

    private static byte[] Splices(byte[] body)
    {
        Assert.Null(RequestHead.TryRead(body, out var head));
        return new SplicedContent(body, Splice.ForOpenAi(body, head, "\"real\""u8.ToArray(), false)).ToArray();
    }
}
