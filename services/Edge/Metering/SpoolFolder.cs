namespace Gateway.Edge.Metering;

/// <summary>
/// A folder of spools that this process holds, by a lock that goes with the process. Below it each process that had it has a folder of its
/// own, named after it, with its segments: what was left there by others is found here, to be sent.
/// </summary>
internal sealed class SpoolFolder : IDisposable
{
    private const int FoldersMax = 64;
    private const string Name = "spool";
    private const string LockName = ".lock";

    private readonly FileStream held;

    private SpoolFolder(string path, FileStream held)
    {
        Path = path;
        this.held = held;
    }

    public string Path { get; }

    /// <summary>Segments of earlier processes that are not sent yet.</summary>
    public List<SpoolSegment> Segments { get; } = [];

    /// <summary>The processes that had this folder before and did not end in order: with records left or without.</summary>
    public IReadOnlyCollection<string> EarlierEdges { get; private set; } = [];

    /// <summary>
    /// Takes the first folder that no other process holds: several edges may have been given one data directory, and two on one spool would
    /// delete each other's records.
    /// </summary>
    public static SpoolFolder Claim(string dataDirectory, EdgeLog log)
    {
        for (var i = 1; i <= FoldersMax; i++)
        {
            var path = System.IO.Path.Combine(dataDirectory, i == 1 ? Name : $"{Name}-{i}");
            Directory.CreateDirectory(path);
            if (TryTake(path, log) is { } folder)
            {
                return folder;
            }
        }

        throw new InvalidOperationException(
            $"No spool could be opened in {dataDirectory}: {FoldersMax} are in use or not writable. Give this edge a folder of its own: Gateway:DataDirectory (environment GATEWAY__DATADIRECTORY).");
    }

    /// <summary>Takes the folders beside <paramref name="own"/> that something was left in and that no living process holds.</summary>
    public static IEnumerable<SpoolFolder> TakeAbandoned(string dataDirectory, SpoolFolder own, EdgeLog log)
    {
        foreach (var path in Directory.EnumerateDirectories(dataDirectory, Name + "*").Order(StringComparer.Ordinal))
        {
            if (path != own.Path && Directory.EnumerateDirectories(path).Any() && TryTake(path, log) is { } folder)
            {
                yield return folder;
            }
        }
    }

    /// <summary>Whether records of an earlier process are still here: to be sent, or in a file that could not be read.</summary>
    public bool StillHasRecordsOf(string edge) => Directory.Exists(PathOf(edge)) && Directory.EnumerateFileSystemEntries(PathOf(edge)).Any();

    /// <summary>Forgets an earlier process of which nothing is left: its folder is empty (<see cref="StillHasRecordsOf"/>).</summary>
    public void Forget(string edge)
    {
        Directory.CreateDirectory(PathOf(edge)).Delete();
        EarlierEdges = [.. EarlierEdges.Where(earlier => earlier != edge)];
    }

    /// <summary>For tests of a killed process: the lock goes, everything else stays as it is.</summary>
    internal void ReleaseLockAsADeadProcessWould() => held.Dispose();

    public void Dispose()
    {
        foreach (var segment in Segments)
        {
            segment.Dispose();
        }

        held.Dispose();
    }

    private static SpoolFolder? TryTake(string path, EdgeLog log)
    {
        FileStream held;
        try
        {
            held = new FileStream(System.IO.Path.Combine(path, LockName), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException)
        {
            // Another process has it.
            return null;
        }

        var folder = new SpoolFolder(path, held);
        try
        {
            folder.Recover(log);
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    private string PathOf(string edge) => System.IO.Path.Combine(Path, edge);

    private void Recover(EdgeLog log)
    {
        foreach (var path in Directory.EnumerateFiles(Path, "*.seg", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            if (SpoolSegment.TryRecover(path, out var segment))
            {
                Segments.Add(segment!);
            }
            else
            {
                log.SpoolSegmentUnreadable(path);
            }
        }

        EarlierEdges = [.. Directory.EnumerateDirectories(Path).Select(static path => System.IO.Path.GetFileName(path))];
    }
}
