using System.Text.Json;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Chat;

/// <summary>
/// The calls of tools in an answer, as their pieces come. OpenAI numbers them and names each once; servers that imitate it leave the number out, give all
/// the same, or say id and name again. So: a piece belongs to the call of its id, else to the last one of its number, else to the last one. It begins
/// a new call if it has another id than that, or without ids if it names a tool where that call has its arguments already or nothing is numbered.
/// </summary>
/// <param name="madeIds">What the ids begin with that are made for calls without one: unlike in any other answer, because a conversation has several.</param>
internal sealed class StreamedCalls(string madeIds)
{
    private readonly List<StreamedCall> all = [];
    private readonly Dictionary<int, StreamedCall> byNumber = [];
    private readonly Dictionary<string, (StreamedCall Call, int? Number)> byId = new(StringComparer.Ordinal);

    public IReadOnlyList<StreamedCall> All => all;

    /// <summary>Takes <c>tool_calls</c> of a whole message: each is a call, also where the id is another's, as of servers that use the tool's name, or none.</summary>
    public void TakeWhole(JsonElement calls)
    {
        foreach (var whole in calls.Items())
        {
            var function = whole.Field("function"u8);
            var id = whole.Field("id"u8).Text() ?? "";
            for (var made = all.Count; id.Length == 0 || byId.ContainsKey(id); made++)
            {
                id = $"{madeIds}{made}";
            }

            var call = new StreamedCall(all.Count, id, function.Field("name"u8).Text() ?? "") { Signature = SignatureOf(whole) };
            call.Arguments.Append(function.Field("arguments"u8).Text());
            byId[id] = (call, null);
            all.Add(call);
        }
    }

    /// <summary>Takes the pieces of a delta.</summary>
    public void Take(JsonElement pieces)
    {
        foreach (var piece in pieces.Items())
        {
            Take(piece, out _, out _);
        }
    }

    /// <summary>Takes one piece.</summary>
    /// <param name="piece">An element of <c>tool_calls</c>.</param>
    /// <param name="begins">Whether it is the call's first.</param>
    /// <param name="arguments">What it has of the call's arguments; may be empty.</param>
    /// <returns>The call that it belongs to.</returns>
    public StreamedCall Take(JsonElement piece, out bool begins, out string arguments)
    {
        var function = piece.Field("function"u8);
        arguments = function.Field("arguments"u8).Text() ?? "";
        var call = Of(piece.Field("index"u8).Int(), piece.Field("id"u8).Text() ?? "", function.Field("name"u8).Text() ?? "", out begins);
        call.Arguments.Append(arguments);
        call.Signature ??= SignatureOf(piece);
        return call;
    }

    /// <summary>The call that a piece belongs to.</summary>
    /// <param name="number">Its <c>index</c>; null when it has none.</param>
    /// <param name="id">Its id; may be empty.</param>
    /// <param name="name">The tool that it names; may be empty.</param>
    /// <param name="begins">Whether it is the call's first.</param>
    public StreamedCall Of(int? number, string id, string name, out bool begins)
    {
        var call = byId.TryGetValue(id, out var same) && (number is null || same.Number is null || same.Number == number) ? same.Call
            : number is { } given && byNumber.TryGetValue(given, out var numbered) ? numbered
            : number is null ? all.LastOrDefault()
            : null;
        begins = call is null || (id.Length > 0 && byId.ContainsKey(call.Id) ? call.Id != id : name.Length > 0 && call.Name.Length > 0 && (number is null || call.IsWhole));
        if (begins)
        {
            all.Add(call = new StreamedCall(all.Count, id.Length > 0 ? id : $"{madeIds}{all.Count}", name));
            if (number is { } its)
            {
                byNumber[its] = call;
            }

            if (id.Length > 0)
            {
                byId[id] = (call, number);
            }
        }

        return call!;
    }

    private static string? SignatureOf(JsonElement call) =>
        call.Field("provider_specific_fields"u8).Field("thought_signature"u8).Text() ?? call.Field("extra_content"u8).Field("google"u8).Field("thought_signature"u8).Text();
}
