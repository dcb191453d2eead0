using System.Collections.Concurrent;
using System.Net;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Gateway.TestKit.Providers;

/// <summary>
/// A model provider that does what a test says, on a free port of this process. Replies are queued for a path, or chosen by a function;
/// a reply's pauses are gates that the test opens, so no test waits for a clock. Every request is kept as it arrived.
/// <code>
/// await using var provider = await ScriptedProvider.Start();
/// provider.Reply("/v1/chat/completions", Reply.Json(200, """{"id":"chatcmpl-1", …}"""));
/// provider.Reply("/v1/chat/completions", Reply.Events().Data("""{"choices":[…]}""").Wait(gate.Task).Cut());
/// … call the gateway, whose api_base is provider.Url …
/// var request = (await provider.WaitForRequests(1))[0];
/// </code>
/// </summary>
public sealed class ScriptedProvider : IAsyncDisposable
{
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(20);

    private readonly WebApplication app;
    private readonly ConcurrentDictionary<string, ConcurrentQueue<Reply>> queued = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<string, Reply> standing = new(StringComparer.Ordinal);
    private readonly List<ReceivedRequest> received = [];
    private readonly CancellationTokenSource stopping = new();
    private Func<Exchange, Task>? handler;
    private TaskCompletionSource changed = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private ScriptedProvider()
    {
        var builder = WebApplication.CreateEmptyBuilder(new());
        builder.WebHost.UseKestrelCore().ConfigureKestrel(server => server.Listen(IPAddress.Loopback, 0));

        // A flush reaches the socket before it returns; so what stands before a cut arrives.
        builder.WebHost.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(1));
        app = builder.Build();
        app.Run(Answer);
    }

    /// <summary>The address without a path: <c>http://127.0.0.1:41234</c>.</summary>
    public string Url { get; private set; } = "";

    /// <summary>All requests so far, in the order in which their bodies were complete.</summary>
    public IReadOnlyList<ReceivedRequest> Requests
    {
        get
        {
            lock (received)
            {
                return [.. received];
            }
        }
    }

    public static async Task<ScriptedProvider> Start()
    {
        var provider = new ScriptedProvider();
        await provider.app.StartAsync();
        provider.Url = provider.app.Urls.First();
        return provider;
    }

    /// <summary>The reply to the next request of this path that has none yet. Queued replies come before all others.</summary>
    public ScriptedProvider Reply(string path, params ReadOnlySpan<Reply> replies)
    {
        var queue = queued.GetOrAdd(path, _ => new());
        foreach (var reply in replies)
        {
            queue.Enqueue(reply);
        }

        return this;
    }

    /// <summary>The reply to every request of this path for which none is queued.</summary>
    public ScriptedProvider ReplyAlways(string path, Reply reply)
    {
        standing[path] = reply;
        return this;
    }

    /// <summary>Answers what no reply was given for. A test that needs more than a script writes to the exchange itself.</summary>
    public ScriptedProvider OnRequest(Func<Exchange, Task> answer)
    {
        handler = answer;
        return this;
    }

    /// <summary>Waits until at least this many requests have arrived, and fails after 20 seconds with what did arrive.</summary>
    public async Task<IReadOnlyList<ReceivedRequest>> WaitForRequests(int count)
    {
        using var timeout = new CancellationTokenSource(WaitMax);
        while (true)
        {
            // Taken before looking: a request that arrives between the two ends the wait at once.
            var next = Volatile.Read(ref changed).Task;
            var requests = Requests;
            if (requests.Count >= count)
            {
                return requests;
            }

            try
            {
                await next.WaitAsync(timeout.Token);
            }
            catch (OperationCanceledException)
            {
                throw new TimeoutException($"{count} requests were expected and {requests.Count} arrived: "
                    + string.Join(", ", requests.Select(request => $"{request.Method} {request.Path}")));
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        // Replies that hang end here, or the server would wait for them.
        await stopping.CancelAsync();
        await app.DisposeAsync();
        stopping.Dispose();
    }

    private async Task Answer(HttpContext context)
    {
        ReceivedRequest request;
        try
        {
            request = await ReceivedRequest.Read(context.Request);
        }
        catch (Exception gone) when (gone is ConnectionResetException or ConnectionAbortedException or BadHttpRequestException)
        {
            return;
        }

        using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping.Token);
        var exchange = new Exchange(context, request, end.Token);

        // Ends with the reply: what the client does to the connection later is not a cancellation. Nor is a cut, which we do.
        // Registered after the source above, so called before it: the reply would otherwise end first and take this away unfired.
        await using var leaving = context.RequestAborted.Register(exchange.ClientLeft);
        Record(request);
        try
        {
            await (Choose(request.Path) is { } reply ? exchange.Send(reply) : handler?.Invoke(exchange) ?? exchange.Send(Nothing(request)));
        }
        catch (OperationCanceledException) when (end.IsCancellationRequested)
        {
            exchange.Cut();
        }
        finally
        {
            request.Ended();
        }
    }

    private Reply? Choose(string path) =>
        queued.TryGetValue(path, out var queue) && queue.TryDequeue(out var next) ? next : standing.GetValueOrDefault(path);

    // A status that no provider uses, so that a test notices what it forgot.
    private static Reply Nothing(ReceivedRequest request) =>
        Providers.Reply.Text(599, $"ScriptedProvider has no reply for {request.Method} {request.Path}");

    private void Record(ReceivedRequest request)
    {
        lock (received)
        {
            received.Add(request);
        }

        Interlocked.Exchange(ref changed, new(TaskCreationOptions.RunContinuationsAsynchronously)).TrySetResult();
    }
}
