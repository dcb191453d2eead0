using Gateway.Configuration;
using Gateway.Contracts;
using Gateway.Pricing;
using MassTransit;
using OpenTelemetry.Metrics;
using StackExchange.Redis;

namespace Gateway.Edge;

/// <summary>
/// Begins, beside the start, what takes long to be made and needs nothing of the rest: most of an edge's start is code that is compiled, which a
/// second core can do. Whoever needs one of them before it is made waits for it, and what goes wrong goes wrong there once more, in sight.
/// </summary>
internal static class StartAhead
{
    /// <summary>The catalogues and how definitions are read, which need nothing at all.</summary>
    public static void Read() => Begin(static () =>
    {
        _ = PriceCatalogue.BuiltIn;
        _ = ProviderCatalogue.Names;
        _ = ContractsJson.Default.BudgetDefinitionArray;
    });

    /// <summary>Connections and instruments, as soon as it is known how they are made.</summary>
    public static void Make(IServiceProvider services)
    {
        Begin(() => services.GetRequiredService<IConnectionMultiplexer>());
        Begin(() => services.GetRequiredService<IBus>());
        Begin(() => services.GetRequiredService<MeterProvider>());
    }

    private static void Begin(Action make) => _ = Task.Run(make);
}
