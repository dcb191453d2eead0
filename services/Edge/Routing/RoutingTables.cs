using System.Collections.Concurrent;
using Gateway.Configuration;
using Gateway.Contracts;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Admission.Rates;
using Gateway.Edge.Credentials;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Routing;

/// <summary>The routing table in force, and how one is made from a configuration.</summary>
internal sealed class RoutingTables(SampleProviderAddress sample, CredentialKeeper credentials, BudgetLeases leases, RateGates gates, TimeProvider time)
{
    // Nothing is ever sent there (RFC 6761: this name leads nowhere).
    private static readonly Uri NoAddress = new("http://mocked.invalid/v1");

    private readonly ConcurrentDictionary<string, DeploymentHealth> health = new(StringComparer.Ordinal);
    private RoutingTable? current;

    public RoutingTable Current => Volatile.Read(ref current) ?? throw new InvalidOperationException("No configuration was loaded.");

    /// <summary>The table in force; null before the first configuration.</summary>
    public RoutingTable? Loaded => Volatile.Read(ref current);

    /// <summary>The gateway's own budget; null when the configuration has none.</summary>
    public BudgetSlot? GatewayBudget { get; private set; }

    /// <summary>Requests at once for all callers together; null when the configuration states no number.</summary>
    public RateGate? GatewayGate { get; private set; }

    /// <summary>Puts a configuration into force for every request that begins from now on.</summary>
    public void Use(GatewayConfig configuration)
    {
        var named = configuration.Models.Where(static model => !model.IsPattern).GroupBy(static model => model.ModelName, StringComparer.Ordinal)
            .Select(group => GroupOf(group.Key, [.. group.Select(model => Make(model, model.ProviderModel, configuration))], configuration));
        var patterns = configuration.Models.Where(static model => model.IsPattern).GroupBy(static model => model.ModelName, StringComparer.Ordinal)
            .Select(group => (group.Key, (Func<string, ModelGroup>)(name => GroupOf(
                name,
                [.. group.Select(model => Make(model, ModelPattern.Fill(model.ProviderModel, model.ModelName, name), configuration))],
                configuration))));
        GatewayBudget = configuration.LiteLlm.MaxBudget is { } limit
            ? Slot(BudgetId.Gateway, limit, configuration.LiteLlm.BudgetDuration, configuration)
            : null;
        GatewayGate = configuration.General.GlobalMaxParallelRequests is { } most
            ? gates.Get(new LimitDefinition(BudgetId.Gateway, LimitKind.ParallelRequests, most))
            : null;
        Volatile.Write(ref current, new RoutingTable(
            configuration, named, patterns, StrategyOf(configuration.Router), (deployment, credential) => With(deployment, credential, configuration)));
    }

    private static IRoutingStrategy StrategyOf(RouterSettings router) => router.Strategy switch
    {
        RoutingStrategy.LeastBusy => new LeastBusyStrategy(),
        RoutingStrategy.UsageBased => new UsageBasedStrategy(),
        RoutingStrategy.LatencyBased => new LatencyBasedStrategy(router.LowestLatencyBuffer),
        RoutingStrategy.CostBased => new CostBasedStrategy(),
        _ => new SimpleShuffleStrategy(),
    };

    private static ModelGroup GroupOf(string name, Deployment[] deployments, GatewayConfig configuration)
    {
        var router = configuration.Router;
        return new ModelGroup(name, deployments)
        {
            Callable = Eligibility.ByPrice(deployments, configuration.UnpricedModels),
            Fallbacks = router.Fallbacks.GetValueOrDefault(name) ?? router.Fallbacks.GetValueOrDefault("*") ?? router.DefaultFallbacks,
            ContextWindowFallbacks = router.ContextWindowFallbacks.GetValueOrDefault(name) ?? router.ContextWindowFallbacks.GetValueOrDefault("*") ?? [],
            ContentPolicyFallbacks = router.ContentPolicyFallbacks.GetValueOrDefault(name) ?? router.ContentPolicyFallbacks.GetValueOrDefault("*") ?? [],
            Retries = new RetryRule(
                deployments.Max(static deployment => deployment.Configuration.NumRetries) ?? router.NumRetries,
                router.ModelGroupRetryPolicy.GetValueOrDefault(name) ?? router.RetryPolicy),
        };
    }

