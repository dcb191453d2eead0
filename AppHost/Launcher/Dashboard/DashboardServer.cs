using System.Text.Json;
using Aspire.Hosting.ApplicationModel;
using Gateway.Launcher.Running;
using Gateway.Launcher.Servers;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Gateway.Launcher.Dashboard;

/// <summary>The page that shows what runs, on a port of its own, for this machine only.</summary>
internal sealed class DashboardServer : IAsyncDisposable
{
    private const int FirstPort = 15_888;
    private const int PortsTried = 100;

    private static readonly JsonSerializerOptions s_json = new(JsonSerializerDefaults.Web);
    private static readonly TimeSpan s_rhythm = TimeSpan.FromSeconds(1);

    private readonly WebApplication _app;

    private DashboardServer(WebApplication app, int port)
    {
        _app = app;
        Url = $"http://localhost:{port}";
    }

    public string Url { get; }

    public static async Task<DashboardServer> StartAsync(
        int? port, Cluster cluster, IEnumerable<IResource> resources, LogHub log, CancellationToken cancellation)
    {
        var view = new ClusterView(cluster, [.. resources]);
        for (var candidate = port ?? FirstPort; ; candidate++)
        {
            if (FreePort.IsFree(candidate) && await TryStartAsync(candidate, view, log, cancellation) is { } started)
            {
                return started;
            }

            if (port is not null)
            {
                throw new LaunchException($"Port {port} of the dashboard is in use by another program. Stop that program, or choose another port with --dashboard-port N.");
            }

            if (candidate >= FirstPort + PortsTried)
            {
                throw new LaunchException($"No port between {FirstPort} and {candidate} is free for the dashboard. Choose one with --dashboard-port N.");
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(1));
        await _app.StopAsync(limit.Token);
        await _app.DisposeAsync();
    }

    private static async Task<DashboardServer?> TryStartAsync(int port, ClusterView view, LogHub log, CancellationToken cancellation)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.ListenLocalhost(port));
        // The host's own reaction to Ctrl-C would end the page before the cluster has stopped.
        builder.Services.AddSingleton<IHostLifetime, NoLifetime>();
        var app = builder.Build();
        app.Use(RefuseOtherNamesAsync);
        app.MapGet("/", () => Results.Text(Page(), "text/html; charset=utf-8"));
        app.MapGet("/api/resources", () => Results.Json(view.Now(), s_json));
        app.MapGet("/api/events", (HttpContext context) => EventsAsync(context, view, log, app.Lifetime.ApplicationStopping));
        try
        {
            await app.StartAsync(cancellation);
            return new DashboardServer(app, port);
        }
        catch (IOException)
        {
            // Taken between the look and the bind.
            await app.DisposeAsync();
            return null;
        }
    }

    /// <summary>A page elsewhere could make a name of its own point here and read the logs through the visitor's browser.</summary>
    private static Task RefuseOtherNamesAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.Headers.ContentSecurityPolicy = "default-src 'self' 'unsafe-inline'; frame-ancestors 'none'";
        if (context.Request.Host.Host is "localhost" or "127.0.0.1" or "[::1]")
        {
            return next(context);
        }

        context.Response.StatusCode = StatusCodes.Status403Forbidden;
        return Task.CompletedTask;
    }

    /// <summary>Two kinds of events: "resources" (the whole table, when it changed) and "log" (one line).</summary>
    private static async Task EventsAsync(HttpContext context, ClusterView view, LogHub log, CancellationToken stopping)
    {
        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        using var oneAtATime = new SemaphoreSlim(1);
        context.Response.ContentType = "text/event-stream";
        context.Response.Headers.CacheControl = "no-store";
        var after = long.TryParse(context.Request.Headers["Last-Event-ID"].FirstOrDefault(), out var seen) ? seen : 0;
        try
        {
            await Task.WhenAll(SendResourcesAsync(), SendLogAsync());
        }
        catch (Exception e) when (e is OperationCanceledException or IOException)
        {
            // The reader left, or we stop.
        }

        async Task SendResourcesAsync()
        {
            var last = "";
            while (true)
            {
                var now = JsonSerializer.Serialize(view.Now(), s_json);
                if (now != last)
                {
                    await SendAsync($"event: resources\ndata: {now}\n\n");
                    last = now;
                }

                await Task.Delay(s_rhythm, end.Token);
            }
        }

        async Task SendLogAsync()
        {
            await foreach (var entry in log.ReadAsync(after, end.Token))
            {
                await SendAsync($"event: log\nid: {entry.Number}\ndata: {JsonSerializer.Serialize(entry, s_json)}\n\n");
            }
        }

        async Task SendAsync(string text)
        {
            await oneAtATime.WaitAsync(end.Token);
            try
            {
                await context.Response.WriteAsync(text, end.Token);
                await context.Response.Body.FlushAsync(end.Token);
            }
            finally
            {
                oneAtATime.Release();
            }
        }
    }

    private static string Page()
    {
        using var stream = typeof(DashboardServer).Assembly.GetManifestResourceStream("dashboard.html")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    private sealed class NoLifetime : IHostLifetime
    {
        public Task WaitForStartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    }
}
