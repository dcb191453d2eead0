using System.Buffers;
using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Chat;

/// <summary>The last frames of a stream that passes as it came: held until the request is recorded. Their usage can be told what it cost.</summary>
internal sealed class HeldFrames
{
    private readonly ArrayBufferWriter<byte> frames = new();
    private int costAt = -1;

    /// <summary>Takes a frame as it came.</summary>
    /// <param name="frame">The frame.</param>
    /// <param name="withCost">Whether it has the usage that is to say the cost; of several, the last one does.</param>
    public void Add(SseEvent frame, bool withCost)
    {
        if (withCost && frame.Raw.IndexOf(frame.Data) is >= 0 and var data && InUsage(frame.Data) is { } inside)
        {
            costAt = frames.WrittenCount + data + inside;
        }

        frames.Write(frame.Raw);
    }

    /// <summary>Writes them, with the cost in dollars as the first field of the usage.</summary>
    public void WriteTo(IBufferWriter<byte> output, Money? cost)
    {
        var all = frames.WrittenSpan;
        if (cost is { } amount && costAt >= 0)
        {
            output.Write(all[..costAt]);
            output.Write(Encoding.UTF8.GetBytes($"\"cost\":{amount.ToDollarText()},"));
            all = all[costAt..];
        }

        output.Write(all);
    }

    /// <summary>
    /// Where the fields of an object <c>usage</c> begin, on the first or the second level; null when there is none with any. Ollama's counts stand
    /// in the line itself.
    /// </summary>
    private static int? InUsage(ReadOnlySpan<byte> data)
    {
        var json = new Utf8JsonReader(data);
        json.Read();
        var first = (int)json.BytesConsumed;
        while (json.Read())
        {
            if (json.TokenType == JsonTokenType.PropertyName && json.CurrentDepth == 1 && json.ValueTextEquals("eval_count"u8))
            {
                return first;
            }

            if (json.TokenType == JsonTokenType.PropertyName && json.CurrentDepth <= 2 && (json.ValueTextEquals("usage"u8) || json.ValueTextEquals("usageMetadata"u8))
                && json.Read() && json.TokenType == JsonTokenType.StartObject)
            {
                var inside = (int)json.BytesConsumed;
                return json.Read() && json.TokenType == JsonTokenType.PropertyName ? inside : null;
            }
        }

        return null;
    }
}
