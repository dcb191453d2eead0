namespace Gateway.Launcher.Servers;

/// <summary>What to start, as whom, and how it ends.</summary>
/// <param name="Name">The name in log lines and messages.</param>
/// <param name="Program">Full path of the program.</param>
/// <param name="Arguments">Its arguments, unquoted.</param>
public sealed record ProcessSpec(string Name, string Program, IReadOnlyList<string> Arguments)
{
    /// <summary>Default: the folder of the parent.</summary>
    public string? WorkingDirectory { get; init; }

    /// <summary>Added to the parent's environment; a null value takes a variable away.</summary>
    public IReadOnlyDictionary<string, string?> Environment { get; init; } = new Dictionary<string, string?>();

    /// <summary>A user of this machine to become first. Only root can; null stays the same user.</summary>
    public string? RunAs { get; init; }

    /// <summary>Asks the program to end. Default: SIGTERM.</summary>
    public Signal StopSignal { get; init; } = Signal.Terminate;

    /// <summary>What the kernel sends when the parent is gone, however it went. Default: SIGKILL.</summary>
    public Signal ParentDeathSignal { get; init; } = Signal.Kill;
}
