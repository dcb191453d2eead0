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
    private static readonly TimeSpan TryAgainAfter = TimeSpan.FromSeconds(5);

    private readonly Lock gate = new();
    private ConfigWatcher? watcher;
    private Timer? retry;
    private volatile GatewayConfig? waiting;

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
        watcher.Changed += changed => Change(changed.Config!, again: false);
        watcher.Refused += refused => log.ConfigurationRefused(string.Join('\n', refused.Errors));
        watcher.Failed += log.ConfigurationFailed;
    }

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose()
    {
        watcher?.Dispose();
        retry?.Dispose();
    }

    // On the watcher's own thread or the timer's, one at a time: nothing waits for it.
    private void Change(GatewayConfig configuration, bool again)
    {
        lock (gate)
        {
            if (again && waiting != configuration)
            {
                // A newer one has come since.
                return;
            }

            try
            {
                var missing = credentials.PrepareAsync(configuration, CancellationToken.None).GetAwaiter().GetResult();
                waiting = missing.Count > 0 ? configuration : null;
                if (missing.Count == 0)
                {
                    Use(configuration);
                    return;
                }

                if (!again)
                {
                    log.ConfigurationRefused(string.Join('\n', missing));
                }
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                // Nobody is there to catch it: what a timer throws ends the process.
                waiting = configuration;
                log.ConfigurationFailed(error);
            }

            // The file is as it should be: it comes into force when its credentials can be read.
            retry ??= new Timer(_ =>
            {
                if (waiting is { } late)
                {
                    Change(late, again: true);
                }
            });
            retry.Change(TryAgainAfter, Timeout.InfiniteTimeSpan);
        }
    }

    private void Use(GatewayConfig configuration)
    {
        tables.Use(configuration);
        keys.MaxStale = configuration.General.MaxStale;
        budgets.Value.Wait = configuration.General.BudgetWait;
        log.ConfigurationLoaded(configuration.Version);
    }
}
