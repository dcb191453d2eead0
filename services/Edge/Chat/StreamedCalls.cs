using System.Text.Json;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Chat;

/// <summary>The calls of tools in an answer: whole, or as their pieces come.</summary>
internal sealed class StreamedCalls
{
    private readonly SortedDictionary<int, StreamedCall> calls = [];

    public IReadOnlyCollection<StreamedCall> All => calls.Values;

    /// <summary>Takes <c>tool_calls</c> of a message, or the pieces of a delta.</summary>
    public void Take(JsonElement pieces)
    {
        var place = 0;
        foreach (var piece in pieces.Items())
        {
            var index = piece.Field("index"u8).Int() ?? place;
            place++;
            var function = piece.Field("function"u8);
            if (!calls.TryGetValue(index, out var call))
            {
                calls[index] = call = new StreamedCall(calls.Count, piece.Field("id"u8).Text() ?? $"call_{index}", function.Field("name"u8).Text() ?? "") { Signature = SignatureOf(piece) };
            }

            call.Arguments.Append(function.Field("arguments"u8).Text());
        }
    }

    private static string? SignatureOf(JsonElement call) =>
        call.Field("provider_specific_fields"u8).Field("thought_signature"u8).Text() ?? call.Field("extra_content"u8).Field("google"u8).Field("thought_signature"u8).Text();
}
