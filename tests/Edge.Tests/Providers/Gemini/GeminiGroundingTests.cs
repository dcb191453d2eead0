using System.Buffers;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Tests.Providers.Gemini;

/// <summary>More places than an answer has.</summary>
public sealed class GeminiGroundingTests
{
    private const int PlacesMax = 512;

    private static readonly JsonObject Found = Support("Rome is warm.");

    [Fact]
    public void PlacesThatAreNowhere_AreLookedForOnlySoOften()
    {
        Assert.Equal((1, "groundingSupports"), Cited([.. Enumerable.Range(1, PlacesMax - 1).Select(static n => Support($"Oslo {n}")), Found]));
        Assert.Equal((0, "groundingSupports groundingChunks"), Cited([.. Enumerable.Range(0, PlacesMax).Select(static n => Support($"Oslo {n}")), Found]));
    }

    /// <summary>Each event of a stream may tell again what those before it told.</summary>
    [Fact]
    public void APlaceThatIsToldAgain_IsNotLookedForAgain() =>
        Assert.Equal((2, ""), Cited([.. Enumerable.Repeat(Found, 2 * PlacesMax), Support("warm")]));

    private static JsonObject Support(string words) => new() { ["segment"] = new JsonObject { ["text"] = words }, ["groundingChunkIndices"] = new JsonArray(0) };

    private static (int Count, string Lost) Cited(IEnumerable<JsonObject> supports)
    {
        var reply = new JsonObject
        {
            ["candidates"] = new JsonArray(new JsonObject
            {
                ["content"] = new JsonObject { ["parts"] = new JsonArray(new JsonObject { ["text"] = "Rome is warm." }) },
                ["finishReason"] = "STOP",
                ["groundingMetadata"] = new JsonObject
                {
                    ["groundingChunks"] = new JsonArray(new JsonObject { ["web"] = new JsonObject { ["uri"] = "https://a.example", ["title"] = "A" } }),
                    ["groundingSupports"] = new JsonArray([.. supports.Select(static support => support.DeepClone())]),
                },
            }),
        };
        var (output, losses) = (new ArrayBufferWriter<byte>(), new ReplyLosses());
        ProviderCases.Provider("gemini").ReadReply(JsonSerializer.SerializeToUtf8Bytes(reply), ProviderCases.Call() with { Losses = losses }, output);
        return (JsonNode.Parse(output.WrittenSpan)!["choices"]![0]!["message"]!["annotations"]?.AsArray().Count ?? 0, string.Join(' ', losses.Names));
    }
}
