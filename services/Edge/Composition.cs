using Gateway.Edge.Admission;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Admission.Rates;
using Gateway.Edge.Audio;
using Gateway.Edge.Chat;
using Gateway.Edge.Credentials;
using Gateway.Edge.Embeddings;
using Gateway.Edge.Flow;
using Gateway.Edge.Images;
using Gateway.Edge.Metering;
using Gateway.Edge.Moderations;
using Gateway.Edge.Operations;
using Gateway.Edge.Rerank;
using Gateway.Edge.Routing;
using Gateway.ServiceDefaults;

namespace Gateway.Edge;

/// <summary>What the edge is made of, feature by feature.</summary>
internal static class Composition
{
    public static void AddEdgeCore(this WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            // The flow bounds each body by the configuration's own limit and says so in the envelope.
            kestrel.Limits.MaxRequestBodySize = null;
            kestrel.Limits.MaxRequestHeadersTotalSize = 32 * 1024;
            kestrel.AddServerHeader = false;
        });
        builder.Services.AddSingleton<EdgeIdentity>();
        builder.Services.AddSingleton<EdgeMetrics>();
        builder.Services.AddSingleton<EdgeLog>();
        builder.Services.AddHealthChecks().AddCheck<EdgeReadiness>("edge");
    }

    public static void AddAdmission(this IHostApplicationBuilder builder)
    {
        // Auth answers in milliseconds or not at all; the stream of changes has a silence limit of its own.
        builder.Services.AddHttpClient<AuthClient>(http =>
        {
            http.BaseAddress = new Uri("http://auth");
            http.Timeout = TimeSpan.FromSeconds(5);
        }).AddServiceSecret();
        builder.Services.AddHttpClient<LedgerClient>(http =>
        {
            http.BaseAddress = new Uri("http://ledger");
            http.Timeout = TimeSpan.FromSeconds(5);
        }).AddServiceSecret();
        builder.Services.AddSingleton<KeyCache>();
        builder.Services.AddSingleton<Authentication>();
        builder.Services.AddSingleton<ExpectationBook>();
        builder.Services.AddSingleton<LeaseStore>();
        builder.Services.AddOptions<BudgetOptions>().BindConfiguration("Gateway:Budgets").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddHosted<BudgetLeases>();
        builder.Services.AddHosted<DefinedBudgets>();
        builder.Services.AddHosted<AccessChanges>();
        builder.Services.AddRates();
    }

    public static void AddRouting(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<UpstreamClient>();
        builder.Services.AddSingleton<SampleProviderAddress>();
        builder.Services.AddSingleton<CredentialMetrics>();
        builder.Services.AddSingleton<RoutingTables>();
        builder.Services.AddHosted<ConfigurationLoader>();
        // After the configuration, which says what it keeps and how often it looks.
        builder.Services.AddHosted<CredentialKeeper>();
    }

    public static void AddOperations(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<RequestFlow>();
        builder.Services.AddSingleton<ChatOperation>();
        builder.Services.AddSingleton<RequestForwarder>();
        builder.Services.AddSingleton<WholeReply>();
        builder.Services.AddSingleton<StreamedReply>();
        builder.Services.AddSingleton<EmbeddingsOperation>();
        builder.Services.AddSingleton<RerankOperation>();
        builder.Services.AddSingleton<ModerationsOperation>();
        builder.Services.AddSingleton<ImagesOperation>();
        builder.Services.AddSingleton<PassedReply>();
        builder.Services.AddSingleton<SpeechOperation>();
        builder.Services.AddSingleton<TranscriptionOperation>();
        builder.Services.AddSingleton<TranslationOperation>();
        builder.Services.AddSingleton<FreeRoute>();
        builder.Services.AddSingleton<Responses.StoredResponses>();
        builder.Services.AddSingleton<Responses.StoredResponsesRoutes>();
    }

    public static void AddUsageRecords(this IHostApplicationBuilder builder)
    {
        builder.Services.AddOptions<SpoolOptions>().BindConfiguration("Gateway:Spool").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton<Spool>();
        builder.Services.AddSingleton<Settlement>();
        builder.Services.AddHosted<SpoolPublisher>();
    }

    public static void ObserveEdge(this WebApplication app) => app.Services.GetRequiredService<EdgeMetrics>().Observe(
        app.Services.GetRequiredService<Spool>(), app.Services.GetRequiredService<BudgetLeases>(), app.Services.GetRequiredService<RoutingTables>());

    /// <summary>A service that others use and that the host starts and stops.</summary>
    public static void AddHosted<T>(this IServiceCollection services)
        where T : class, IHostedService
    {
        services.AddSingleton<T>();
        services.AddHostedService(static provider => provider.GetRequiredService<T>());
    }
}
