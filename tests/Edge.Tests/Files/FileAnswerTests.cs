using System.Text;
using System.Text.Json;
using Gateway.Edge.Files;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Tests.Files;

public sealed class FileAnswerTests
{
    [Theory]
    [InlineData("""{"object":"batch"}""")]
    [InlineData("""{"id":7}""")]
    [InlineData("[]")]
    [InlineData("not JSON")]
    [InlineData("""{"id":"b","id":"c"}""")]
    [InlineData("""{"id":"b","request_counts":{"completed":1,"completed":2}}""")]
    public void What_is_no_object_with_an_id_or_says_a_field_twice_at_any_depth_is_malformed(string answer) =>
        Assert.Throws<MalformedReplyException>(() => FileAnswer.Read(Encoding.UTF8.GetBytes(answer)));

    [Theory]
    [InlineData("""{"data":7}""")]
    [InlineData("""{"data":[{"id":"b","metadata":{"x":"1","x":"2"}}]}""")]
    public void So_is_a_list(string answer) => Assert.Throws<MalformedReplyException>(() => FileAnswer.ReadList(Encoding.UTF8.GetBytes(answer)));

    [Theory]
    [InlineData("[]")]
    [InlineData("""{"metadata":{"tags":["a"],"tags":["b"]}}""")]
    public void A_request_that_says_a_field_twice_is_no_JSON(string body) => Assert.Throws<JsonException>(() => FileAnswer.ReadAsked(Encoding.UTF8.GetBytes(body)));
}
