using System.Buffers;
using System.Net;
using System.Text.Json;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Flow;

/// <summary>
/// A request for several things to a provider that takes one at a time: a call for each, some at once, whose replies make one. It is one attempt: an error of
/// one is the error of all, and ends the others.
/// </summary>
internal static class SeveralCalls
{
    /// <summary>How many calls a request may make: so many vectors, as Google writes them out, are within the length of a reply (3072 numbers on lines of their own are some 100 KB).</summary>
    public const int Max = 500;

    /// <summary>How many are under way at once.</summary>
    private const int AtOnceMax = 8;

    private const int ReplyBytesMax = 512 * 1024;

    /// <summary>The list, and what a provider's words have around a field of the request.</summary>
    private static readonly JsonDocumentOptions Options = new() { MaxDepth = RequestHead.DepthMax + 8 };

    /// <summary>Whether a translated body is a list of them.</summary>
    public static bool Are(ReadOnlyMemory<byte> body) => body.Span is [(byte)'[', ..];

    /// <summary>The replies in what <see cref="SendAsync"/> gave; of one call, its own.</summary>
    public static JsonElement[] RepliesIn(JsonElement reply) =>
        reply.Field("replies"u8) is { ValueKind: JsonValueKind.Array } several ? [.. several.EnumerateArray()] : [reply];

    /// <summary>Calls, and gives the replies in the order of their bodies as <c>{"replies":[…]}</c>, or the first that is an error.</summary>
    /// <param name="upstream">Sends.</param>
    /// <param name="provider">Signs each call.</param>
    /// <param name="access">The credential.</param>
    /// <param name="request">Address and headers of each.</param>
    /// <param name="bodies">A JSON list of their bodies.</param>
    /// <param name="cancellation">Ends them all.</param>
    /// <exception cref="HttpRequestException">One could not be sent.</exception>
    /// <exception cref="IOException">A reply broke off, or is too long.</exception>
    public static async Task<HttpResponseMessage> SendAsync(
        HttpMessageInvoker upstream, IChatProvider provider, ProviderTarget access, HttpRequestMessage request, ReadOnlyMemory<byte> bodies, CancellationToken cancellation)
    {
        using var list = JsonDocument.Parse(bodies, Options);
        var calls = list.RootElement.EnumerateArray().Select(static one => one.Raw().ToArray()).ToArray();
        var replies = new byte[calls.Length][];
        HttpResponseMessage? refused = null;
        var length = 0L;
        using var ends = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            await Parallel.ForEachAsync(calls.Index(), new ParallelOptions { MaxDegreeOfParallelism = AtOnceMax, CancellationToken = ends.Token }, async (call, stop) =>
            {
                using var one = CopyOf(request, call.Item);
                await provider.SignAsync(access, one, call.Item, stop);
                var reply = await upstream.SendAsync(one, stop);
                if (reply.IsSuccessStatusCode)
                {
                    using (reply)
                    {
                        var read = replies[call.Index] = await ReadAsync(reply.Content, stop);
                        if (Interlocked.Add(ref length, read.Length) > WholeReply.BytesMax)
                        {
                            throw new IOException("The replies of several are too long.");
                        }
                    }
                }
                else if (Interlocked.CompareExchange(ref refused, reply, null) is null)
                {
                    await ends.CancelAsync();
                }
                else
                {
                    reply.Dispose();
                }
            });
        }
        catch (OperationCanceledException) when (refused is not null)
        {
            // The refusal ended them, and whatever they failed of then is this.
        }

        return refused ?? new HttpResponseMessage(HttpStatusCode.OK) { Content = Joined(replies) };
    }

    private static HttpRequestMessage CopyOf(HttpRequestMessage request, byte[] body)
    {
        var copy = new HttpRequestMessage(request.Method, request.RequestUri) { Content = new ByteArrayContent(body) { Headers = { ContentType = new("application/json") } } };
        foreach (var (name, values) in request.Headers.NonValidated)
        {
            copy.Headers.TryAddWithoutValidation(name, values);
        }

        return copy;
    }

    private static async Task<byte[]> ReadAsync(HttpContent content, CancellationToken cancellation)
    {
        await using var stream = await UpstreamClient.OpenAsync(content, cancellation);
        return await stream.ReadAllAsync(ReplyBytesMax, cancellation) ?? throw new IOException("A reply of several is too long.");
    }

    private static ReadOnlyMemoryContent Joined(byte[][] replies)
    {
        var joined = new ArrayBufferWriter<byte>(replies.Sum(static reply => reply.Length + 1) + 16);
        joined.Write("{\"replies\":["u8);
        foreach (var (at, reply) in replies.Index())
        {
            joined.Write(at == 0 ? default : ","u8);
            joined.Write(reply);
        }

        joined.Write("]}"u8);
        return new ReadOnlyMemoryContent(joined.WrittenMemory);
    }
}
