using Gateway.Launcher.Servers;

namespace Gateway.TestKit;

/// <summary>One temporary folder for each test process. It goes at the end, and what killed test processes left goes at the next start.</summary>
internal static class TestFolder
{
    private const string Prefix = "gateway-tests-";

    public static string OfThisProcess { get; } = Create();

    private static string Create()
    {
        var temporary = Path.GetTempPath();
        foreach (var old in Directory.GetDirectories(temporary, Prefix + "*"))
        {
            if (int.TryParse(Path.GetFileName(old)[Prefix.Length..], out var owner) && !ProcessTree.IsAlive(owner))
            {
                Delete(old);
            }
        }

        var folder = Directory.CreateDirectory(Path.Combine(temporary, $"{Prefix}{Environment.ProcessId}")).FullName;
        AppDomain.CurrentDomain.ProcessExit += (_, _) => End(folder);
        return folder;
    }

    private static void End(string folder)
    {
        // The servers are children of this process, directly or not; SIGQUIT lets PostgreSQL give back its shared memory, SIGKILL ends the rest.
        var children = ProcessTree.Descendants(Environment.ProcessId);
        foreach (var child in children)
        {
            Signals.Send(child, Signal.Continue);
            Signals.Send(child, IsPostgres(child) ? Signal.Quit : Signal.Kill);
        }

        SpinWait.SpinUntil(() => !children.Any(ProcessTree.IsAlive), TimeSpan.FromSeconds(5));
        Delete(folder);
    }

    private static bool IsPostgres(int processId)
    {
        try
        {
            return File.ReadAllText($"/proc/{processId}/comm").StartsWith("postgres", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false;
        }
    }

    private static void Delete(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // Another test process is deleting it too, or a server still writes: the next start tries again.
        }
    }
}
