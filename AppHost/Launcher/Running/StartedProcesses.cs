using System.Globalization;
using Gateway.Launcher.Servers;

namespace Gateway.Launcher.Running;

/// <summary>
/// Notes of what runs, one file for each process, so that the next start ends what a crashed launcher left. The kernel ends children with
/// their parent, but not one that hung in that moment, nor a container. Number, start time and boot say that it is the same process.
/// </summary>
internal sealed class StartedProcesses(string folder)
{
    private static readonly TimeSpan s_goneLimit = TimeSpan.FromSeconds(15);

    private static string Boot { get; } = File.Exists("/proc/sys/kernel/random/boot_id") ? File.ReadAllText("/proc/sys/kernel/random/boot_id").Trim() : "-";

    public void Add(string name, int processId, string? container = null)
    {
        Directory.CreateDirectory(folder);
        var startTime = ProcessTree.StartTime(processId) ?? 0;
        File.WriteAllText(FileOf(name), string.Create(CultureInfo.InvariantCulture, $"{processId} {startTime} {Boot} {container ?? "-"}\n"));
    }

    public void Remove(string name) => File.Delete(FileOf(name));

    /// <summary>Ends everything that is still noted. Returns the names of what was found running.</summary>
    public async Task<IReadOnlyList<string>> SweepAsync(CancellationToken cancellation)
    {
        List<string> ended = [];
        foreach (var file in Directory.Exists(folder) ? Directory.GetFiles(folder, "*.pid") : [])
        {
            var fields = (await File.ReadAllTextAsync(file, cancellation)).Split([' ', '\n'], StringSplitOptions.RemoveEmptyEntries);
            if (fields.Length == 4 && int.TryParse(fields[0], out var processId) && long.TryParse(fields[1], out var startTime) && fields[2] == Boot)
            {
                if (startTime != 0 && ProcessTree.StartTime(processId) == startTime)
                {
                    ended.Add(Path.GetFileNameWithoutExtension(file));
                    await EndAsync(processId, startTime, cancellation);
                }

                if (fields[3] != "-")
                {
                    await Machine.RemoveContainerAsync(fields[3], cancellation);
                }
            }

            File.Delete(file);
        }

        return ended;
    }

    private static async Task EndAsync(int processId, long startTime, CancellationToken cancellation)
    {
        var below = ProcessTree.Descendants(processId);
        foreach (var id in below.Prepend(processId))
        {
            Signals.Send(id, Signal.Kill);
        }

        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(s_goneLimit);
        while (ProcessTree.StartTime(processId) == startTime || below.Any(ProcessTree.IsAlive))
        {
            await Task.Delay(20, limit.Token);
        }
    }

    private string FileOf(string name) => Path.Combine(folder, name + ".pid");
}
