namespace Gateway.Edge.Metering;

/// <summary>
/// Finds the folders beside this process's own that something was left in and that no living process holds. One that a person is still copying
/// in is held by nobody either, and half a segment looks like a torn one: so a folder is left alone until it is as it was at the last look and
/// nothing in it was written for <see cref="QuietFor"/>.
/// </summary>
internal sealed class AbandonedSpools(string dataDirectory, SpoolFolder own, EdgeLog log, TimeProvider time)
{
    /// <summary>How long nothing was written of what is taken. A dead edge's last write is at its death: this adds to what its money waits for.</summary>
    public static readonly TimeSpan QuietFor = TimeSpan.FromSeconds(3);

    private readonly HashSet<string> refused = new(StringComparer.Ordinal);
    private Dictionary<string, (int Files, long Bytes)> seen = new(StringComparer.Ordinal);

    /// <summary>Takes them, and remembers the others for the next look.</summary>
    public List<SpoolFolder> Take()
    {
        var (before, taken) = (seen, new List<SpoolFolder>());
        seen = new(StringComparer.Ordinal);
        foreach (var path in Directory.EnumerateDirectories(dataDirectory, SpoolFolder.Name + "*").Order(StringComparer.Ordinal))
        {
            if (path == own.Path)
            {
                continue;
            }

            try
            {
                if (Directory.EnumerateDirectories(path).Any() && IsWhole(path, before) && SpoolFolder.TryTake(path, log) is { } folder)
                {
                    taken.Add(folder);
                }
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
                // Gone meanwhile, or not for this process to read: the others are taken all the same. Said once, and tried again each time.
                if (refused.Add(path))
                {
                    log.SpoolNotAdopted(path, error);
                }
            }
        }

        return taken;
    }

    /// <summary>Whether a folder that was taken still has something, though all that was found in it is sent: whoever copied it in may not have been done.</summary>
    public bool HasMore(SpoolFolder taken)
    {
        try
        {
            taken.Recover(log, IsQuiet);
            return taken.Segments.Count > 0 || taken.EarlierEdges.Count > 0;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            log.SpoolNotAdopted(taken.Path, error);
            return false;
        }
    }

    private bool IsWhole(string path, Dictionary<string, (int Files, long Bytes)> before)
    {
        var (quiet, files, bytes) = (true, 0, 0L);
        foreach (var entry in new DirectoryInfo(path).EnumerateFileSystemInfos("*", SearchOption.AllDirectories))
        {
            // The lock is each taker's own to write.
            if (entry.Name == SpoolFolder.LockName)
            {
                continue;
            }

            quiet &= IsQuiet(entry);
            files++;
            bytes += entry is FileInfo file ? file.Length : 0;
        }

        seen[path] = (files, bytes);
        return quiet && before.TryGetValue(path, out var last) && last == (files, bytes);
    }

    // A time that is ahead by as much is another clock's, or was copied along: it says nothing.
    private bool IsQuiet(FileSystemInfo written) => (time.GetUtcNow() - new DateTimeOffset(written.LastWriteTimeUtc)).Duration() >= QuietFor;
}
