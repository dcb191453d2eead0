using System.Collections.Concurrent;
using System.Threading.Channels;

namespace Gateway.Launcher.Running;

/// <summary>One line of one unit. Numbers only grow, so a reader knows what it has seen.</summary>
internal sealed record LogEntry(long Number, string Unit, DateTimeOffset Time, string Text);

/// <summary>
/// Every line of every process: to the console with its name before it, to the readers of the dashboard, and the last ones kept.
/// </summary>
internal sealed partial class LogHub(TextWriter console, bool coloured, TimeProvider clock)
{
    /// <summary>The launcher's own lines.</summary>
    public const string LauncherName = "launcher";

    private const int LinesKept = 1_000;
    private const int LineLengthMax = 4_000;
    private const int ReaderBacklogMax = 2_000;

    private static readonly string[] s_colours = ["36", "32", "35", "33", "34", "96", "92", "95", "93", "94"];

    private readonly Lock _gate = new();
    private readonly Dictionary<string, Queue<LogEntry>> _kept = [];
    private readonly ConcurrentDictionary<Channel<LogEntry>, byte> _readers = [];
    private long _number;
    private int _width = 8;

    public void Launcher(string text) => Line(LauncherName, text);

    public void Line(string unit, string text)
    {
        text = EscapeSequence().Replace(text, "");
        text = text.Length > LineLengthMax ? text[..LineLengthMax] + " …" : text;
        lock (_gate)
        {
            var entry = new LogEntry(++_number, unit, clock.GetUtcNow(), text);
            var queue = _kept.TryGetValue(unit, out var found) ? found : _kept[unit] = [];
            queue.Enqueue(entry);
            if (queue.Count > LinesKept)
            {
                queue.Dequeue();
            }

            foreach (var reader in _readers.Keys)
            {
                reader.Writer.TryWrite(entry);
            }

            _width = Math.Max(_width, unit.Length);
            Print(unit, text, Math.Abs(string.GetHashCode(unit, StringComparison.Ordinal)) % s_colours.Length);
        }
    }

    /// <summary>A line for the person at the terminal, as it is.</summary>
    public void Say(string text)
    {
        lock (_gate)
        {
            Write(text);
        }
    }

    public IReadOnlyList<string> Last(string unit, int count)
    {
        lock (_gate)
        {
            return _kept.TryGetValue(unit, out var lines) ? [.. lines.TakeLast(count).Select(entry => entry.Text)] : [];
        }
    }

    /// <summary>The kept lines after <paramref name="after"/>, then new ones as they come. A reader that is too slow misses the oldest.</summary>
    public async IAsyncEnumerable<LogEntry> ReadAsync(
        long after, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellation)
    {
        var channel = Channel.CreateBounded<LogEntry>(new BoundedChannelOptions(ReaderBacklogMax) { FullMode = BoundedChannelFullMode.DropOldest });
        List<LogEntry> kept;
        lock (_gate)
        {
            kept = [.. _kept.Values.SelectMany(lines => lines).Where(entry => entry.Number > after).OrderBy(entry => entry.Number)];
            _readers[channel] = 0;
        }

        try
        {
            foreach (var entry in kept)
            {
                yield return entry;
            }

            await foreach (var entry in channel.Reader.ReadAllAsync(cancellation))
            {
                yield return entry;
            }
        }
        finally
        {
            _readers.TryRemove(channel, out _);
        }
    }

    /// <summary>Colours and cursor movements of a program that believes to be at a terminal.</summary>
    [System.Text.RegularExpressions.GeneratedRegex("\e\\[[0-9;?]*[A-Za-z]")]
    private static partial System.Text.RegularExpressions.Regex EscapeSequence();

    private void Print(string unit, string text, int colour) =>
        Write(coloured
            ? $"\e[{s_colours[colour]}m{unit.PadRight(_width)} |\e[0m {text}"
            : $"{unit.PadRight(_width)} | {text}");

    private void Write(string text)
    {
        try
        {
            console.WriteLine(text);
            console.Flush();
        }
        catch (IOException)
        {
            // Whoever read the terminal is gone; the cluster runs on until it is told to stop.
        }
    }
}
