using System.Diagnostics;

namespace Gateway.Launcher.Servers;

/// <summary>
/// A server of this machine with its own port and data folder. Tests kill, pause and restart it: data and port stay the same.
/// </summary>
public abstract class LocalServer(string name, string folder, int port) : IAsyncDisposable
{
    private static readonly TimeSpan s_startLimit = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan s_stopLimit = TimeSpan.FromSeconds(15);

    public string Name { get; } = name;

    public string Folder { get; } = Path.GetFullPath(folder);

    public int Port { get; } = port;

    /// <summary>The connection string that a service would be given.</summary>
    public abstract string ConnectionString { get; }

    /// <summary>The running (or ended) process; null before the first start.</summary>
    public LocalProcess? Process { get; private set; }

    /// <summary>Sees every line that the server writes.</summary>
    public Action<string>? OnLine { get; init; }

    /// <summary>Makes the folder and the settings. Runs before every start and keeps the data that is there.</summary>
    public abstract Task PrepareAsync(CancellationToken cancellation);

    /// <summary>The process to start.</summary>
    public abstract ProcessSpec Spec { get; }

    /// <summary>Whether the server answers in its own protocol now. Never throws for a server that is not there.</summary>
    public abstract Task<bool> AnswersAsync(CancellationToken cancellation);

    /// <summary>Runs once after each start, as soon as the server answers.</summary>
    public virtual Task AfterStartAsync(CancellationToken cancellation) => Task.CompletedTask;

    /// <summary>Starts it, also again after a kill, and returns when it answers.</summary>
    public async Task StartAsync(CancellationToken cancellation = default)
    {
        await PrepareAsync(cancellation);
        var started = Stopwatch.GetTimestamp();
        Process = LocalProcess.Start(Spec, OnLine);
        while (!await AnswersAsync(cancellation))
        {
            var late = Stopwatch.GetElapsedTime(started) > s_startLimit;
            if (Process.HasExited && !late && MayTryAgain(Process))
            {
                await Task.Delay(200, cancellation);
                Process = LocalProcess.Start(Spec, OnLine);
            }
            else if (Process.HasExited || late)
            {
                throw new ServerStartException($"{Name} did not start ({(late ? "no answer within 90 s" : $"it ended with code {await Process.Exited}")}). Its last lines:\n{string.Join('\n', Process.LastLines.TakeLast(20))}");
            }

            await Task.Delay(50, cancellation);
        }

        await AfterStartAsync(cancellation);
    }

    /// <summary>Stops it as an operator would; the data is kept.</summary>
    public async Task StopAsync()
    {
        if (Process is { HasExited: false } running)
        {
            await running.StopAsync(s_stopLimit);
        }

        await AfterStopAsync();
    }

    /// <summary>kill -9, and nothing else.</summary>
    public Task KillAsync() => Process?.KillAsync() ?? Task.CompletedTask;

    /// <summary>Freezes it: connections stay open and nothing answers.</summary>
    public void Pause() => Process?.Pause();

    public void Resume() => Process?.Resume();

    /// <summary>Stops and starts it on the same data and port.</summary>
    public async Task RestartAsync(CancellationToken cancellation = default)
    {
        await StopAsync();
        await StartAsync(cancellation);
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        if (Process is not null)
        {
            await Process.DisposeAsync();
        }

        GC.SuppressFinalize(this);
    }

    /// <summary>Whether a start that failed at once may just be too early after a kill (what was killed is still letting go).</summary>
    protected virtual bool MayTryAgain(LocalProcess ended) => false;

    /// <summary>Ends what the server left beside its process.</summary>
    public virtual Task AfterStopAsync() => Task.CompletedTask;

    /// <summary>Sends bytes to the server's port and returns the first bytes of its answer; empty when it does not answer.</summary>
    protected async Task<byte[]> AskAsync(byte[] question, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(2));
        using var client = new System.Net.Sockets.TcpClient();
        try
        {
            await client.ConnectAsync("127.0.0.1", Port, limit.Token);
            var stream = client.GetStream();
            await stream.WriteAsync(question, limit.Token);
            var answer = new byte[512];
            var length = await stream.ReadAsync(answer, limit.Token);
            return answer[..length];
        }
        catch (Exception e) when (e is System.Net.Sockets.SocketException or IOException)
        {
            return [];
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            return [];
        }
    }

    /// <summary>Writes a file that only its owner may read.</summary>
    protected static void WritePrivate(string path, string text)
    {
        if (File.Exists(path))
        {
            File.Delete(path);
        }

        var options = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using var writer = new StreamWriter(path, options);
        writer.Write(text);
    }
}
