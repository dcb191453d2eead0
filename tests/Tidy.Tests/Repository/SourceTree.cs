using System.ComponentModel;
using System.Diagnostics;

namespace Gateway.Tidy.Tests.Repository;

/// <summary>The files that a clone has: what git tracks and what it would track, or, without git, all that no build made.</summary>
internal static class SourceTree
{
    private static readonly string[] MadeByBuilds = ["bin", "obj", ".git", ".data", "TestResults", "node_modules"];
    private static readonly string[] TextEndings =
        [".cs", ".csproj", ".props", ".sln", ".md", ".json", ".yaml", ".yml", ".lua", ".sql", ".html", ".svg", ".txt", ".sh", ".editorconfig", ".gitignore"];

    /// <summary>The folder of Gateway.sln.</summary>
    public static string Root { get; } = FindRoot();

    /// <summary>All files, relative to <see cref="Root"/>, with forward slashes, sorted.</summary>
    public static IReadOnlyList<string> Files { get; } = Find();

    /// <summary>The files that people write: code, settings, documents and the scripts without an ending.</summary>
    public static IEnumerable<string> TextFiles => Files.Where(static file =>
        Array.Exists(TextEndings, ending => file.EndsWith(ending, StringComparison.Ordinal)) || !Path.GetFileName(file).Contains('.', StringComparison.Ordinal));

    /// <summary>C# below one of <paramref name="folders"/>.</summary>
    public static IEnumerable<string> CSharp(params string[] folders) => Files.Where(file =>
        file.EndsWith(".cs", StringComparison.Ordinal) && Array.Exists(folders, folder => file.StartsWith(folder + "/", StringComparison.Ordinal)));

    public static bool Exists(string file) => File.Exists(Path.Combine(Root, file)) || Directory.Exists(Path.Combine(Root, file));

    public static string Read(string file) => File.ReadAllText(Path.Combine(Root, file));

    public static string[] Lines(string file) => File.ReadAllLines(Path.Combine(Root, file));

    private static string FindRoot()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Gateway.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No folder above {AppContext.BaseDirectory} has Gateway.sln: run the tests inside a clone.");
    }

    private static List<string> Find()
    {
        var files = AskGit() ?? [.. Walk(new DirectoryInfo(Root), "")];
        files.Sort(StringComparer.Ordinal);
        return files;
    }

    // A file that is new and not yet added counts: the rule should fail before the commit, not after it.
    private static List<string>? AskGit()
    {
        try
        {
            var start = new ProcessStartInfo("git", ["-C", Root, "ls-files", "-z", "--cached", "--others", "--exclude-standard"])
            {
                RedirectStandardOutput = true,
                RedirectStandardError = true,
            };
            using var git = Process.Start(start)!;
            git.ErrorDataReceived += static (_, _) => { };
            git.BeginErrorReadLine();
            var output = git.StandardOutput.ReadToEnd();
            git.WaitForExit();
            var files = output.Split('\0', StringSplitOptions.RemoveEmptyEntries).Where(file => File.Exists(Path.Combine(Root, file))).Distinct().ToList();
            return git.ExitCode == 0 && files.Count > 0 ? files : null;
        }
        catch (Win32Exception)
        {
            // No git here: an exported tree.
            return null;
        }
    }

    private static IEnumerable<string> Walk(DirectoryInfo folder, string before)
    {
        foreach (var file in folder.EnumerateFiles())
        {
            yield return before + file.Name;
        }

        foreach (var inner in folder.EnumerateDirectories().Where(static inner => !MadeByBuilds.Contains(inner.Name, StringComparer.Ordinal)))
        {
            foreach (var file in Walk(inner, $"{before}{inner.Name}/"))
            {
                yield return file;
            }
        }
    }
}