    private Deployment Make(ModelDeployment model, string providerModel, GatewayConfig configuration, string owner = "")
    {
        // A fixed answer is in OpenAI's format, whatever the provider would speak.
        var protocol = ChatProviders.Find((model.MockResponse is null ? model.Protocol : ProviderProtocol.OpenAi).ToString())?.For(providerModel) ?? throw new InvalidOperationException(
            $"The gateway does not speak {model.Protocol} yet: {model.ModelName} cannot be served.");
        if (protocol is OpenAiProvider && model.Protocol == ProviderProtocol.OpenAi && model.MockResponse is null && ProviderCatalogue.Find(model.Provider)?.Quirks is { } quirks)
        {
            protocol = new OpenAiProvider(quirks);
        }

        var budgets = new List<BudgetSlot>();
        if (configuration.Router.ProviderBudgets.TryGetValue(model.Provider, out var budget))
        {
            budgets.Add(Slot(BudgetId.Of(BudgetId.ProviderScope, model.Provider), budget.Limit, budget.Period, configuration));
        }

        if (model.MaxBudget is { } limit)
        {
            budgets.Add(Slot(BudgetId.Of(BudgetId.DeploymentScope, model.DeploymentId), limit, model.BudgetDuration, configuration));
        }

        return new Deployment(
            model with { MaxParallelRequests = model.MaxParallelRequests ?? configuration.Router.DefaultMaxParallelRequests },
            providerModel,
            protocol,
            TargetOf(model, providerModel),
            configuration.PriceOf(model, providerModel),
            health.GetOrAdd($"{model.DeploymentId}/{providerModel}{owner}", static _ => new DeploymentHealth()),
            [.. budgets],
            model.Secrets.Any(static secret => secret.Location is not null) ? new LiveTarget(credentials, () => TargetOf(model, providerModel)) : null);
    }

    private ProviderTarget TargetOf(ModelDeployment model, string providerModel) =>
        model.MockResponse is not null ? new ProviderTarget(providerModel, NoAddress, null)
        : model.UsesSampleProvider ? new ProviderTarget(providerModel, sample.BaseAddress(model.Protocol), null, model.ApiVersion)
        {
            HasResponses = ProviderCatalogue.Find(model.Provider)?.HasResponses == true,
            HasBatches = ProviderCatalogue.Find(model.Provider)?.HasBatches == true,
            HasCompletions = ProviderTargets.HasCompletions(model, providerModel),
        }
        : ProviderTargets.Of(model, providerModel, credentials);

    /// <summary>A deployment as it is called with another credential. How that one does is its own matter: its refusals must not stop the others.</summary>
    private Deployment With(Deployment deployment, string name, GatewayConfig configuration)
    {
        // A name that is gone from the configuration must not fall back on the gateway's own credential: its calls are somebody else's.
        var credential = configuration.Credentials.GetValueOrDefault(name) ?? new NamedCredential { Name = name, ApiKey = new Secret(new SecretLocation(SecretStoreKind.File, "", name)) };
        return Make(credential.Of(deployment.Configuration), deployment.ProviderModel, configuration, "/" + name);
    }

    // The order of configurations is the order of their budgets: what was loaded later is newer.
    private BudgetSlot Slot(string id, Money limit, string? period, GatewayConfig configuration) => new(
        new BudgetDefinition { Id = id, Limit = limit, Period = period, TimeZone = configuration.TimeZone, Revision = time.GetUtcNow().ToUnixTimeMilliseconds() },
        leases,
        time);
}

/// <summary>Where the sample provider listens (<c>services:sample-provider:http:0</c>): it answers for providers without a key in Development.</summary>
internal sealed class SampleProviderAddress(IConfiguration configuration)
{
    /// <summary>Its address as the protocol's <c>api_base</c>.</summary>
    public Uri BaseAddress(ProviderProtocol protocol)
    {
        var address = configuration["services:sample-provider:http:0"] ?? throw new InvalidOperationException(
            "services:sample-provider:http:0 is missing: the sample provider answers for providers without a key in Development, and nobody said where it is. AppHost does that by itself.");
        return new Uri(protocol is ProviderProtocol.OpenAi or ProviderProtocol.Mistral or ProviderProtocol.Azure or ProviderProtocol.Voyage ? $"{address.TrimEnd('/')}/v1" : address);
    }
}
