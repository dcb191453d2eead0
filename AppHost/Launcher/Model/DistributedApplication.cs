using Aspire.Hosting.ApplicationModel;
using Gateway.Launcher.Running;

namespace Aspire.Hosting;

/// <summary>The cluster of one machine. Aspire's entry point, run by <see cref="ClusterHost"/>.</summary>
public sealed class DistributedApplication
{
    private readonly DistributedApplicationBuilder _builder;

    internal DistributedApplication(DistributedApplicationBuilder builder) => _builder = builder;

    public static IDistributedApplicationBuilder CreateBuilder(string[] args) => new DistributedApplicationBuilder(args);

    public void Run() => RunAsync().GetAwaiter().GetResult();

    /// <summary>Runs until Ctrl-C, SIGTERM or <paramref name="cancellationToken"/>. A start that failed sets the process's exit code to 1.</summary>
    public async Task RunAsync(CancellationToken cancellationToken = default)
    {
        try
        {
            await ClusterHost.RunAsync(_builder, cancellationToken);
        }
        catch (LaunchException e)
        {
            await Console.Error.WriteLineAsync(e.Message);
            Environment.ExitCode = 1;
        }
    }
}
