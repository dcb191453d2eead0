using System.Collections.Concurrent;
using System.Diagnostics;

namespace Gateway.Launcher.Servers;

/// <summary>
/// A child process that cannot outlive its parent: the kernel sends it a signal when the parent is gone, also after a kill -9
/// (setpriv --pdeathsig), and it has a session of its own (setsid), so that Ctrl-C reaches only the parent, which stops in order.
/// </summary>
public sealed class LocalProcess : IAsyncDisposable
{
    private const int LinesKept = 100;

    private static readonly TimeSpan s_lastWords = TimeSpan.FromMilliseconds(300);

    private readonly Process _process;
    private readonly TaskCompletionSource<int> _exited = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ConcurrentQueue<string> _lastLines = new();
    private readonly Action<string>? _onLine;

    private LocalProcess(ProcessSpec spec, Process process, Action<string>? onLine)
    {
        Spec = spec;
        _process = process;
        _onLine = onLine;
    }

    public ProcessSpec Spec { get; }

    /// <summary>The number of the program itself: setsid and setpriv replace themselves by it, nothing stands between.</summary>
    public int Id { get; private set; }

    /// <summary>Ends with the exit code when the process is gone.</summary>
    public Task<int> Exited => _exited.Task;

    public bool HasExited => _exited.Task.IsCompleted;

    /// <summary>The last lines that it wrote, oldest first.</summary>
    public IReadOnlyList<string> LastLines => [.. _lastLines];

    public static LocalProcess Start(ProcessSpec spec, Action<string>? onLine = null)
    {
        var process = new Process { StartInfo = StartInfo(spec), EnableRaisingEvents = true };
        var local = new LocalProcess(spec, process, onLine);
        var read = new CountdownEvent(2);
        DataReceivedEventHandler onData = (_, line) =>
        {
            local.Take(line.Data);
            if (line.Data is null)
            {
                read.Signal();
            }
        };
        process.OutputDataReceived += onData;
        process.ErrorDataReceived += onData;
        // Its last words first: they say why it ended. Not for ever: a child of its own may keep the pipe open.
        process.Exited += (_, _) => ThreadPool.RegisterWaitForSingleObject(
            read.WaitHandle, (_, _) => local._exited.TrySetResult(process.ExitCode), null, s_lastWords, executeOnlyOnce: true);
        ParentThread.Run(() => process.Start());
        local.Id = process.Id;
        process.StandardInput.Close();
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
        return local;
    }

    /// <summary>Sends a signal to the program alone; false when it is gone.</summary>
    public bool Send(Signal signal) => !HasExited && Signals.Send(Id, signal);

    /// <summary>Freezes the program and all below it (SIGSTOP), as a machine that hangs does.</summary>
    public void Pause() => SendToAll(Signal.Stop);

    /// <summary>Lets a frozen program go on (SIGCONT).</summary>
    public void Resume() => SendToAll(Signal.Continue);

    /// <summary>SIGKILL to the program and all below it; returns when it is gone.</summary>
    public async Task KillAsync()
    {
        SendToAll(Signal.Kill);
        await Exited;
    }

    /// <summary>Asks it to stop and waits; after <paramref name="grace"/> it is killed. False when it had to be.</summary>
    public async Task<bool> StopAsync(TimeSpan grace)
    {
        // A program that is frozen would not see the signal: it is woken up too.
        Send(Spec.StopSignal);
        Resume();
        try
        {
            await Exited.WaitAsync(grace);
            return true;
        }
        catch (TimeoutException)
        {
            await KillAsync();
            return false;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!HasExited)
        {
            await KillAsync();
        }

        _process.Dispose();
    }

    private static ProcessStartInfo StartInfo(ProcessSpec spec)
    {
        List<string> command = [];
        if (Programs.Find("setsid") is { } setsid)
        {
            command.Add(setsid);
        }

        if (Programs.Find("setpriv") is { } setpriv)
        {
            // setpriv asks for the signal after it changed the user: a change of user would take it away.
            command.AddRange([setpriv, "--pdeathsig", Signals.Name(spec.ParentDeathSignal)]);
            if (spec.RunAs is { } user)
            {
                command.AddRange(["--reuid", user, "--regid", user, "--init-groups"]);
            }

            command.Add("--");
        }
        else if (spec.RunAs is { } user)
        {
            throw new ServerStartException($"{spec.Name} refuses to run as root and setpriv (util-linux) is not there: run as another user than root, or install util-linux ({user} is who it would be).");
        }

        command.Add(spec.Program);
        command.AddRange(spec.Arguments);
        var info = new ProcessStartInfo(command[0], command.Skip(1))
        {
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            UseShellExecute = false,
            WorkingDirectory = spec.WorkingDirectory ?? "",
        };
        foreach (var (name, value) in spec.Environment)
        {
            info.Environment[name] = value;
        }

        return info;
    }

    private void SendToAll(Signal signal)
    {
        if (HasExited)
        {
            return;
        }

        // The program first: it must not start others while its children are being told.
        var below = ProcessTree.Descendants(Id);
        Signals.Send(Id, signal);
        foreach (var child in below)
        {
            Signals.Send(child, signal);
        }
    }

    private void Take(string? line)
    {
        if (line is null)
        {
            return;
        }

        _lastLines.Enqueue(line);
        while (_lastLines.Count > LinesKept)
        {
            _lastLines.TryDequeue(out _);
        }

        _onLine?.Invoke(line);
    }
}
