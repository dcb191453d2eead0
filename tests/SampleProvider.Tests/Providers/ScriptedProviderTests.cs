using System.Net;
using System.Text;
using Gateway.TestKit.Providers;

namespace Gateway.SampleProvider.Tests.Providers;

/// <summary>The other tests believe the scripted provider; these are about whether it can be believed.</summary>
public sealed class ScriptedProviderTests : IAsyncLifetime
{
    private readonly HttpClient client = new() { Timeout = TimeSpan.FromSeconds(20) };
    private ScriptedProvider provider = null!;

    public async Task InitializeAsync()
    {
        provider = await ScriptedProvider.Start();
        client.BaseAddress = new(provider.Url);
    }

    public async Task DisposeAsync()
    {
        client.Dispose();
        await provider.DisposeAsync();
    }

    [Fact]
    public async Task Queued_replies_come_in_order_then_the_standing_one()
    {
        provider.Reply("/a", Reply.Json(200, "1"), Reply.Json(503, "2").Header("retry-after", "3")).ReplyAlways("/a", Reply.Text(200, "3"));

        Assert.Equal("1", await client.GetStringAsync("/a"));
        using var second = await client.GetAsync("/a");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, second.StatusCode);
        Assert.Equal("3", second.Headers.GetValues("retry-after").Single());
        Assert.Equal("3", await client.GetStringAsync("/a"));
        Assert.Equal("3", await client.GetStringAsync("/a"));
    }

    [Fact]
    public async Task What_nobody_scripted_is_answered_so_that_it_is_noticed()
    {
        using var response = await client.GetAsync("/forgotten");

        Assert.Equal(599, (int)response.StatusCode);
    }

    [Fact]
    public async Task A_request_is_kept_byte_for_byte()
    {
        provider.ReplyAlways("/a", Reply.Json(200, "{}"));
        byte[] body = [0x7B, 0x00, 0xFF, 0x7D];
        using var content = new ByteArrayContent(body) { Headers = { { "X-Thing", "y" } } };
        using var response = await client.PostAsync("/a?b=c", content);
        var request = Assert.Single(await provider.WaitForRequests(1));

        Assert.Equal("POST", request.Method);
        Assert.Equal("/a", request.Path);
        Assert.Equal("?b=c", request.Query);
        Assert.Equal("y", request.Headers["x-thing"]);
        Assert.Equal(body, request.Body);
        await request.Finished;
        Assert.False(request.IsCancelled);
    }

    [Fact]
    public async Task A_gate_holds_the_rest_of_a_stream_back_until_the_test_opens_it()
    {
        var gate = new TaskCompletionSource();
        provider.Reply("/s", Reply.Events().Data("one").Wait(gate.Task).Event("end", "two").Done());
        using var response = await client.GetAsync("/s", HttpCompletionOption.ResponseHeadersRead);
        using var reader = new StreamReader(await response.Content.ReadAsStreamAsync());

        Assert.Equal("data: one", await reader.ReadLineAsync());
        await reader.ReadLineAsync();
        var next = reader.ReadLineAsync();
        Assert.False(next.IsCompleted);
        gate.SetResult();
        Assert.Equal("event: end", await next);
        Assert.Equal("data: two\n\ndata: [DONE]\n\n", await reader.ReadToEndAsync());
    }

    [Fact]
    public async Task A_cut_lets_what_was_written_arrive_every_time()
    {
        provider.ReplyAlways("/s", Reply.Events().Data("one").Data("two").Cut());
        for (var round = 0; round < 50; round++)
        {
            using var response = await client.GetAsync("/s", HttpCompletionOption.ResponseHeadersRead);
            using var stream = await response.Content.ReadAsStreamAsync();
            using var arrived = new MemoryStream();
            var end = await Record.ExceptionAsync(() => stream.CopyToAsync(arrived));

            Assert.True(end is HttpRequestException or IOException, end?.ToString() ?? "the stream ended as if it were whole");
            Assert.Equal("data: one\n\ndata: two\n\n", Encoding.UTF8.GetString(arrived.ToArray()));
        }

        var requests = await provider.WaitForRequests(50);
        await Task.WhenAll(requests.Select(request => request.Finished));
        Assert.DoesNotContain(requests, request => request.IsCancelled);
    }

    [Fact]
    public async Task An_abort_or_a_truncated_body_fails_at_the_client()
    {
        provider.Reply("/a", Reply.Aborted(), Reply.Json(200, "{\"a\":1}").Truncated(3));

        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("/a"));
        await Assert.ThrowsAsync<HttpRequestException>(() => client.GetAsync("/a"));
    }

    [Fact]
    public async Task A_hang_ends_when_the_client_leaves_and_the_request_says_so()
    {
        provider.Reply("/s", Reply.Events().Data("one").Hang());
        using (var leave = new CancellationTokenSource())
        {
            using var response = await client.GetAsync("/s", HttpCompletionOption.ResponseHeadersRead);
            var reading = response.Content.ReadAsStringAsync(leave.Token);
            Assert.False((await provider.WaitForRequests(1))[0].IsCancelled);
            await leave.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => reading);
        }

        var request = (await provider.WaitForRequests(1))[0];
        await request.Cancelled.WaitAsync(TimeSpan.FromSeconds(20));
        await request.Finished.WaitAsync(TimeSpan.FromSeconds(20));
    }

    [Fact]
    public async Task Nothing_comes_before_the_gate_of_the_head_opens()
    {
        var gate = new TaskCompletionSource();
        provider.Reply("/a", Reply.Json(200, "1").WaitBeforeHead(gate.Task));
        var response = client.GetStringAsync("/a");
        await provider.WaitForRequests(1);

        Assert.False(response.IsCompleted);
        gate.SetResult();
        Assert.Equal("1", await response);
    }

    [Fact]
    public async Task A_function_answers_what_no_reply_was_given_for()
    {
        provider.OnRequest(exchange => exchange.Send(Reply.Text(200, exchange.Request.Text + "!")));
        using var content = new StringContent("hé");
        using var response = await client.PostAsync("/any", content);

        Assert.Equal("hé!", await response.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Bytes_in_parts_arrive_whole()
    {
        provider.Reply("/s", Reply.Events().Data("hé").Done().InPartsOf(1));

        Assert.Equal("data: hé\n\ndata: [DONE]\n\n", await client.GetStringAsync("/s"));
    }
}
