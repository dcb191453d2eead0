using System.Buffers;
using System.Text.Json;
using Gateway.Auth.Configuration;
using Gateway.Contracts;
using Gateway.ServiceDefaults;
using Microsoft.AspNetCore.Http.Features;

namespace Gateway.Auth.Access;

/// <summary>What edges ask: whose a key is, and what has changed.</summary>
internal static class AccessRoutes
{
    private const int ReadersMax = 1_000;
    private const int LinesAtOnceMax = 500;
    private static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan CatchUpAtMost = TimeSpan.FromSeconds(2);
    private static int readers;

    public static void MapAccess(this IEndpointRouteBuilder routes)
    {
        var services = routes.MapGroup("/internal").WithTags("Access").RequireService();
        services.MapPost("/keys/resolve", ResolveAsync);
        services.MapGet("/access/changes", ChangesAsync);
    }

    private static async Task<IResult> ResolveAsync(HttpContext context, KeyResolver resolver, AccessStart start)
    {
        ResolveKey? asked;
        try
        {
            asked = await context.Request.ReadFromJsonAsync(ContractsJson.Default.ResolveKey, context.RequestAborted);
        }
        catch (JsonException)
        {
            asked = null;
        }

        if (asked?.Key is not { } key)
        {
            return Problems.Result(422, "invalid_request", "The body must be {\"key\":\"…\"}.", "key");
        }

        // Before the first synchronization a key of config.yaml would be unknown: "not now" is true, "invalid" is not.
        if (!start.IsReady)
        {
            return Unavailable.Result(context);
        }

        return await resolver.ResolveAsync(key, context.RequestAborted) is { } snapshot
            ? TypedResults.Json(snapshot, ContractsJson.Default.AccessSnapshot)
            : Problems.Result(404, "invalid_api_key", "There is no such key.");
    }

    /// <summary>
    /// The stream of changes. It begins with a line at once: <c>Everything</c> when the reader must forget all that it has, else what it missed,
    /// else a heartbeat. It ends when this process cannot see the changes any more; the reader then asks another one.
    /// </summary>
    private static async Task ChangesAsync(
        HttpContext context, ChangeLog log, ChangeFeed feed, AccessStart start, AuthMetrics metrics, IHostApplicationLifetime lifetime, TimeProvider clock, long after = 0)
    {
        if (!start.IsReady || !feed.IsCurrent || Volatile.Read(ref readers) >= ReadersMax)
        {
            await Unavailable.Result(context).ExecuteAsync(context);
            return;
        }

        Interlocked.Increment(ref readers);
        metrics.ReaderConnected();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping);
        try
        {
            context.Response.ContentType = "application/x-ndjson";
            context.Response.Headers.CacheControl = "no-store";
            context.Features.Get<IHttpResponseBodyFeature>()?.DisableBuffering();
            await using var writer = new Utf8JsonWriter(context.Response.BodyWriter);
            var position = after == 0 ? -1 : after;
            await log.CatchUpAsync(position, CatchUpAtMost, clock, stop.Token);
            while (feed.IsCurrent)
            {
                var read = log.ReadAfter(position, LinesAtOnceMax);
                position = read.Changes.Count > 0 ? read.Changes[^1].Sequence : position;
                foreach (var line in read.Changes.Count > 0 ? read.Changes : [new AccessChange(position, AccessChangeKind.Heartbeat, null)])
                {
                    JsonSerializer.Serialize(writer, line, ContractsJson.Default.AccessChange);
                    writer.Flush();
                    writer.Reset();
                    context.Response.BodyWriter.Write("\n"u8);
                }

                await context.Response.BodyWriter.FlushAsync(stop.Token);
                try
                {
                    await log.WaitAsync(position).WaitAsync(HeartbeatEvery, clock, stop.Token);
                }
                catch (TimeoutException)
                {
                    // Nothing changed for a second: the next line is a heartbeat.
                }
            }
        }
        catch (Exception error) when (error is OperationCanceledException or IOException)
        {
            // The edge left, or this process ends: the edge comes back with the last number that it saw.
        }
        finally
        {
            Interlocked.Decrement(ref readers);
            metrics.ReaderLeft();
        }
    }
}
