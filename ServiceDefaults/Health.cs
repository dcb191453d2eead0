using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;

namespace Gateway.ServiceDefaults;

/// <summary>
/// Health of a service: <c>/health/live</c> says that the process runs, <c>/health/ready</c> that it can do its work now (its database,
/// Redis and whatever else it registered a check for).
/// </summary>
public static class Health
{
    /// <summary>Checks with this tag count for <c>/health/live</c>; all checks count for <c>/health/ready</c>.</summary>
    public const string LiveTag = "live";

    internal static void AddHealth<TBuilder>(this TBuilder builder)
        where TBuilder : IHostApplicationBuilder =>
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), [LiveTag]);

    internal static void MapHealth(this WebApplication app)
    {
        app.MapHealthChecks("/health/live", new HealthCheckOptions { Predicate = check => check.Tags.Contains(LiveTag) });
        app.MapHealthChecks("/health/ready", new HealthCheckOptions
        {
            ResponseWriter = static async (context, report) =>
            {
                // The names of what is not healthy, for the person who looks; no exception text, which could hold an address.
                context.Response.ContentType = "text/plain";
                var failed = report.Entries.Where(entry => entry.Value.Status != HealthStatus.Healthy)
                    .Select(entry => $"{entry.Key}: {entry.Value.Status}{(entry.Value.Description is { Length: > 0 } text ? $" ({text})" : "")}");
                await context.Response.WriteAsync(string.Join('\n', [report.Status.ToString(), .. failed]));
            },
        });
    }
}
