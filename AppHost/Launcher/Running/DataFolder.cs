namespace Gateway.Launcher.Running;

/// <summary>
/// The folder that a cluster lives in: one launcher at a time (a lock that the kernel takes away with the process, so a crash leaves
/// none), its secrets, and notes of the processes that it started.
/// </summary>
internal sealed class DataFolder : IDisposable
{
    private readonly FileStream _lock;

    private DataFolder(string path, FileStream held)
    {
        Root = path;
        _lock = held;
        Secrets = new SecretFiles(System.IO.Path.Combine(path, "secrets"));
        Processes = new StartedProcesses(System.IO.Path.Combine(path, "run"));
    }

    public string Root { get; }

    public SecretFiles Secrets { get; }

    public StartedProcesses Processes { get; }

    public static DataFolder Open(string path)
    {
        path = System.IO.Path.GetFullPath(path);
        Directory.CreateDirectory(path);
        try
        {
            var held = new FileStream(System.IO.Path.Combine(path, "launcher.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return new DataFolder(path, held);
        }
        catch (IOException e)
        {
            throw new LaunchException($"Another gateway runs on the data folder {path}. Stop it first, or give this one a folder of its own with --data DIR.", e);
        }
    }

    public string Of(string name) => System.IO.Path.Combine(Root, name);

    public void Dispose() => _lock.Dispose();
}
