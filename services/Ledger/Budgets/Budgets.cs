using Gateway.Contracts;
using Gateway.ServiceDefaults;
using Npgsql;
using StackExchange.Redis;

namespace Gateway.Ledger.Budgets;

/// <summary>What edges call: windows into Redis, and the budgets that administrators made.</summary>
internal static class Budgets
{
    public static WebApplicationBuilder AddBudgets(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<WindowInstaller>();
        builder.Services.AddSingleton<BudgetTable>();
        builder.Services.AddSingleton<KnownDefinitions>();
        builder.Services.AddSingleton<BudgetsAboveKey>();
        builder.Services.AddSingleton<WindowRetention>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<WindowRetention>());
        return builder;
    }

    public static WebApplication MapBudgets(this WebApplication app)
    {
        var budgets = app.MapGroup("/internal/budgets").RequireService();
        budgets.MapPost("/ensure", EnsureAsync);
        budgets.MapGet("/definitions", async (KnownDefinitions definitions, CancellationToken cancellation) =>
            TypedResults.Ok(await definitions.GetAsync(cancellation)));
        budgets.MapPost("/above", async (BudgetsAbove asked, BudgetsAboveKey above, CancellationToken cancellation) =>
            TypedResults.Json(await above.FindAsync(asked, cancellation), ContractsJson.Default.BudgetStateArray));
        return app;
    }

    private static async Task<IResult> EnsureAsync(EnsureBudgets asked, WindowInstaller installer, LedgerMetrics metrics, ILogger<WindowInstaller> logger, CancellationToken cancellation)
    {
        if (EnsureRules.Refusal(asked) is { } refusal)
        {
            return Problems.Result(422, "invalid_request", refusal);
        }

        try
        {
            return TypedResults.Json(await installer.EnsureAsync(asked, "auth", cancellation), ContractsJson.Default.EnsuredBudgets);
        }
        catch (Exception error) when (error is RedisException or TimeoutException or NpgsqlException)
        {
            // The edge keeps what it holds and asks again; without Redis or the journal nothing can be granted (fails closed, T-6).
            metrics.RedisFailed("ensure");
            logger.EnsureFailed(asked.EdgeId, error.GetType().Name);
            return Problems.Result(503, "temporarily_unavailable", "Budgets cannot be opened now: Redis or the ledger's database does not answer. Try again in a second.");
        }
    }
}
