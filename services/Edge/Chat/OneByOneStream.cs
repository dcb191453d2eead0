using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Chat;

/// <summary>
/// A surface whose answers have one block open at a time: texts and calls of tools that open, grow and close one after the other. OpenAI's pieces of
/// several calls may come mixed: a call stays open until its arguments are a whole object or the answer ends, and what belongs behind it waits.
/// </summary>
/// <param name="madeIds">What the ids begin with that are made for calls without one.</param>
/// <param name="losses">Takes what of the answer cannot be said.</param>
internal abstract class OneByOneStream(string madeIds, ReplyLosses losses) : ChatSurfaceStream(losses)
{
    private readonly StreamedCalls calls = new(madeIds);
    private readonly Queue<(JsonElement Delta, StreamedCall? Call)> waiting = [];
    private StreamedCall? open;
    private string? reason;
    private bool started;

    /// <summary>Why the answer ended; null while nobody has said it.</summary>
    protected string? FinishReason => ChatAnswer.FinishReason(reason, calls.All.Count > 0);

    public sealed override void End(TokenUsage usage, Money? cost, IBufferWriter<byte> output)
    {
        StartOnce(output);
        while (waiting.Count > 0)
        {
            SayNext(output);
        }

        CloseOpenCall(output);
        Finish(usage, cost, output);
    }

    protected sealed override void Take(JsonElement chunk, IBufferWriter<byte> output)
    {
        StartOnce(output);
        var choice = chunk.Field("choices"u8).Items().FirstOrDefault();
        var delta = choice.Field("delta"u8);
        if (HasText(delta))
        {
            if (open is { IsWhole: false })
            {
                waiting.Enqueue((delta.Clone(), null));
            }
            else
            {
                CloseOpenCall(output);
                Say(delta, output);
            }
        }

        foreach (var piece in delta.Field("tool_calls"u8).Items())
        {
            TakePiece(piece, output);
        }

        reason = FinishReasonOf(choice) ?? reason;
    }

    /// <summary>Begins the answer.</summary>
    protected abstract void Start(IBufferWriter<byte> output);

    /// <summary>Says what a delta has besides calls: text, thoughts, a refusal.</summary>
    protected abstract void Say(JsonElement delta, IBufferWriter<byte> output);

    /// <summary>Closes the text that is open, if one is, and opens a call.</summary>
    protected abstract void OpenCall(StreamedCall call, IBufferWriter<byte> output);

    /// <summary>Says more of an open call's arguments.</summary>
    protected abstract void GrowCall(StreamedCall call, string arguments, IBufferWriter<byte> output);

    /// <summary>Closes a call.</summary>
    protected abstract void CloseCall(StreamedCall call, IBufferWriter<byte> output);

    /// <summary>Closes the text that is open, if one is, and ends the answer.</summary>
    protected abstract void Finish(TokenUsage usage, Money? cost, IBufferWriter<byte> output);

    private static bool HasText(JsonElement delta) =>
        ChatAnswer.HasText(delta) || delta.Field("thinking_blocks"u8).Items().Any() || TextSignature.In(delta) is not null;

    private void StartOnce(IBufferWriter<byte> output)
    {
        if (!started)
        {
            started = true;
            Start(output);
        }
    }

    private void TakePiece(JsonElement piece, IBufferWriter<byte> output)
    {
        var call = calls.Take(piece, out var begins, out var arguments);
        if (begins)
        {
            waiting.Enqueue((default, call));
        }
        else if (call == open && arguments.Length > 0)
        {
            GrowCall(call, arguments, output);
        }

        while (waiting.Count > 0 && open is not { IsWhole: false })
        {
            SayNext(output);
        }
    }

    private void SayNext(IBufferWriter<byte> output)
    {
        CloseOpenCall(output);
        var (delta, call) = waiting.Dequeue();
        if (call is null)
        {
            Say(delta, output);
            return;
        }

        open = call;
        OpenCall(call, output);
        if (call.Arguments.Length > 0)
        {
            GrowCall(call, call.Arguments.ToString(), output);
        }
    }

    private void CloseOpenCall(IBufferWriter<byte> output)
    {
        if (open is { } call)
        {
            open = null;
            CloseCall(call, output);
        }
    }
}
