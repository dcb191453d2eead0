using Gateway.SampleProvider.Anthropic;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;
using Microsoft.AspNetCore.Http;

namespace Gateway.SampleProvider.OpenAi;

/// <summary><c>GET /v1/models</c>. Any other name is answered as well; these are the ones that are listed.</summary>
internal sealed class Models() : Surface("/v1/models", OpenAiDialect.Instance)
{
    // Both providers have this path. Anthropic's clients always say which version of the protocol they speak.
    private static readonly Models OpenAi = new();
    private static readonly AnthropicModels Anthropic = new();

    private static readonly string[] Names =
        ["gpt-4", "gpt-4.1", "gpt-4o", "gpt-4o-mini", "gpt-5", "gpt-5-mini", "text-embedding-3-large", "text-embedding-3-small"];

    public static Surface For(HttpRequest request) => request.Headers.ContainsKey(AnthropicDialect.VersionHeader) ? Anthropic : OpenAi;

    public override PreparedReply Prepare(ReadOnlySpan<byte> body, Script script)
    {
        var writer = new FrameWriter().Raw("{\"object\":\"list\",\"data\":["u8);
        for (var i = 0; i < Names.Length; i++)
        {
            writer.Raw(i == 0 ? "{\"id\":"u8 : ",{\"id\":"u8).Text(Names[i])
                .Raw(",\"object\":\"model\",\"created\":1715367049,\"owned_by\":\"system\"}"u8);
        }

        return writer.Raw("]}"u8).Json("", script);
    }
}
