using System.Text;
using System.Text.Json;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Tests.Providers;
using Gateway.TestKit.Providers;

namespace Gateway.Edge.Tests.Flow;

/// <summary>One request to a provider that takes one thing at a time.</summary>
public sealed class SeveralCallsTests
{
    private const int AtOnceMax = 8;

    [Fact]
    public async Task RepliesComeInTheOrderOfTheirBodies_FewCallsAreMadeAtOnce_AndEachIsSigned()
    {
        var (inFlight, most) = (0, 0);
        var full = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        await using var provider = (await ScriptedProvider.Start()).OnRequest(async exchange =>
        {
            var now = Interlocked.Increment(ref inFlight);
            InterlockedMax(ref most, now);
            if (now == AtOnceMax)
            {
                full.TrySetResult();
            }

            // Nobody answers before as many as may be are here: what is beyond them would be, too.
            await full.Task;
            Interlocked.Decrement(ref inFlight);
            await exchange.Send(Reply.Json(200, $$"""{"of":{{exchange.Request.Text}}}"""));
        });

        using var reply = await SendAsync(provider, Enumerable.Range(0, 30));

        using var said = JsonDocument.Parse(await reply.Content.ReadAsByteArrayAsync());
        Assert.Equal(Enumerable.Range(0, 30), said.RootElement.GetProperty("replies").EnumerateArray().Select(static one => one.GetProperty("of").GetProperty("n").GetInt32()));
        Assert.Equal(AtOnceMax, most);
        Assert.Equal(30, provider.Requests.Select(static request => request.Headers["Authorization"]).Distinct().Count());
        Assert.All(provider.Requests, static request => Assert.Equal(("/invoke", "kept"), (request.Path, request.Headers["x-extra"])));
    }

    [Fact]
    public async Task AnErrorOfOne_IsTheErrorOfAll_AndEndsTheOthers()
    {
        var (arrived, left) = (new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously), new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
        await using var provider = (await ScriptedProvider.Start()).OnRequest(async exchange =>
        {
            if (exchange.Request.Text.Contains('3'))
            {
                // What was ended before it was sent would never be seen to end.
                await arrived.Task;
                await exchange.Send(Reply.Json(429, """{"message":"Too many."}"""));
                return;
            }

            exchange.Ended.Register(left.SetResult);
            arrived.SetResult();
            await left.Task;
        });

        using var reply = await SendAsync(provider, [1, 3]).WaitAsync(TimeSpan.FromSeconds(20));

        Assert.Equal((429, """{"message":"Too many."}"""), ((int)reply.StatusCode, await reply.Content.ReadAsStringAsync()));
        await left.Task.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task AReplyThatBreaksOff_IsNoReply()
    {
        await using var provider = (await ScriptedProvider.Start()).OnRequest(static exchange => exchange.Send(
            exchange.Request.Text.Contains('3') ? Reply.Stream("application/json").Raw("{\"a\":"u8.ToArray()).Cut() : Reply.Json(200, "{}")));

        var failure = await Assert.ThrowsAnyAsync<Exception>(() => SendAsync(provider, [1, 2, 3]));

        Assert.True(failure is IOException or HttpRequestException, failure.ToString());
    }

    [Fact]
    public async Task ABodyAsDeepAsARequestMayBe_IsSentAsItIs()
    {
        var depth = RequestHead.DepthMax - 1;
        var body = $$"""{"n":{{new string('[', depth)}}{{new string(']', depth)}}}""";
        await using var provider = (await ScriptedProvider.Start()).OnRequest(static exchange => exchange.Send(Reply.Json(200, "{}")));
        using var http = new HttpMessageInvoker(new SocketsHttpHandler());

        using var reply = await SendAsync(http, provider, Encoding.UTF8.GetBytes($"[{body},{body}]"));

        Assert.Equal([body, body], provider.Requests.Select(static request => request.Text));
    }

    [Fact]
    public async Task ARefusal_IsTheAnswer_WhateverTheOthersFailOf()
    {
        await using var provider = (await ScriptedProvider.Start()).OnRequest(static exchange => exchange.Send(Reply.Json(429, """{"message":"Too many."}""")));
        using var http = new HttpMessageInvoker(new FailingWhenEnded(new SocketsHttpHandler()));

        using var reply = await SendAsync(http, provider, """[{"n":1},{"n":3}]"""u8.ToArray());

        Assert.Equal((429, """{"message":"Too many."}"""), ((int)reply.StatusCode, await reply.Content.ReadAsStringAsync()));
    }

    private static async Task<HttpResponseMessage> SendAsync(ScriptedProvider provider, IEnumerable<int> bodies)
    {
        using var http = new HttpMessageInvoker(new SocketsHttpHandler());
        return await SendAsync(http, provider, JsonSerializer.SerializeToUtf8Bytes(bodies.Select(static n => new { n })));
    }

    private static async Task<HttpResponseMessage> SendAsync(HttpMessageInvoker http, ScriptedProvider provider, byte[] list)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, provider.Url + "/invoke");
        request.Headers.Add("x-extra", "kept");
        var access = new ProviderTarget("m", new Uri(provider.Url), null) { Cloud = new CloudAccess { AccessKeyId = "id", SecretAccessKey = "secret", Region = "r" } };
        Assert.True(SeveralCalls.Are(list));

        // Read before the invoker goes: the reply would go with it.
        var reply = await SeveralCalls.SendAsync(http, ProviderCases.Provider("bedrock"), access, request, list, default);
        await reply.Content.LoadIntoBufferAsync();
        return reply;
    }

    private static void InterlockedMax(ref int most, int now)
    {
        for (var seen = Volatile.Read(ref most); now > seen; seen = Volatile.Read(ref most))
        {
            Interlocked.CompareExchange(ref most, now, seen);
        }
    }

    /// <summary>Sends, but for the call with a 1 in it, which waits until the others have ended it and fails in a way of its own.</summary>
    private sealed class FailingWhenEnded(HttpMessageHandler inner) : DelegatingHandler(inner)
    {
        protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            if ((await request.Content!.ReadAsStringAsync(CancellationToken.None)).Contains('3', StringComparison.Ordinal))
            {
                return await base.SendAsync(request, cancellationToken);
            }

            var ended = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            await using var registration = cancellationToken.Register(ended.SetResult);
            await ended.Task;
            throw new InvalidOperationException("No more.");
        }
    }
}
