using System.Buffers;
using System.Text.Json;

namespace Gateway.Edge.Providers.Vertex;

/// <summary>
/// Anthropic's request as Vertex AI wants it: the model stands in the address, and the version of the protocol in the body. Every other member
/// is copied as it stands.
/// </summary>
internal static class VertexClaudeBody
{
    private static ReadOnlySpan<byte> Version => "{\"anthropic_version\":\"vertex-2023-10-16\""u8;

    /// <summary>Writes the body.</summary>
    /// <param name="body">Anthropic's, known to be a JSON object.</param>
    /// <param name="keepsModel">Whether the model stays: where tokens are counted, the address names none.</param>
    /// <param name="output">Takes Vertex AI's.</param>
    public static void Write(ReadOnlySpan<byte> body, bool keepsModel, IBufferWriter<byte> output)
    {
        var json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 128 });
        output.Write(Version);
        json.Read();
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var start = (int)json.TokenStartIndex;
            var stays = !json.ValueTextEquals("anthropic_version"u8) && (keepsModel || !json.ValueTextEquals("model"u8));
            json.Skip();
            if (stays)
            {
                output.Write(","u8);
                output.Write(body[start..(int)json.BytesConsumed]);
            }
        }

        output.Write("}"u8);
    }
}
