using Gateway.ServiceDefaults;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using OpenTelemetry.Trace;
using StackExchange.Redis;

namespace Microsoft.Extensions.Hosting;

/// <summary>The settings of a Redis client: those of Aspire.StackExchange.Redis that the services use.</summary>
public sealed class StackExchangeRedisSettings
{
    /// <summary>The connection string; set from <c>ConnectionStrings:{name}</c>.</summary>
    public string? ConnectionString { get; set; }

    /// <summary>Whether no health check is registered.</summary>
    public bool DisableHealthChecks { get; set; }

    /// <summary>Whether no tracing is registered.</summary>
    public bool DisableTracing { get; set; }
}

/// <summary>Aspire's <c>AddRedisClient</c> for a build without Aspire's packages: same signature, configuration keys, health check and telemetry.</summary>
public static class AspireRedisExtensions
{
    private const string Section = "Aspire:StackExchange:Redis";

    /// <summary>Registers a singleton <see cref="IConnectionMultiplexer"/> for <c>ConnectionStrings:{connectionName}</c>.</summary>
    public static void AddRedisClient(
        this IHostApplicationBuilder builder,
        string connectionName,
        Action<StackExchangeRedisSettings>? configureSettings = null,
        Action<ConfigurationOptions>? configureOptions = null)
    {
        var settings = new StackExchangeRedisSettings();
        builder.Configuration.GetSection(Section).Bind(settings);
        builder.Configuration.GetSection($"{Section}:{connectionName}").Bind(settings);
        if (builder.Configuration.GetConnectionString(connectionName) is { } connection)
        {
            settings.ConnectionString = connection;
        }

        configureSettings?.Invoke(settings);
        builder.Services.AddSingleton<IConnectionMultiplexer>(_ =>
        {
            var options = ConfigurationOptions.Parse(settings.ConnectionString ?? throw new InvalidOperationException(
                $"ConnectionStrings:{connectionName} (environment ConnectionStrings__{connectionName}) is missing. Give it as host:port,password=…; AppHost does that by itself."));
            // A service starts without Redis and connects when it is there.
            options.AbortOnConnectFail = false;
            configureOptions?.Invoke(options);
            return ConnectionMultiplexer.Connect(options);
        });

        if (!settings.DisableTracing && !string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            builder.Services.AddOpenTelemetry().WithTracing(tracing => tracing.AddRedisInstrumentation());
        }

        if (!settings.DisableHealthChecks)
        {
            builder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
                "StackExchange.Redis", services => new RedisHealthCheck(services.GetRequiredService<IConnectionMultiplexer>()), null, null, TimeSpan.FromSeconds(5)));
        }
    }

    private sealed class RedisHealthCheck(IConnectionMultiplexer redis) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            try
            {
                await redis.GetDatabase().PingAsync().WaitAsync(cancellationToken);
                return HealthCheckResult.Healthy();
            }
            catch (Exception error) when (error is RedisException or TimeoutException or OperationCanceledException)
            {
                return new HealthCheckResult(context.Registration.FailureStatus, "Redis does not answer.", error);
            }
        }
    }
}
