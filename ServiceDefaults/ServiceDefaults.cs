using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Gateway.ServiceDefaults;

/// <summary>What every service has: telemetry, health, the error envelope, service discovery and the service secret.</summary>
public static class ServiceDefaultsExtensions
{
    /// <summary>Registers the defaults. Call it first in <c>Program.cs</c>.</summary>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        NativeHeap.KeepNothingFree();
        builder.AddTelemetry();
        builder.AddHealth();
        builder.AddServiceSecret();
        builder.Services.AddSingleton(TimeProvider.System);
        builder.Services.AddServiceDiscovery();
        // Service discovery only: no resilience handler, which would retry POSTs and cut streams after 30 s. Each client states its own.
        builder.Services.ConfigureHttpClientDefaults(http => http.AddServiceDiscovery());
        return builder;
    }

    /// <summary>Maps <c>/health/live</c>, <c>/health/ready</c> and <c>/metrics</c>.</summary>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        app.MapHealth();
        app.MapPrometheusScrapingEndpoint("/metrics");
        return app;
    }
}
