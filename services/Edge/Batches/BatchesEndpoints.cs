using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Files;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Gateway.ServiceDefaults;

namespace Gateway.Edge.Batches;

/// <summary><c>/v1/batches</c>: OpenAI's batches, held to budgets when they are submitted and charged what they cost when they are over.</summary>
internal static class BatchesEndpoints
{
    public static void AddBatches(this IHostApplicationBuilder builder)
    {
        // Ledger answers in milliseconds or not at all.
        builder.Services.AddHttpClient<FileRegistry>(AtLedger).AddServiceSecret();
        builder.Services.AddHttpClient<BatchRegistry>(AtLedger).AddServiceSecret();
        builder.Services.AddOptions<BatchOptions>().BindConfiguration("Gateway:Batches").ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton<BatchLook>();
        builder.Services.AddSingleton<BatchSettlement>();
        builder.Services.AddSingleton<BatchesRoutes>();
        builder.Services.AddHosted<BatchWatch>();

        static void AtLedger(HttpClient http)
        {
            http.BaseAddress = new Uri("http://ledger");
            http.Timeout = TimeSpan.FromSeconds(5);
        }
    }

    public static void MapBatches(this IEndpointRouteBuilder routes)
    {
        var services = routes.ServiceProvider;
        var flow = services.GetRequiredService<RequestFlow>();
        var (files, registry, watch) = (services.GetRequiredService<FileRegistry>(), services.GetRequiredService<BatchRegistry>(), services.GetRequiredService<BatchWatch>());
        var (budgets, settlement, time) = (services.GetRequiredService<DefinedBudgets>(), services.GetRequiredService<Settlement>(), services.GetRequiredService<TimeProvider>());
        var batches = services.GetRequiredService<BatchesRoutes>();
        RequestDelegate create = context => flow.HandleAsync(context, new BatchSubmission(files, registry, watch, budgets, settlement, time));
        RequestDelegate list = batches.ListAsync, find = batches.FindAsync, cancel = batches.CancelAsync;
        foreach (var path in (string[])["/v1/batches", "/batches"])
        {
            routes.MapPost(path, create).WithTags("Batches").WithSummary("Submits a batch: what it may cost is held against every budget, and what it did cost takes its place");
            routes.MapGet(path, list).WithTags("Batches").WithSummary("The batches of the key's team or user");
            routes.MapGet($"{path}/{{id}}", find).WithTags("Batches").WithSummary("One batch");
            routes.MapPost($"{path}/{{id}}/cancel", cancel).WithTags("Batches").WithSummary("Cancels a batch: what was done until then is charged");
        }
    }
}
