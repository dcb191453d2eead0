using System.Buffers;
using System.Text;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.GeminiApi;
using Gateway.Edge.Tests.Surfaces;

namespace Gateway.Edge.Tests.GeminiApi;

public sealed class GeminiToolNamesTests
{
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void A_name_that_only_Google_takes_is_whole_again_in_the_answer(bool streams)
    {
        var calls = """{"tool_calls":[{"index":0,"id":"t","type":"function","function":{"name":"files_read_all_b461f433","arguments":"{}"}}]}""";
        var surface = new GeminiSurface(streams);
        using var exchange = new SurfaceExchange(surface, """{"model":"m","contents":[],"tools":[{"function_declarations":[{"name":"g"},{"name":"files.read:all"}]}]}""");
        var output = new ArrayBufferWriter<byte>();
        if (streams)
        {
            using var stream = surface.OpenStream(exchange.Value);
            stream.Read(Encoding.UTF8.GetBytes("data: {\"choices\":[{\"index\":0,\"delta\":" + calls + ",\"finish_reason\":\"tool_calls\"}]}\n\n"), output);
            stream.End(new TokenUsage(), null, output);
        }
        else
        {
            surface.WriteReply(exchange.Value, Encoding.UTF8.GetBytes("{\"choices\":[{\"index\":0,\"message\":" + calls + ",\"finish_reason\":\"tool_calls\"}]}"), new TokenUsage(), output);
        }

        Assert.Contains("\"name\":\"files.read:all\"", Encoding.UTF8.GetString(output.WrittenSpan), StringComparison.Ordinal);
    }
}
