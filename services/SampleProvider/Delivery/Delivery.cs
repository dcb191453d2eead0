using System.Buffers.Text;
using Microsoft.AspNetCore.Http;

namespace Gateway.SampleProvider.Delivery;

/// <summary>Sends a prepared reply: in one go, or frame by frame as its script says.</summary>
internal static class Delivery
{
    // Odd, so the product is different for each number; the start differs from process to process, so ids do too.
    private const ulong Spread = 0x9E3779B97F4A7C15;
    private static readonly ulong Start = (ulong)TimeProvider.System.GetUtcNow().UtcTicks * Spread;
    private static long sent;

    public static long NextId() => (long)((((ulong)Interlocked.Increment(ref sent)) * Spread) ^ Start);

    /// <summary>The whole reply without a pause. The server flushes it when the request ends.</summary>
    public static void Whole(HttpResponse response, PreparedReply reply, long id)
    {
        Head(response, reply);
        var target = response.BodyWriter.GetSpan(reply.Bytes.Length);
        reply.Bytes.CopyTo(target);
        Stamp(target, reply.Stamps, id, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        response.BodyWriter.Advance(reply.Bytes.Length);
    }

    /// <summary>The reply's bytes with this id and this moment in them.</summary>
    public static byte[] Stamped(PreparedReply reply, long id)
    {
        var bytes = reply.Bytes.ToArray();
        Stamp(bytes, reply.Stamps, id, TimeProvider.System.GetUtcNow().ToUnixTimeSeconds());
        return bytes;
    }

    /// <summary>The reply with the delays and failures of its script. False when the client left before the end.</summary>
    public static async Task<bool> Scripted(HttpContext context, PreparedReply reply, long id, CancellationToken stopping)
    {
        var script = reply.Script;
        var gone = context.RequestAborted;
        try
        {
            if (script.DelayMs > 0)
            {
                await Task.Delay(script.DelayMs, gone);
            }

            var bytes = Stamped(reply, id);
            return reply.Streams && reply.Status < 400
                ? await Frames(context, reply, bytes, stopping)
                : await Body(context, reply, bytes, stopping);
        }
        catch (OperationCanceledException) when (gone.IsCancellationRequested || stopping.IsCancellationRequested)
        {
            return false;
        }
    }

    private static async Task<bool> Frames(HttpContext context, PreparedReply reply, byte[] bytes, CancellationToken stopping)
    {
        var script = reply.Script;
        var gone = context.RequestAborted;
        var response = context.Response;
        var (from, content) = (0, 0);
        foreach (var frame in reply.Frames)
        {
            if (await Breaks(context, script, content, stopping))
            {
                return true;
            }

            if (from == 0)
            {
                Head(response, reply);
            }

            if (content == script.ErrorAfter && frame.IsContent)
            {
                await response.BodyWriter.WriteAsync(reply.ErrorFrame, gone);
                return true;
            }

            if (frame.IsContent && script.ChunkDelayMs > 0)
            {
                await Task.Delay(script.ChunkDelayMs.Value, gone);
            }

            if (content == script.MalformedAfter && frame.IsContent)
            {
                // Half of the frame and an empty line: an event that ended, with a document that did not.
                await response.BodyWriter.WriteAsync(bytes.AsMemory(from, (frame.End - from) / 2), gone);
                await response.BodyWriter.WriteAsync("\n\n"u8.ToArray(), gone);
            }
            else
            {
                await response.BodyWriter.WriteAsync(bytes.AsMemory(from, frame.End - from), gone);
            }

            content += frame.IsContent ? 1 : 0;
            from = frame.End;
            if (gone.IsCancellationRequested)
            {
                return false;
            }
        }

        await Breaks(context, script, content, stopping);
        return true;
    }

    /// <summary>A reply that does not stream is one content frame, which can break in its middle.</summary>
    private static async Task<bool> Body(HttpContext context, PreparedReply reply, byte[] bytes, CancellationToken stopping)
    {
        var script = reply.Script;
        if (reply.Status >= 400)
        {
            Head(context.Response, reply);
            await context.Response.BodyWriter.WriteAsync(bytes, context.RequestAborted);
            return true;
        }

        if (await Breaks(context, script, 0, stopping))
        {
            return true;
        }

        if (script.MalformedAfter is not null)
        {
            bytes = bytes[..(bytes.Length / 2)];
        }

        Head(context.Response, reply);
        context.Response.ContentLength = bytes.Length;
        if (script.CutAfter is not null || script.HangAfter is not null)
        {
            await context.Response.BodyWriter.WriteAsync(bytes.AsMemory(0, bytes.Length / 2), context.RequestAborted);
            await Breaks(context, script, script.CutAfter ?? script.HangAfter!.Value, stopping);
            return true;
        }

        await context.Response.BodyWriter.WriteAsync(bytes, context.RequestAborted);
        return !context.RequestAborted.IsCancellationRequested;
    }

    /// <summary>Whether the script ends the reply here. A hang ends when the client leaves or the process stops.</summary>
    private static async Task<bool> Breaks(HttpContext context, Scripts.Script script, int content, CancellationToken stopping)
    {
        if (content == script.CutAfter)
        {
            context.Abort();
            return true;
        }

        if (content == script.HangAfter)
        {
            using var end = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
            await Task.Delay(Timeout.Infinite, end.Token);
        }

        return false;
    }

    private static void Head(HttpResponse response, PreparedReply reply)
    {
        response.StatusCode = reply.Status;
        response.ContentType = reply.ContentType;
        if (reply.Streams)
        {
            response.Headers.CacheControl = "no-cache";
        }
        else
        {
            response.ContentLength = reply.Bytes.Length;
        }
    }

    private static void Stamp(Span<byte> bytes, Stamp[] stamps, long id, long unixSeconds)
    {
        foreach (var stamp in stamps)
        {
            var place = bytes[stamp.Offset..];
            _ = stamp.Kind switch
            {
                StampKind.Id => Utf8Formatter.TryFormat(id, place, out _, new('x', 16)),
                StampKind.UuidTail => Utf8Formatter.TryFormat(id & 0xFFFF_FFFF_FFFF, place, out _, new('x', 12)),
                _ => Utf8Formatter.TryFormat(unixSeconds, place, out _),
            };
        }
    }
}
