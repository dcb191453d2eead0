using System.Globalization;
using System.Text;

namespace Gateway.Bench.Peers;

/// <summary>The requests. The same bytes for every peer, so the provider answers each from its cache.</summary>
internal static class Prompts
{
    public const string Path = "/v1/chat/completions";

    /// <summary>An answer that is not streamed.</summary>
    public const string Model = "gpt-4";

    /// <summary>Fifty frames, each written and flushed by itself, as fast as they go out.</summary>
    public const string FlushedModel = "gpt-4+chunks=50+chunk-delay-ms=0";

    /// <summary>Fifty frames, 20 ms apart: each arrives by itself.</summary>
    public const string SteadyModel = "gpt-4+chunks=50+chunk-delay-ms=20";

    private static readonly string[] s_words = "the of a tool for each team and model that answers in time with care every key has its own budget".Split(' ');

    /// <summary>One frame every half second: as a model that writes slowly.</summary>
    public static string PacedModel(int frames) => string.Create(CultureInfo.InvariantCulture, $"gpt-4+chunks={frames}+chunk-delay-ms=500");

    public static readonly int[] PacedFrames = [10, 30];

    public static IEnumerable<string> Models => PacedFrames.Select(PacedModel).Concat([Model, FlushedModel, SteadyModel]);

    /// <summary>A body of about this many bytes.</summary>
    public static byte[] Body(string model, int bytes, bool stream = false)
    {
        var text = new StringBuilder(bytes);
        for (var word = 0; text.Length < bytes - 200; word++)
        {
            text.Append(s_words[word * 7 % s_words.Length]).Append(' ');
        }

        var streaming = stream ? ",\"stream\":true,\"stream_options\":{\"include_usage\":true}" : "";
        return Encoding.UTF8.GetBytes(
            $$"""{"model":"{{model}}","messages":[{"role":"system","content":"Answer briefly."},{"role":"user","content":"{{text}}"}],"max_tokens":200,"temperature":0.2{{streaming}}}""");
    }
}
