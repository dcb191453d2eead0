using System.Threading.Channels;
using Gateway.Auth.Access;
using Gateway.Auth.Keys;
using Gateway.ServiceDefaults;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Gateway.Auth.Configuration;

/// <summary>
/// Brings Auth up: schema, peppers, config.yaml; then puts each further version of config.yaml in force. Without a database it waits for one;
/// the service is up meanwhile and not ready.
/// </summary>
internal sealed class AccessStart(
    NpgsqlDataSource database, KeyPeppers peppers, DeclaredAccessSource source, AccessSync sync, AuthMetrics metrics, TimeProvider clock,
    IHostApplicationLifetime lifetime, ILogger<AccessStart> logger) : BackgroundService
{
    private static readonly TimeSpan RetryAfter = TimeSpan.FromSeconds(1);

    private readonly TaskCompletionSource schemaIsThere = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool isReady;

    /// <summary>Completes when the tables exist.</summary>
    public Task SchemaIsThere => schemaIsThere.Task;

    /// <summary>Whether a configuration is in force.</summary>
    public bool IsReady => isReady;

    /// <summary>Why the process ended by itself; null when it did not.</summary>
    public string? Failure { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        // One waiting signal is enough: whoever takes it reads the newest configuration.
        var signals = Channel.CreateBounded<bool>(new BoundedChannelOptions(1) { FullMode = BoundedChannelFullMode.DropWrite });
        source.Changed += Signal;
        Signal();
        try
        {
            await foreach (var _ in signals.Reader.ReadAllAsync(stoppingToken))
            {
                while (!await TryPutInForceAsync(stoppingToken))
                {
                    await Task.Delay(RetryAfter, clock, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
        finally
        {
            source.Changed -= Signal;
        }

        void Signal() => signals.Writer.TryWrite(true);
    }

    private async Task<bool> TryPutInForceAsync(CancellationToken cancellation)
    {
        try
        {
            if (!schemaIsThere.Task.IsCompleted)
            {
                await Database.MigrateAsync(database, typeof(AccessStart).Assembly, logger, cancellation);
                if (await CheckPeppersAsync(cancellation) is { } wrong)
                {
                    return Fail(wrong);
                }

                schemaIsThere.SetResult();
            }

            var report = await sync.SynchronizeAsync(source.Current, cancellation);
            metrics.Synchronized(report.Problem is null ? "done" : "refused");
            if (report.Problem is { } problem)
            {
                return Fail(problem);
            }

            isReady = true;
            logger.AccessReady(report.Users, report.Keys, report.Changed);
            return true;
        }
        catch (Exception error) when (Unavailable.Is(error) || error is InvalidOperationException { InnerException: { } inner } && Unavailable.Is(inner))
        {
            logger.StartWaitsForDatabase(error.GetType().Name);
            return false;
        }
#pragma warning disable CA1031 // A mistake in a reload must not end the process that serves with the configuration before it.
        catch (Exception error) when (isReady && error is not OutOfMemoryException && !cancellation.IsCancellationRequested)
#pragma warning restore CA1031
        {
            logger.ConfigurationRefused($"{error.GetType().Name}; it is tried again");
            return false;
        }
    }

    /// <summary>A configuration that cannot be put in force ends the process at its start; later it is said, and the one in force stays.</summary>
    private bool Fail(string problem)
    {
        logger.ConfigurationRefused(problem);
        if (!isReady)
        {
            Failure = problem;
            lifetime.StopApplication();
        }

        return true;
    }

    private async Task<string?> CheckPeppersAsync(CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        foreach (var (id, proof) in peppers.Proofs)
        {
            await using var remember = new NpgsqlCommand(
                "insert into peppers (pepper_id, proof) values ($1, $2) on conflict (pepper_id) do update set proof = peppers.proof returning proof", connection)
            {
                Parameters = { new() { Value = id }, new() { Value = proof } },
            };
            if (!KeyPeppers.AreSame((byte[])(await remember.ExecuteScalarAsync(cancellation))!, proof))
            {
                return $"Gateway:KeyPepper: pepper '{id}' is not the one that this database's keys were hashed with, so no key would be known. " +
                    "Put the earlier value back; to rotate, add a pepper under a new id and keep the old one behind it.";
            }
        }

        var ids = peppers.Proofs.Select(pepper => pepper.Id).ToArray();
        await using var count = new NpgsqlCommand("select pepper_id, count(*) from keys where pepper_id <> $1 group by pepper_id", connection)
        {
            Parameters = { new() { Value = peppers.CurrentId } },
        };
        await using var rows = await count.ExecuteReaderAsync(cancellation);
        while (await rows.ReadAsync(cancellation))
        {
            var (id, keys) = (rows.GetString(0), rows.GetInt64(1));
            if (ids.Contains(id))
            {
                logger.PepperInUse(keys, id);
            }
            else
            {
                logger.PepperMissing(keys, id);
            }
        }

        return null;
    }
}

/// <summary>Ready when config.yaml is in force and changes can be followed.</summary>
internal sealed class AccessHealth(AccessStart start, ChangeFeed feed) : IHealthCheck
{
    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default) => Task.FromResult(
        !start.IsReady ? HealthCheckResult.Unhealthy("config.yaml is not in force yet.")
        : !feed.IsCurrent ? HealthCheckResult.Unhealthy("The changes of access cannot be followed.")
        : HealthCheckResult.Healthy());
}
