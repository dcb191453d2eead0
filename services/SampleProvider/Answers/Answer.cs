using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.Answers;

/// <summary>One choice of an answer: text cut into the pieces a stream sends, or tool calls.</summary>
internal sealed record Answer(string[] Pieces, ToolCall[] Calls, AnswerEnd End, int OutputTokens)
{
    public string Text => string.Concat(Pieces);
}

internal sealed record ToolCall(int Index, string Name, string Arguments, string[] Pieces);

internal enum AnswerEnd
{
    Complete,
    Length,
    ToolCall,
}

/// <summary>Decides what is answered. Pure: the same request has the same answer.</summary>
internal static class Answers
{
    public static Answer[] For(ChatAsk ask) => [.. Enumerable.Range(0, ask.Choices).Select(choice => For(ask, choice))];

    /// <summary>An answer of text alone, for a prompt that is not a conversation.</summary>
    public static Answer Text(string model, string prompt, int choice, int? tokensMax, Script script)
    {
        var pieces = script.Reply is { } reply
            ? Tokens.Split(reply)
            : Sentences.Pieces(Sentences.Seed(model, prompt, choice), Length(script, Sentences.Seed(model, prompt, choice)));
        return Finish(pieces, tokensMax, script.Chunks);
    }

    private static Answer For(ChatAsk ask, int choice)
    {
        if (CallsTool(ask))
        {
            return Calls(ask);
        }

        if (ask.WantsJson && ask.Script.Reply is null)
        {
            var document = ask.Schema is { } schema
                ? SchemaDocument.For(schema, choice)
                : $$"""{"answer":"{{Text(ask.Model, ask.LastUserText, choice, null, Script.None).Text}}"}""";
            return Finish(Tokens.Split(document), ask.TokensMax, ask.Script.Chunks);
        }

        return Text(ask.Model, ask.LastUserText, choice, ask.TokensMax, ask.Script);
    }

    private static bool CallsTool(ChatAsk ask) => ask.Tools.Count > 0 && ask.Script.Reply is null && !ask.EndsWithToolResult && ask.ToolWish switch
    {
        ToolWish.None => false,
        ToolWish.Required => true,
        _ => ask.LastUserText.Contains("tool", StringComparison.OrdinalIgnoreCase)
            || ask.LastUserText.Contains("weather", StringComparison.OrdinalIgnoreCase),
    };

    private static Answer Calls(ChatAsk ask)
    {
        var first = ask.Tools.Find(tool => tool.Name == ask.NamedTool) ?? ask.Tools[0];
        List<ToolSpec> called = [first];
        if (ask.ParallelTools && ask.LastUserText.Contains("parallel", StringComparison.OrdinalIgnoreCase))
        {
            // The second tool, or with only one the same again for something else.
            called.Add(ask.NamedTool is null && ask.Tools.Count > 1 ? ask.Tools[1] : first);
        }

        var room = ask.TokensMax ?? int.MaxValue;
        var tokens = 0;
        var end = AnswerEnd.ToolCall;
        var calls = new List<ToolCall>();
        for (var i = 0; i < called.Count && end == AnswerEnd.ToolCall; i++)
        {
            var arguments = SchemaDocument.For(called[i].Schema, i > 0 && called[i] == first ? 1 : 0);
            var nameTokens = Tokens.Count(called[i].Name);
            var pieces = Tokens.Split(arguments);
            if (tokens + nameTokens + Tokens.Count(arguments) > room)
            {
                // Out of tokens in the middle of a call: its arguments are cut, as a real model's are.
                pieces = pieces[..Math.Clamp(room - tokens - nameTokens, 0, pieces.Length)];
                arguments = string.Concat(pieces);
                end = AnswerEnd.Length;
            }

            tokens += nameTokens + Tokens.Count(arguments);
            calls.Add(new(i, called[i].Name, arguments, Regroup(pieces, ask.Script.Chunks)));
        }

        return new([], [.. calls], end, Math.Min(tokens, room));
    }

    private static int? Length(Script script, ulong seed) => script switch
    {
        { Tokens: { } tokens } => tokens,
        { Chunks: { } chunks } => Math.Max(chunks, Sentences.Pieces(seed, null).Length),
        _ => null,
    };

    private static Answer Finish(string[] pieces, int? tokensMax, int? chunks)
    {
        var end = AnswerEnd.Complete;
        var tokens = Tokens.Count(string.Concat(pieces));
        if (tokens > tokensMax)
        {
            end = AnswerEnd.Length;
            pieces = pieces[..Math.Min(tokensMax.Value, pieces.Length)];
            tokens = Math.Min(tokensMax.Value, Tokens.Count(string.Concat(pieces)));
        }

        return new(Regroup(pieces, chunks), [], end, tokens);
    }

    /// <summary>The same text in exactly <paramref name="chunks"/> parts. More parts than tokens: the last ones are empty.</summary>
    private static string[] Regroup(string[] pieces, int? chunks)
    {
        if (chunks is not { } count || count == pieces.Length)
        {
            return pieces;
        }

        if (count > pieces.Length)
        {
            return [.. pieces, .. Enumerable.Repeat("", count - pieces.Length)];
        }

        var parts = new string[count];
        for (var i = 0; i < count; i++)
        {
            var from = (int)((long)i * pieces.Length / count);
            var to = (int)((long)(i + 1) * pieces.Length / count);
            parts[i] = string.Concat(pieces[from..to]);
        }

        return parts;
    }
}
