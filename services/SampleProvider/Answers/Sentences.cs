using System.IO.Hashing;
using System.Text;

namespace Gateway.SampleProvider.Answers;

/// <summary>The words of the sample's answers: chosen by what was asked, already cut into tokens.</summary>
internal static class Sentences
{
    private static readonly string[] All =
    [
        "This is an answer from the sample provider.",
        "The same question always gets the same answer here.",
        "No model was asked, so nothing was paid for these words.",
        "A good gateway passes every byte of this along.",
        "The harbor was quiet, and the boats waited for the morning wind.",
        "Two small numbers can hide a large mistake.",
        "She opened the old map and found the river in the wrong place.",
        "Most slow systems are slow because they wait.",
        "The library keeps a copy of every letter it has ever sent.",
        "In the garden behind the house the apples were almost ready.",
        "He counted the stars until the clouds came back.",
        "A short test that can fail is worth more than a long one that cannot.",
        "The train leaves at noon and arrives before the rain.",
        "Every budget has an end, and it is better to see it coming.",
        "Water finds the lowest point, and so do careless requests.",
        "They built the bridge twice, first on paper and then in stone.",
        "The first cup of coffee is for the hands, the second for the head.",
        "An empty queue is a happy queue.",
        "The clock on the tower has been five minutes early for a century.",
        "Paper boats travel further than anyone expects.",
        "When the lights went out, the musicians kept playing.",
        "A careful reader notices what is missing.",
        "The mountain looks different from the other side of the valley.",
        "Thank you for asking, and please ask again.",
    ];

    private static readonly string[][] Opening = [.. All.Select(Tokens.Split)];
    private static readonly string[][] Following = [.. All.Select(sentence => Tokens.Split(" " + sentence))];

    public static ulong Seed(string model, string asked, int choice) =>
        XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(asked), (long)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(model)) + choice);

    /// <summary>Two to four sentences, or with <paramref name="tokens"/> as many as that takes, cut at exactly that many tokens.</summary>
    public static string[] Pieces(ulong seed, int? tokens)
    {
        var pieces = new List<string>(tokens ?? 64);
        var sentences = tokens is null ? 2 + (int)(seed % 3) : int.MaxValue;
        for (var i = 0; i < sentences && (tokens is null || pieces.Count < tokens); i++)
        {
            var next = (int)(Mix(ref seed) % (ulong)All.Length);
            pieces.AddRange(i == 0 ? Opening[next] : Following[next]);
        }

        return tokens < pieces.Count ? [.. pieces[..tokens.Value]] : [.. pieces];
    }

    /// <summary>The next number of a splitmix64 sequence.</summary>
    public static ulong Mix(ref ulong state)
    {
        var z = state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }
}
