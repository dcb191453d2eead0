using System.Runtime.InteropServices;

namespace Gateway.Launcher.Running;

/// <summary>The built program of a project: same configuration and framework as the AppHost that starts it.</summary>
internal static class ProjectOutput
{
    /// <summary>The dotnet that runs us runs the services.</summary>
    public static string DotNet { get; } = FindDotNet();

    public static string Find(string projectPath)
    {
        // …/bin/Release/net10.0/
        var own = AppContext.BaseDirectory.TrimEnd(Path.DirectorySeparatorChar).Split(Path.DirectorySeparatorChar);
        var path = Path.Combine(Path.GetDirectoryName(projectPath)!, "bin", own[^2], own[^1], Path.GetFileNameWithoutExtension(projectPath) + ".dll");
        return File.Exists(path)
            ? path
            : throw new LaunchException($"{Path.GetFileName(path)} is not built ({path} is missing): dotnet build AppHost -c {own[^2]}");
    }

    private static string FindDotNet()
    {
        // …/dotnet/shared/Microsoft.NETCore.App/10.0.0/
        var beside = Path.GetFullPath(Path.Combine(RuntimeEnvironment.GetRuntimeDirectory(), "..", "..", "..", "dotnet"));
        return File.Exists(beside) ? beside : Servers.Programs.Find("dotnet") ?? "dotnet";
    }
}
