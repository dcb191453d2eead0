using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Edge.Providers;

/// <summary>
/// The ids that join tools' calls and results, for protocols that are particular about them: other models' ids may come with the conversation
/// (<c>functions.Bash:0</c>). One of these for each request, asked in the order in which calls and results stand: ids that would become the same, and one
/// that a server gave to several calls, are told apart, because Claude takes none twice.
/// </summary>
/// <param name="lengthMax">How many characters the protocol takes; at least 64, which is what a hash has.</param>
internal sealed class ToolIds(int lengthMax)
{
    private const int NumberLengthMax = 11;

    private readonly Dictionary<string, Given> given = new(StringComparer.Ordinal);
    private readonly HashSet<string> taken = new(StringComparer.Ordinal);
    private readonly Dictionary<string, int> copies = new(StringComparer.Ordinal);

    /// <summary>A call's id in letters, digits, underscores and hyphens; one that is too long as its hash, one that another call has with a number behind it.</summary>
    /// <exception cref="UntranslatableRequestException">There is none.</exception>
    public string OfCall(string? id)
    {
        var text = TextOf(id);
        var fit = Fit(text);
        var own = fit;

        // Cut as for the longest number, whatever the number is: ids that are cut to one stem share its count, and no name is tried twice.
        var stem = fit[..Math.Min(fit.Length, lengthMax - NumberLengthMax)];
        while (!taken.Add(own))
        {
            copies[stem] = copies.GetValueOrDefault(stem, 1) + 1;
            own = string.Create(CultureInfo.InvariantCulture, $"{stem}_{copies[stem]}");
        }

        if (!given.TryGetValue(text, out var calls))
        {
            given[text] = calls = new Given();
        }

        calls.Open.Enqueue(own);
        return own;
    }

    /// <summary>The id of the call that a result answers: of several with one id, the first that has none yet.</summary>
    /// <exception cref="UntranslatableRequestException">There is none.</exception>
    public string OfResult(string? id)
    {
        var text = TextOf(id);
        if (!given.TryGetValue(text, out var calls))
        {
            return Fit(text);
        }

        return calls.Last = calls.Open.TryDequeue(out var next) ? next : calls.Last!;
    }

    private static string TextOf(string? id) =>
        id ?? throw new UntranslatableRequestException("A tool call and its result need an id.", "messages.tool_call_id");

    private string Fit(string text) =>
        text.Length == 0 ? "call"
        : text.Length > lengthMax ? Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text)))
        : string.Create(text.Length, text, static (span, source) =>
        {
            for (var i = 0; i < source.Length; i++)
            {
                span[i] = IsTaken(source[i]) ? source[i] : '_';
            }
        });

    private static bool IsTaken(char sign) => char.IsAsciiLetterOrDigit(sign) || sign is '_' or '-';

    /// <summary>What one of the caller's ids became.</summary>
    private sealed class Given
    {
        /// <summary>The calls without a result.</summary>
        public Queue<string> Open { get; } = new();

        /// <summary>The call that was answered last: a further result with the same id is its.</summary>
        public string? Last { get; set; }
    }
}
