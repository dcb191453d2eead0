using Microsoft.ML.Tokenizers;

namespace Gateway.SampleProvider.Tests.Answers;

/// <summary>The tokenizer itself, with nothing of the sample between.</summary>
internal static class Counted
{
    private static readonly TiktokenTokenizer Tokenizer = TiktokenTokenizer.CreateForEncoding("o200k_base");

    public static int Tokens(string text) => Tokenizer.CountTokens(text);
}
