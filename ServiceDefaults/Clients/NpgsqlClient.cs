using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Microsoft.Extensions.Hosting;

/// <summary>The settings of a PostgreSQL client: those of Aspire.Npgsql that the services use.</summary>
public sealed class NpgsqlSettings
{
    /// <summary>The connection string; set from <c>ConnectionStrings:{name}</c>.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>Whether no health check is registered.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>Whether no tracing is registered.</summary>
    public bool DisableTracing { get; set; }

    /// <summary>Whether no metrics are registered.</summary>
    public bool DisableMetrics { get; set; }
}

/// <summary>Aspire's <c>AddNpgsqlDataSource</c> for a build without Aspire's packages: same signature, configuration keys, health check and telemetry.</summary>
public static class AspirePostgreSqlNpgsqlExtensions
{
    private const string Section = "Aspire:Npgsql";

    /// <summary>Registers a singleton <see cref="NpgsqlDataSource"/> for <c>ConnectionStrings:{connectionName}</c>.</summary>
    public static void AddNpgsqlDataSource(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<NpgsqlSettings>? configureSettings = null,
        Action<NpgsqlDataSourceBuilder>? configureDataSourceBuilder = null)
    {
        var settings = new NpgsqlSettings();
        builder.Configuration.GetSection(Section).Bind(settings);
        builder.Configuration.GetSection($"{Section}:{connectionName}").Bind(settings);
        if (builder.Configuration.GetConnectionString(connectionName) is { } connection)
        {
            settings.ConnectionString = connection;
        }

        configureSettings?.Invoke(settings);
        if (string.IsNullOrWhiteSpace(settings.ConnectionString))
        {
            throw new InvalidOperationException(
                $"ConnectionStrings:{connectionName} (environment ConnectionStrings__{connectionName}) is missing. Give it as Host=…;Port=…;Username=…;Password=…;Database=…; AppHost does that by itself.");
        }

        builder.Services.AddNpgsqlDataSource(settings.ConnectionString, source => configureDataSourceBuilder?.Invoke(source));
        if (!settings.DisableTracing && !string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing.AddNpgsql());
        }

        if (!settings.DisableMetrics)
        {
            builder.Services.AddOpenTelemetry().WithMetrics(metrics => metrics.AddMeter("Npgsql"));
        }

        if (!settings.DisableHealthChecks)
        {
            NpgsqlHealthCheck? check = null;
            builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
                "PostgreSql", services => check ??= new NpgsqlHealthCheck(services.GetRequiredService<NpgsqlDataSource>()), null, null, TimeSpan.FromSeconds(5)));
        }
    }

    private sealed class NpgsqlHealthCheck(NpgsqlDataSource dataSource) : IHealthCheck
    {
        // Whoever watches asks every second; a good answer is good for a few. A bad one is asked for again each time.
        private static readonly TimeSpan GoodFor = TimeSpan.FromSeconds(5);

        private long goodUntil;

        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            if (Environment.TickCount64 < Volatile.Read(ref goodUntil))
            {
                return HealthCheckResult.Healthy();
            }

            try
            {
                await using var command = dataSource.CreateCommand("select 1");
                await command.ExecuteScalarAsync(cancellationToken);
                Volatile.Write(ref goodUntil, Environment.TickCount64 + (long)GoodFor.TotalMilliseconds);
                return HealthCheckResult.Healthy();
            }
            catch (Exception error) when (error is NpgsqlException or TimeoutException or OperationCanceledException)
            {
                return new HealthCheckResult(context.Registration.FailureStatus, "PostgreSQL does not answer.", error);
            }
        }
    }
}
