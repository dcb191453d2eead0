using Gateway.Configuration;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Credentials;
using Microsoft.Extensions.Options;

namespace Gateway.Edge.Routing;

/// <summary>Loads config.yaml at the start and again when it changes. A file with errors stops the start, and never a running edge.</summary>
internal sealed class ConfigurationLoader(
    IConfiguration settings, IHostEnvironment environment, RoutingTables tables, CredentialKeeper credentials, KeyCache keys, IOptions<BudgetOptions> budgets, EdgeLog log) : IHostedService, IDisposable
{
    private ConfigWatcher? watcher;

    /// <summary>Loads the file.</summary>
    /// <exception cref="InvalidOperationException">The file has errors: all of them are in the message.</exception>
    public async Task StartAsync(CancellationToken cancellationToken)
    {
        var path = settings["Gateway:ConfigFile"] is { Length: > 0 } given ? given : "config.yaml";
        var surroundings = ConfigEnvironment.Process(environment.EnvironmentName);
        var result = ConfigReader.ReadFile(path, surroundings);
        if (result.Config is not { } configuration)
        {
            throw new InvalidOperationException($"The configuration has errors:\n{string.Join('\n', result.Errors)}");
        }

        if (await credentials.PrepareAsync(configuration, cancellationToken) is { Count: > 0 } missing)
        {
            throw new InvalidOperationException($"Credentials cannot be read:\n{string.Join('\n', missing)}");
        }

        foreach (var warning in result.Warnings)
        {
            log.ConfigurationWarning(warning.ToString());
        }

        foreach (var notice in result.Notices)
        {
            log.ConfigurationNotice(notice.ToString());
        }

        Use(configuration);
        watcher = new ConfigWatcher(path, surroundings, configuration);
        watcher.Changed += changed => Change(changed.Config!);
        watcher.Refused += refused => log.ConfigurationRefused(string.Join('\n', refused.Errors));
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => watcher?.Dispose();

    // On the watcher's own thread, one at a time: nothing waits for it.
    private void Change(GatewayConfig configuration)
    {
        var missing = credentials.PrepareAsync(configuration, CancellationToken.None).GetAwaiter().GetResult();
        if (missing.Count > 0)
        {
            log.ConfigurationRefused(string.Join('\n', missing));
            return;
        }

        Use(configuration);
    }

    private void Use(GatewayConfig configuration)
    {
        tables.Use(configuration);
        keys.MaxStale = configuration.General.MaxStale;
        budgets.Value.Wait = configuration.General.BudgetWait;
        log.ConfigurationLoaded(configuration.Version);
    }
}
