using System.Runtime.InteropServices;

namespace Gateway.Launcher.Servers;

/// <summary>The signals that the launcher and the failure tests send (their numbers are the same on Linux and macOS but for Stop and Continue).</summary>
public enum Signal
{
    Interrupt,
    Quit,
    Kill,
    Terminate,
    Stop,
    Continue,
}

/// <summary>Sends signals: .NET itself can only kill.</summary>
public static partial class Signals
{
    /// <summary>Sends a signal; false when there is no such process (any more).</summary>
    public static bool Send(int processId, Signal signal) => SendRaw(processId, Number(signal)) == 0;

    /// <summary>The name that setpriv takes.</summary>
    public static string Name(Signal signal) => signal switch
    {
        Signal.Interrupt => "INT",
        Signal.Quit => "QUIT",
        Signal.Kill => "KILL",
        Signal.Terminate => "TERM",
        Signal.Stop => "STOP",
        _ => "CONT",
    };

    private static int Number(Signal signal) => signal switch
    {
        Signal.Interrupt => 2,
        Signal.Quit => 3,
        Signal.Kill => 9,
        Signal.Terminate => 15,
        Signal.Stop => OperatingSystem.IsMacOS() ? 17 : 19,
        _ => OperatingSystem.IsMacOS() ? 19 : 18,
    };

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendRaw(int processId, int signal);
}
