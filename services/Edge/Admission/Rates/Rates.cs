using Microsoft.Extensions.DependencyInjection.Extensions;

namespace Gateway.Edge.Admission.Rates;

internal static class Rates
{
    /// <summary>The rate limits: <see cref="RateGates"/> and what it needs, its settings checked at the start.</summary>
    public static IServiceCollection AddRates(this IServiceCollection services)
    {
        services.AddOptions<RateOptions>().BindConfiguration("Gateway:Rates").ValidateDataAnnotations().ValidateOnStart();
        services.TryAddSingleton(TimeProvider.System);
        services.AddSingleton<RateMetrics>();
        services.AddSingleton<RateGates>();
        services.AddHostedService(provider => provider.GetRequiredService<RateGates>());
        return services;
    }
}
