using System.Globalization;
using Gateway.Launcher.Servers;

namespace Gateway.Bench.Machine;

/// <summary>Processor time of processes, from <c>/proc/PID/stat</c>: user and system time, that of ended children included.</summary>
internal static class CpuClock
{
    // The kernel's USER_HZ: fixed at 100 for programs on every Linux that .NET runs on.
    private const double MicrosecondsPerTick = 10_000;

    /// <summary>Microseconds that the processes and all below them have used.</summary>
    public static double Microseconds(IEnumerable<int> roots)
    {
        // A process that is below two of the roots counts once.
        var all = roots.SelectMany(root => ProcessTree.Descendants(root).Prepend(root)).ToHashSet();
        return all.Sum(Ticks) * MicrosecondsPerTick;
    }

    /// <summary>Resident bytes of the processes and all below them.</summary>
    public static double ResidentBytes(IEnumerable<int> roots) =>
        roots.SelectMany(root => ProcessTree.Descendants(root).Prepend(root)).ToHashSet().Sum(Resident);

    private static long Ticks(int process)
    {
        try
        {
            // 1 (name with spaces and brackets) S …: the fields after the last bracket are plain.
            var text = File.ReadAllText($"/proc/{process}/stat");
            var fields = text[(text.LastIndexOf(')') + 2)..].Split(' ');
            return Enumerable.Range(11, 4).Sum(index => long.Parse(fields[index], CultureInfo.InvariantCulture));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Gone since it was listed: its parent has its time now.
            return 0;
        }
    }

    private static long Resident(int process)
    {
        try
        {
            var pages = File.ReadAllText($"/proc/{process}/statm").Split(' ')[1];
            return long.Parse(pages, CultureInfo.InvariantCulture) * Environment.SystemPageSize;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return 0;
        }
    }
}
