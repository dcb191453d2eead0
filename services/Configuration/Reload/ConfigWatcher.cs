namespace Gateway.Configuration;

/// <summary>
/// Reads a configuration file again when it changes (also when a symbolic link above it is swapped, as Kubernetes does). A reload with
/// errors keeps the configuration in force and reports them all.
/// </summary>
public sealed class ConfigWatcher : IDisposable
{
    /// <summary>Watches <paramref name="path"/>, whose configuration in force is <paramref name="current"/>.</summary>
    public ConfigWatcher(string path, ConfigEnvironment environment, GatewayConfig current)
    {
        _ = (path, environment);
        Current = current;
    }

    /// <summary>A new configuration is in force. Raised one at a time, off the caller's thread.</summary>
    public event Action<ConfigResult>? Changed;

    /// <summary>The file changed and is wrong: the configuration in force stays.</summary>
    public event Action<ConfigResult>? Refused;

    /// <summary>The configuration in force.</summary>
    public GatewayConfig Current { get; }

    /// <summary>Looks now; true when a new configuration came into force.</summary>
    public bool CheckNow()
    {
        _ = (Changed, Refused);
        throw new NotImplementedException();
    }

    /// <inheritdoc/>
    public void Dispose()
    {
    }
}
