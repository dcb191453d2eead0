namespace Gateway.Configuration;

/// <summary>
/// Reads a configuration file again when it or its price file changes (also when a symbolic link above it is swapped, as Kubernetes does). A reload with
/// errors keeps the configuration in force and reports them all.
/// </summary>
public sealed class ConfigWatcher : IDisposable
{
    // An editor saves in several steps: the file is looked at when it has been quiet for this long.
    private static readonly TimeSpan Quiet = TimeSpan.FromMilliseconds(200);

    private readonly Lock gate = new();
    private readonly string path;
    private readonly ConfigEnvironment environment;
    private readonly TimeSpan interval;
    private readonly Timer timer;
    private readonly FileSystemWatcher? files;
    private string? seen;
    private volatile GatewayConfig current;
    private bool disposed;

    /// <summary>Watches <paramref name="path"/>, whose configuration in force is <paramref name="current"/>.</summary>
    /// <param name="path">The file.</param>
    /// <param name="environment">What <c>os.environ/NAME</c> and missing keys are read with.</param>
    /// <param name="current">What was read from it at the start.</param>
    /// <param name="interval">How often it is looked at besides when the system tells of a change, which network file systems do not; default 5 s.</param>
    public ConfigWatcher(string path, ConfigEnvironment environment, GatewayConfig current, TimeSpan? interval = null)
    {
        this.path = Path.GetFullPath(path);
        this.environment = environment;
        this.current = current;
        this.interval = interval ?? TimeSpan.FromSeconds(5);
        seen = current.Version;
        timer = new Timer(_ => Check(), null, this.interval, this.interval);
        files = Watch(Path.GetDirectoryName(this.path)!);
    }

    /// <summary>A new configuration is in force. Raised one at a time; for a handler that throws it is raised again with the next look.</summary>
    public event Action<ConfigResult>? Changed;

    /// <summary>The file changed and is wrong: the configuration in force stays. Raised once for each wrong state of the file.</summary>
    public event Action<ConfigResult>? Refused;

    /// <summary>A look failed, or a handler did: what it threw. The next look tries again.</summary>
    public event Action<Exception>? Failed;

    /// <summary>The configuration in force.</summary>
    public GatewayConfig Current => current;

    /// <summary>Looks now; true when a new configuration came into force.</summary>
    public bool CheckNow()
    {
        lock (gate)
        {
            if (disposed)
            {
                return false;
            }

            // The content decides, not the time stamp: a swapped link may bring a file that is older than the one before.
            var result = ConfigReader.ReadFile(path, environment, out var version);
            if (version == seen)
            {
                return false;
            }

            if (result.Config is null)
            {
                seen = version;
                Refused?.Invoke(result);
                return false;
            }

            Changed?.Invoke(result);
            (seen, current) = (version, result.Config);
            return true;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        lock (gate)
        {
            disposed = true;
        }

        files?.Dispose();
        timer.Dispose();
    }

    // What a timer throws ends the process.
    private void Check()
    {
        try
        {
            CheckNow();
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            Failed?.Invoke(failure);
        }
    }

    private FileSystemWatcher? Watch(string folder)
    {
        try
        {
            // Every name in the folder: the one that a swap renames ("..data") is not the file's.
            var watcher = new FileSystemWatcher(folder)
            {
                NotifyFilter = NotifyFilters.FileName | NotifyFilters.DirectoryName | NotifyFilters.LastWrite | NotifyFilters.CreationTime,
            };
            watcher.Changed += (_, _) => CheckSoon();
            watcher.Created += (_, _) => CheckSoon();
            watcher.Renamed += (_, _) => CheckSoon();
            watcher.Deleted += (_, _) => CheckSoon();
            watcher.EnableRaisingEvents = true;
            return watcher;
        }
        catch (Exception wrong) when (wrong is IOException or ArgumentException)
        {
            // The system has no watches left, or the folder is gone: the timer still looks.
            return null;
        }
    }

    private void CheckSoon()
    {
        lock (gate)
        {
            if (!disposed)
            {
                timer.Change(Quiet, interval);
            }
        }
    }
}
