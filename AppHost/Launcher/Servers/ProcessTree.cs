using System.Globalization;

namespace Gateway.Launcher.Servers;

/// <summary>Reads /proc: who is whose child, and since when a process runs (its number alone is used again).</summary>
public static class ProcessTree
{
    /// <summary>All processes below this one, itself not among them. Empty where there is no /proc.</summary>
    public static IReadOnlyList<int> Descendants(int processId)
    {
        var children = new Dictionary<int, List<int>>();
        foreach (var folder in Directory.Exists("/proc") ? Directory.GetDirectories("/proc") : [])
        {
            if (int.TryParse(Path.GetFileName(folder), out var id) && ReadStat(id) is { } stat)
            {
                (children.TryGetValue(stat.Parent, out var list) ? list : children[stat.Parent] = []).Add(id);
            }
        }

        List<int> found = [];
        Queue<int> open = new([processId]);
        while (open.TryDequeue(out var parent))
        {
            foreach (var child in children.GetValueOrDefault(parent, []))
            {
                found.Add(child);
                open.Enqueue(child);
            }
        }

        return found;
    }

    /// <summary>When the process started, in ticks since boot; null when it is gone or only a zombie.</summary>
    public static long? StartTime(int processId) => ReadStat(processId) is { State: not ('Z' or 'X') } stat ? stat.StartTime : null;

    /// <summary>Whether the process runs (a zombie does not).</summary>
    public static bool IsAlive(int processId) => StartTime(processId) is not null;

    private static (char State, int Parent, long StartTime)? ReadStat(int processId)
    {
        try
        {
            // 1 (name with spaces and brackets) S 1 …: the fields after the last bracket are plain.
            var text = File.ReadAllText($"/proc/{processId}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return (fields[0][0], int.Parse(fields[1], CultureInfo.InvariantCulture), long.Parse(fields[19], CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone between the listing and the reading.
            return null;
        }
    }
}
