using System.Collections.Concurrent;
using System.IO.Hashing;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.Delivery;

/// <summary>Remembers rendered replies by the hash of the request's body: a body seen before costs a hash and a look-up.</summary>
internal sealed class PreparedReplies
{
    // At either bound everything is forgotten; what is still asked for is rendered again.
    private const int RepliesMax = 4096;
    private const long BytesMax = 64 * 1024 * 1024;
    private const int ReplyBytesMax = 256 * 1024;

    private readonly ConcurrentDictionary<Key, PreparedReply> replies = new();
    private long bytesHeld;

    public PreparedReply Get(Surface surface, ReadOnlySpan<byte> body, Script script)
    {
        var key = new Key(XxHash128.HashToUInt128(body), surface, script);
        return replies.TryGetValue(key, out var reply) ? reply : Render(key, body);
    }

    private PreparedReply Render(Key key, ReadOnlySpan<byte> body)
    {
        var reply = key.Surface.Prepare(body, key.Script);
        if (reply.Bytes.Length <= ReplyBytesMax)
        {
            if (replies.Count >= RepliesMax || Interlocked.Add(ref bytesHeld, reply.Bytes.Length) > BytesMax)
            {
                replies.Clear();
                Interlocked.Exchange(ref bytesHeld, reply.Bytes.Length);
            }

            replies[key] = reply;
        }

        return reply;
    }

    private readonly record struct Key(UInt128 Body, Surface Surface, Script Script)
    {
        // The body's hash is as good as any: the script's twenty fields need no hashing of their own.
        public override int GetHashCode() => Body.GetHashCode();
    }
}
