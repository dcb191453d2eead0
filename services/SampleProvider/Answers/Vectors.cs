using System.IO.Hashing;
using System.Text;

namespace Gateway.SampleProvider.Answers;

/// <summary>Vectors of length 1, made from the text alone: the same text, the same vector.</summary>
internal static class Vectors
{
    public static float[] Unit(string model, string text, int dimensions)
    {
        var state = XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(text), (long)XxHash3.HashToUInt64(Encoding.UTF8.GetBytes(model)));
        var raw = new double[dimensions];
        var squares = 0.0;
        for (var i = 0; i < dimensions; i++)
        {
            raw[i] = ((Sentences.Mix(ref state) >> 11) * (2.0 / (1UL << 53))) - 1.0;
            squares += raw[i] * raw[i];
        }

        var length = Math.Sqrt(squares);
        return [.. raw.Select(value => (float)(value / length))];
    }
}
