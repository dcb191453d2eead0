using System.Buffers;
using System.Text;

namespace Gateway.Edge.Tests.Providers.Mistral;

public sealed class MistralRequestTests
{
    [Fact]
    public void Many_messages_are_said_as_fast_as_few() => Effort.AssertNotSquare(
        static count =>
        {
            const string message = """{"role":"assistant","content":"x"}""";
            var output = new ArrayBufferWriter<byte>();
            var before = string.Concat(Enumerable.Repeat(message + ",", count));

            ProviderCases.Provider("mistral").WriteRequest(Encoding.UTF8.GetBytes($$"""{"messages":[{{before}}{{message}}]}"""), ProviderCases.Call(), output, []);

            // It goes on from the last of them only.
            Assert.Equal($$"""{"messages":[{{before}}{"role":"assistant","content":"x","prefix":true}]}""", Encoding.UTF8.GetString(output.WrittenSpan));
        },
        100_000);

    [Fact]
    public void ARefusalThatStandsTwice_IsSaidOnce()
    {
        var output = new ArrayBufferWriter<byte>();

        ProviderCases.Provider("mistral").WriteRequest("""{"messages":[{"role":"assistant","refusal":"No.","refusal":"No!"},{"role":"user","content":"x"}]}"""u8.ToArray(), ProviderCases.Call(), output, []);

        Assert.Equal("""{"messages":[{"role":"assistant","content":"No!"},{"role":"user","content":"x"}]}""", Encoding.UTF8.GetString(output.WrittenSpan));
    }
}
