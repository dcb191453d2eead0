using System.Globalization;
using Gateway.Metering.Export;
using Gateway.ServiceDefaults;
using Npgsql;

namespace Gateway.Metering.Reports;

/// <summary>The routes that the edge forwards: the rules stand on the groups.</summary>
internal static class ReportRoutes
{
    public static WebApplicationBuilder AddReports(this WebApplicationBuilder builder)
    {
        KeyLookup.Add(builder.Services);
        builder.Services.AddSingleton<Backlog>().AddHostedService(services => services.GetRequiredService<Backlog>());
        builder.Services.AddSingleton<ReportDatabase>().AddSingleton<DataAsOf>().AddSingleton<UsageExport>();
        // Transient, as the client of KeyLookup is: its handler is renewed from time to time.
        builder.Services.AddTransient<SpendLogs>().AddTransient<DailySummary>().AddTransient<SpendByOwner>()
            .AddTransient<GlobalSpend>().AddTransient<SpendReport>().AddTransient<DailyActivity>();
        return builder;
    }

    public static WebApplication MapReports(this WebApplication app)
    {
        var own = app.MapGroup("").WithTags("Reports").RequireCaller().AddEndpointFilter(DatabaseAwayAsync).AddEndpointFilter(MarkAsOfAsync);
        SpendLogs.Map(own);
        SpendByOwner.Map(own);
        DailyActivity.Map(own);
        UsageExport.Map(own);

        var admin = app.MapGroup("").WithTags("Reports").RequireAdmin().AddEndpointFilter(DatabaseAwayAsync).AddEndpointFilter(MarkAsOfAsync);
        GlobalSpend.Map(admin);
        SpendReport.Map(admin);
        return app;
    }

    /// <summary>An admin is told that it is the gateway that is slow or away, and may ask again; the details are in the log.</summary>
    internal static async ValueTask<object?> DatabaseAwayAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (Exception error) when (error is NpgsqlException or TimeoutException or System.Net.Sockets.SocketException)
        {
            var log = context.HttpContext.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ReportRoutes).FullName!);
            log.ReportFailed((error as PostgresException)?.SqlState ?? error.GetType().Name);
            context.HttpContext.Response.Headers.RetryAfter = "5";
            return error is PostgresException { SqlState: not ("57014" or "57P01" or "57P03" or "53300" or "55P03" or "40P01" or "42P01") }
                ? Problems.Result(500, "internal_error", "The gateway failed to make this report. The log has the details under the request's trace id.")
                : Problems.Result(503, "temporarily_unavailable", "The usage database does not answer, or not in time. Usage is safe; narrow the dates or try again in a moment.");
        }
    }

    /// <summary>Says how late the data is, before the answer begins.</summary>
    private static async ValueTask<object?> MarkAsOfAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        var asOf = await context.HttpContext.RequestServices.GetRequiredService<DataAsOf>().GetAsync(context.HttpContext.RequestAborted);
        if (asOf is { } time)
        {
            context.HttpContext.Response.Headers[DataAsOf.Header] = time.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.fffZ", CultureInfo.InvariantCulture);
        }

        return await next(context);
    }
}
