using System.Collections.Concurrent;
using System.IO.Hashing;
using System.Runtime.InteropServices;
using Microsoft.ML.Tokenizers;

namespace Gateway.SampleProvider.Answers;

/// <summary>True token counts (o200k_base), remembered by the text's hash: a system prompt is counted once, not once a request.</summary>
internal static class Tokens
{
    // At the bound everything is forgotten: simpler than an order of eviction, and the next requests only count again.
    private const int RememberedMax = 50_000;

    private static readonly TiktokenTokenizer Tokenizer = TiktokenTokenizer.CreateForEncoding("o200k_base");
    private static readonly ConcurrentDictionary<UInt128, int> Remembered = new();

    /// <summary>Loads the vocabulary, which takes a part of a second: before the first request, not in it.</summary>
    public static void Load() => Count("warm");

    public static int Count(string text) =>
        text.Length == 0 ? 0 : Remembered.TryGetValue(Hash(text), out var count) ? count : Remember(text);

    /// <summary>The text cut where its tokens begin. Text whose tokens are parts of characters has fewer pieces than tokens.</summary>
    public static string[] Split(string text)
    {
        var pieces = new List<string>();
        var from = 0;
        foreach (var token in Tokenizer.EncodeToTokens(text, out _))
        {
            var start = token.Offset.Start.Value;
            if (start > from && start < text.Length && !char.IsLowSurrogate(text[start]))
            {
                pieces.Add(text[from..start]);
                from = start;
            }
        }

        if (from < text.Length)
        {
            pieces.Add(text[from..]);
        }

        return [.. pieces];
    }

    private static int Remember(string text)
    {
        if (Remembered.Count >= RememberedMax)
        {
            Remembered.Clear();
        }

        return Remembered[Hash(text)] = Tokenizer.CountTokens(text);
    }

    private static UInt128 Hash(string text) => XxHash128.HashToUInt128(MemoryMarshal.AsBytes(text.AsSpan()));
}
