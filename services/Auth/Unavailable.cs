using Gateway.ServiceDefaults;
using Npgsql;

namespace Gateway.Auth;

/// <summary>
/// When the database does not answer, so says the service (503, with <c>Retry-After</c>), and never that a key is invalid: an outage must not
/// look like a revocation.
/// </summary>
internal static class Unavailable
{
    private const string Message = "The gateway's key store does not answer now. Try again in a moment.";

    /// <summary>Whether an exception means that the database is not there, as opposed to a mistake of this program.</summary>
    public static bool Is(Exception error) => error switch
    {
        // Classes 08 (connection), 53 (out of resources), 57 (shut down, starting, cancelled by its timeout); 55P03: a lock was not to be had.
        PostgresException { SqlState: [.. var state] } => state.StartsWith("08", StringComparison.Ordinal) || state.StartsWith("53", StringComparison.Ordinal)
            || state.StartsWith("57", StringComparison.Ordinal) || state == "55P03",
        NpgsqlException or TimeoutException => true,
        _ => false,
    };

    public static IResult Result(HttpContext context)
    {
        context.Response.Headers.RetryAfter = "1";
        return Problems.Result(503, "temporarily_unavailable", Message);
    }

    public static WebApplication UseUnavailable(this WebApplication app)
    {
        app.Use(async (context, next) =>
        {
            try
            {
                await next(context);
            }
            catch (Exception error) when (Is(error) && !context.Response.HasStarted)
            {
                context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger("Gateway.Auth.Database").DatabaseNotThere(error.GetType().Name);
                await Result(context).ExecuteAsync(context);
            }
        });
        return app;
    }
}
