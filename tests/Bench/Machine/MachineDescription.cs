using System.Globalization;
using System.Runtime.InteropServices;

namespace Gateway.Bench.Machine;

/// <summary>What the figures depend on. No names of hosts, users or folders.</summary>
internal sealed record MachineDescription
{
    public required string Date { get; init; }

    public required string Commit { get; init; }

    public required string Processor { get; init; }

    public required int Cores { get; init; }

    public required double MemoryGiB { get; init; }

    public required string Kernel { get; init; }

    public required string Dotnet { get; init; }

    /// <summary>Load averages before the run: above 0.5 other programs ran too.</summary>
    public required string LoadBefore { get; init; }

    public string? LoadAfter { get; init; }

    public Dictionary<string, string> Versions { get; init; } = [];

    public static MachineDescription Read(string date, string commit) => new()
    {
        Date = date,
        Commit = commit,
        Processor = Field("/proc/cpuinfo", "model name") ?? RuntimeInformation.ProcessArchitecture.ToString(),
        Cores = Environment.ProcessorCount,
        MemoryGiB = double.Parse(Field("/proc/meminfo", "MemTotal")?.Split(' ')[0] ?? "0", CultureInfo.InvariantCulture) / 1024 / 1024,
        Kernel = Environment.OSVersion.Version.ToString(),
        Dotnet = RuntimeInformation.FrameworkDescription,
        LoadBefore = Load(),
    };

    public static string Load() => string.Join(' ', File.ReadAllText("/proc/loadavg").Split(' ')[..3]);

    private static string? Field(string file, string name) => File.Exists(file)
        ? File.ReadLines(file).FirstOrDefault(line => line.StartsWith(name, StringComparison.Ordinal))?.Split(':', 2)[1].Trim()
        : null;
}
