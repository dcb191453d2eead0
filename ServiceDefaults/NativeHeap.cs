using System.Runtime.InteropServices;

namespace Gateway.ServiceDefaults;

/// <summary>The heap of native code: what the runtime's compiler works in, and OpenSSL.</summary>
internal static partial class NativeHeap
{
    private const int TrimThreshold = -1;
    private const int Bytes = 128 * 1024;
    private static readonly TimeSpan s_apart = TimeSpan.FromMinutes(1);

    // Held here: a timer that nobody holds is collected.
    private static Timer? trimming;

    /// <summary>
    /// Has glibc give back to the system what is free at the end of a heap, as it does by itself until a large piece was freed once: then it
    /// keeps up to twice as much as that piece had, in each thread's heap, for ever. The compiler's work leaves 15 to 25 MiB behind in that way.
    /// (<c>mallopt(3)</c>: setting the bound keeps it from rising.) What is free between pieces that live goes back once a minute
    /// (<c>malloc_trim(3)</c>), some 7 MiB in an edge.
    /// </summary>
    public static void KeepNothingFree()
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }

        try
        {
            _ = SetOption(TrimThreshold, Bytes);
            _ = Trim(0);
            trimming ??= new Timer(static state => _ = Trim(0), null, s_apart, s_apart);
        }
        catch (Exception error) when (error is DllNotFoundException or EntryPointNotFoundException)
        {
            // Another C library, with a heap of another kind.
        }
    }

    [LibraryImport("libc", EntryPoint = "mallopt")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int SetOption(int option, int value);

    [LibraryImport("libc", EntryPoint = "malloc_trim")]
    [DefaultDllImportSearchPaths(DllImportSearchPath.SafeDirectories)]
    private static partial int Trim(nuint keep);
}
