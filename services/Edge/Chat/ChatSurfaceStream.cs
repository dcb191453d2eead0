using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Providers;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Chat;

/// <summary>One streamed answer in a surface's format, made of the chunks of OpenAI's stream.</summary>
/// <param name="losses">Takes what of the answer cannot be said.</param>
internal abstract class ChatSurfaceStream(ReplyLosses losses) : IDisposable
{
    private readonly SseReader reader = new();

    /// <summary>Takes frames of OpenAI's stream.</summary>
    public void Read(ReadOnlySpan<byte> frames, IBufferWriter<byte> output)
    {
        reader.Append(frames);
        while (reader.TryRead(out var frame))
        {
            if (frame.HasData && frame.Data is [(byte)'{', ..])
            {
                using var chunk = ChatAnswer.Parse(frame.Data, losses);
                Take(chunk.RootElement, output);
            }
        }
    }

    /// <summary>The answer is complete.</summary>
    /// <param name="usage">What it used.</param>
    /// <param name="cost">What it cost, where streams are to say so; else null.</param>
    /// <param name="output">Takes the last events.</param>
    public abstract void End(TokenUsage usage, Money? cost, IBufferWriter<byte> output);

    /// <summary>The answer ends with an error.</summary>
    public abstract void Fail(GatewayError error, IBufferWriter<byte> output);

    public virtual void Dispose() => reader.Dispose();

    /// <summary>Why a choice ended; null while it goes on. Some servers send an empty reason until then.</summary>
    protected static string? FinishReasonOf(JsonElement choice) => choice.Field("finish_reason"u8).Text() is { Length: > 0 } reason ? reason : null;

    /// <summary>Says one chunk.</summary>
    protected abstract void Take(JsonElement chunk, IBufferWriter<byte> output);
}
