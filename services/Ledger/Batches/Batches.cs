using Gateway.Contracts;
using Gateway.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Ledger.Batches;

/// <summary>What edges ask about files and batches: whose they are, where they lie, and which are to be looked at.</summary>
internal static class Batches
{
    /// <summary>The most of a page, one more than OpenAI's so that an edge sees whether there are more.</summary>
    private const int PageMax = 10_001;

    private const int ClaimedMax = 100;

    public static WebApplicationBuilder AddBatches(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<FileTable>();
        builder.Services.AddSingleton<BatchTable>();
        builder.Services.AddSingleton<BatchRetention>();
        builder.Services.AddHostedService(static services => services.GetRequiredService<BatchRetention>());
        builder.Services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, BatchesJson.Default));
        return builder;
    }

    public static WebApplication MapBatches(this WebApplication app)
    {
        var files = app.MapGroup("/internal/files").RequireService();
        files.MapPost("", async (ProviderFile file, FileTable table, CancellationToken cancellation) => TypedResults.Ok(await table.AddAsync(file, cancellation)));
        files.MapGet("", async (string owner, string? purpose, string? after, bool? oldestFirst, int limit, FileTable table, CancellationToken cancellation) =>
            TypedResults.Ok(await table.ListAsync(owner, purpose, after, oldestFirst == true, Math.Clamp(limit, 1, PageMax), cancellation)));
        files.MapGet("/{id}", async (string id, string owner, FileTable table, CancellationToken cancellation) => Found(await table.FindAsync(id, owner, cancellation)));
        files.MapDelete("/{id}", async (string id, string owner, FileTable table, CancellationToken cancellation) =>
            await table.RemoveAsync(id, owner, cancellation) ? (IResult)TypedResults.NoContent() : NotFound());

        var batches = app.MapGroup("/internal/batches").RequireService();
        batches.MapPost("", async (ProviderBatch batch, double lookAfterMilliseconds, BatchTable table, CancellationToken cancellation) =>
        {
            await table.AddAsync(batch, TimeSpan.FromMilliseconds(lookAfterMilliseconds), cancellation);
            return TypedResults.NoContent();
        });
        batches.MapPost("/claim", ClaimAsync);
        batches.MapPost("/{id}", async (string id, BatchChange change, BatchTable table, CancellationToken cancellation) =>
            await table.ChangeAsync(id, change, cancellation) ? (IResult)TypedResults.NoContent() : NotFound());
        batches.MapGet("", async (string owner, string? after, int limit, BatchTable table, CancellationToken cancellation) =>
            TypedResults.Ok(await table.ListAsync(owner, after, Math.Clamp(limit, 1, PageMax), cancellation)));
        batches.MapGet("/{id}", async (string id, string owner, BatchTable table, CancellationToken cancellation) => Found(await table.FindAsync(id, owner, cancellation)));
        batches.MapDelete("/{id}", async (string id, BatchTable table, CancellationToken cancellation) =>
        {
            await table.RemoveAsync(id, cancellation);
            return TypedResults.NoContent();
        });
        return app;
    }

    private static async Task<IResult> ClaimAsync(ClaimBatches claim, BatchTable table, LedgerMetrics metrics, CancellationToken cancellation)
    {
        (var claimed, metrics.Batches) = await table.ClaimAsync(claim with { Most = Math.Clamp(claim.Most, 1, ClaimedMax) }, cancellation);
        return TypedResults.Ok(claimed);
    }

    private static IResult Found<T>(T? found)
        where T : class => found is null ? NotFound() : TypedResults.Ok(found);

    private static JsonHttpResult<ErrorEnvelope> NotFound() => Problems.Result(404, "not_found", "There is none of that id that belongs to this owner.");
}
