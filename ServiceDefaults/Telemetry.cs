using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using OpenTelemetry;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Gateway.ServiceDefaults;

/// <summary>OpenTelemetry: metrics to Prometheus always; metrics, traces and logs to OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set.</summary>
public static class Telemetry
{
    internal static void AddTelemetry<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder
    {
        var exports = !string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]);
        var telemetry = builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics
                .AddMeter("Gateway.*")
                .AddMeter("MassTransit")
                .AddRuntimeInstrumentation()
                .AddPrometheusExporter());

        if (!exports)
        {
            return;
        }

        // Tracing costs CPU on every request: it is on only where somebody receives it.
        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
        });
        telemetry.WithTracing(tracing => tracing
            .AddSource("Gateway.*")
            .AddSource("MassTransit")
            .AddSource("Npgsql")
            .AddAspNetCoreInstrumentation(options => options.Filter = context =>
                !context.Request.Path.StartsWithSegments("/health", StringComparison.Ordinal)
                && !context.Request.Path.StartsWithSegments("/metrics", StringComparison.Ordinal))
            .AddHttpClientInstrumentation());
        telemetry.UseOtlpExporter();
    }
}
