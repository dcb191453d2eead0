using System.Globalization;
using System.Text;

namespace Gateway.TestKit.Providers;

/// <summary>
/// A scripted reply: a head, and then steps in order. Each step that writes is flushed by itself, so the receiver can see it before the
/// next. A reply does not change: each method returns a longer one, and the same reply may be sent many times.
/// </summary>
public sealed record Reply
{
    private Reply()
    {
    }

    internal int Status { get; private init; } = 200;

    internal IReadOnlyList<(string Name, string Value)> Headers { get; private init; } = [];

    internal Task? HeadGate { get; private init; }

    internal bool IsAborted { get; private init; }

    internal bool DeclaresLength { get; private init; }

    internal IReadOnlyList<ReplyStep> Steps { get; private init; } = [];

    /// <summary>A JSON body with its length.</summary>
    public static Reply Json(int status, string json) => Bytes(status, "application/json", Encoding.UTF8.GetBytes(json));

    /// <summary>A text body with its length.</summary>
    public static Reply Text(int status, string text) => Bytes(status, "text/plain; charset=utf-8", Encoding.UTF8.GetBytes(text));

    /// <summary>Any body with its length.</summary>
    public static Reply Bytes(int status, string contentType, byte[] body) =>
        new() { Status = status, Headers = [("Content-Type", contentType)], DeclaresLength = true, Steps = [new ReplyStep.Write(body)] };

    /// <summary>An empty stream of server-sent events, to which the steps below are added. Its head is sent before its first step.</summary>
    public static Reply Events(int status = 200) => new() { Status = status, Headers = [("Content-Type", "text/event-stream")] };

    /// <summary>A stream whose framing is not that of server-sent events: its bytes are the test's.</summary>
    public static Reply Stream(string contentType) => new() { Headers = [("Content-Type", contentType)] };

    /// <summary>No answer at all: the connection is aborted.</summary>
    public static Reply Aborted() => new() { IsAborted = true };

    /// <summary>One more header. The same name twice sends both.</summary>
    public Reply Header(string name, string value) => this with { Headers = [.. Headers, (name, value)] };

    /// <summary>Nothing is sent, not even the status line, before the test lets it.</summary>
    public Reply WaitBeforeHead(Task gate) => this with { HeadGate = gate };

    /// <summary>An event of one line: <c>data: …</c>.</summary>
    public Reply Data(string data) => Raw($"data: {data}\n\n");

    /// <summary>A named event.</summary>
    public Reply Event(string name, string data) => Raw($"event: {name}\ndata: {data}\n\n");

    /// <summary>The event that ends OpenAI's streams.</summary>
    public Reply Done() => Data("[DONE]");

    /// <summary>Text as it is: half a frame, a broken one, a comment.</summary>
    public Reply Raw(string text) => Raw(Encoding.UTF8.GetBytes(text));

    /// <summary>Bytes as they are: a character cut in two, for example.</summary>
    public Reply Raw(byte[] bytes) => Then(new ReplyStep.Write(bytes));

    /// <summary>Waits for the test.</summary>
    public Reply Wait(Task gate) => Then(new ReplyStep.Wait(gate));

    /// <summary>
    /// The connection is aborted; what was written before arrives. After <see cref="Json"/> and the like, whose length is declared, put
    /// <see cref="Truncated"/> instead: all of the body would have arrived.
    /// </summary>
    public Reply Cut() => Then(new ReplyStep.Cut());

    /// <summary>Nothing more is sent, and the connection stays open until the caller leaves or the provider is disposed.</summary>
    public Reply Hang() => Wait(Task.Delay(Timeout.Infinite));

    /// <summary>The same bytes written in parts of this size, each flushed: the receiver must not rely on whole frames.</summary>
    public Reply InPartsOf(int bytes) => this with
    {
        Steps = [.. Steps.SelectMany(step => step is ReplyStep.Write write
            ? write.Bytes.Chunk(bytes).Select(part => (ReplyStep)new ReplyStep.Write(part))
            : [step])],
    };

    /// <summary>Declares the whole length, sends this many bytes of the body and aborts the connection.</summary>
    public Reply Truncated(int bytes)
    {
        var body = Steps.OfType<ReplyStep.Write>().SelectMany(step => step.Bytes).ToArray();
        return (this with { DeclaresLength = false, Steps = [new ReplyStep.Write(body[..bytes]), new ReplyStep.Cut()] })
            .Header("Content-Length", body.Length.ToString(CultureInfo.InvariantCulture));
    }

    private Reply Then(ReplyStep step) => this with { Steps = [.. Steps, step] };
}

internal abstract record ReplyStep
{
    internal sealed record Write(byte[] Bytes) : ReplyStep;

    internal sealed record Wait(Task Gate) : ReplyStep;

    internal sealed record Cut : ReplyStep;
}
