using System.Diagnostics;
using Gateway.Launcher.Servers;

namespace Gateway.Launcher.Running;

/// <summary>What this machine has. Tests give another PATH.</summary>
internal sealed class Machine(string? path = null, bool besidePath = true)
{
    private static readonly string[] s_engines = ["docker", "podman"];
    private (bool Asked, string? Found) _engine;

    public string? Find(string program) => Programs.Find(program, path, besidePath);

    public bool HasPostgres => besidePath ? Programs.FindPostgres() is not null : Find("postgres") is not null;

    public bool HasRabbitMq => besidePath ? Programs.FindRabbitMq() is not null : Find("rabbitmq-server") is not null;

    public bool HasRedis => Find("redis-server") is not null;

    /// <summary>docker or podman, if one of them answers (the program alone is not enough: its service may not run).</summary>
    public async Task<string?> FindContainerEngineAsync(CancellationToken cancellation)
    {
        if (!_engine.Asked)
        {
            _engine = (true, null);
            foreach (var engine in s_engines.Select(Find).OfType<string>())
            {
                if (await RunAsync(engine, ["info"], cancellation))
                {
                    _engine = (true, engine);
                    break;
                }
            }
        }

        return _engine.Found;
    }

    /// <summary>Removes a container that a crashed launcher left. The note holds "engine=name".</summary>
    public static Task<bool> RemoveContainerAsync(string note, CancellationToken cancellation) =>
        note.Split('=') is [var engine, var name] ? RunAsync(engine, ["rm", "-f", name], cancellation) : Task.FromResult(false);

    private static async Task<bool> RunAsync(string program, string[] arguments, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(TimeSpan.FromSeconds(10));
        using var process = new Process
        {
            StartInfo = new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true, RedirectStandardError = true, RedirectStandardInput = true },
        };
        try
        {
            process.Start();
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(limit.Token);
            var errors = process.StandardError.ReadToEndAsync(limit.Token);
            await process.WaitForExitAsync(limit.Token);
            await Task.WhenAll(output, errors);
            return process.ExitCode == 0;
        }
        catch (Exception e) when (e is System.ComponentModel.Win32Exception || (e is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return false;
        }
    }
}
