namespace Gateway.Edge.Metering;

/// <summary>
/// A folder of spools that this process holds, by a lock that goes with the process. Below it each process that had it has a folder of its
/// own, named after it, with its segments: what was left there by others is found here, to be sent.
/// </summary>
internal sealed class SpoolFolder : IDisposable
{
    private const int FoldersMax = 64;

    /// <summary>What the first folder is called, and the others begin with.</summary>
    public const string Name = "spool";

    /// <summary>The file that is held while the folder is.</summary>
    public const string LockName = ".lock";

    private readonly FileStream held;
    private readonly HashSet<string> known = new(StringComparer.Ordinal);

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

    /// <summary>Whether records of an earlier process are still here: to be sent, or in a file that could not be read.</summary>
    public bool StillHasRecordsOf(string edge) => Directory.Exists(PathOf(edge)) && Directory.EnumerateFileSystemEntries(PathOf(edge)).Any();

    /// <summary>Finds segments that were not here before, and that are <paramref name="whole"/>: somebody may have copied them in since.</summary>
    public void Recover(EdgeLog log, Func<FileInfo, bool> whole)
    {
        foreach (var path in Directory.EnumerateFiles(Path, "*.seg", SearchOption.AllDirectories).Order(StringComparer.Ordinal))
        {
            if (known.Contains(path) || !whole(new FileInfo(path)))
            {
                continue;
            }

            if (SpoolSegment.TryRecover(path, out var segment))
            {
                Segments.Add(segment!);
            }
            else
            {
                log.SpoolSegmentUnreadable(path);
            }

            known.Add(path);
        }

        EarlierEdges = [.. Directory.EnumerateDirectories(Path).Select(static path => System.IO.Path.GetFileName(path))];
    }

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

    /// <summary>Takes one folder, and finds what is in it; null when another process has it.</summary>
    public static SpoolFolder? TryTake(string path, EdgeLog log)
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
            folder.Recover(log, static _ => true);
            return folder;
        }
        catch
        {
            folder.Dispose();
            throw;
        }
    }

    private string PathOf(string edge) => System.IO.Path.Combine(Path, edge);
}
