using System.Net;
using System.Net.Http.Headers;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Flow;

/// <summary>
/// A caller's body with a few places changed, sent without being copied: the model's name, the stream options, fields for the gateway.
/// Everything else goes out byte for byte as it came in.
/// </summary>
internal sealed class SplicedContent : HttpContent
{
    private static readonly MediaTypeHeaderValue Json = new("application/json");

    private readonly ReadOnlyMemory<byte> body;
    private readonly List<Splice> splices;
    private readonly int length;

    /// <param name="body">The caller's body: it must live until the request is sent.</param>
    /// <param name="splices">The changes, in the order of their places, not overlapping: <see cref="Splice.InOrder"/> makes them so.</param>
    /// <exception cref="ArgumentException">They overlap: another length would be announced than is sent, which looks like a provider that is away.</exception>
    public SplicedContent(ReadOnlyMemory<byte> body, List<Splice> splices)
    {
        this.body = body;
        this.splices = splices;
        length = body.Length;
        var end = 0;
        foreach (var splice in splices)
        {
            if (splice.Start < end || splice.End < splice.Start)
            {
                throw new ArgumentException("Changes of a body overlap.", nameof(splices));
            }

            end = splice.End;
            length += splice.Replacement.Length - (splice.End - splice.Start);
        }

        Headers.ContentType = Json;
    }

    /// <summary>How many bytes are sent.</summary>
    public int Length => length;

    /// <summary>The bytes that are sent, where they must be changed further.</summary>
    public byte[] ToArray()
    {
        var bytes = new byte[length];
        var (from, to) = (0, 0);
        foreach (var splice in splices)
        {
            Take(body.Span[from..splice.Start]);
            Take(splice.Replacement.Span);
            from = splice.End;
        }

        Take(body.Span[from..]);
        return bytes;

        void Take(ReadOnlySpan<byte> piece)
        {
            piece.CopyTo(bytes.AsSpan(to));
            to += piece.Length;
        }
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        var position = 0;
        foreach (var splice in splices)
        {
            if (splice.Start > position)
            {
                await stream.WriteAsync(body[position..splice.Start], cancellationToken);
            }

            if (!splice.Replacement.IsEmpty)
            {
                await stream.WriteAsync(splice.Replacement, cancellationToken);
            }

            position = splice.End;
        }

        if (position < body.Length)
        {
            await stream.WriteAsync(body[position..], cancellationToken);
        }
    }

    protected override bool TryComputeLength(out long length)
    {
        length = this.length;
        return true;
    }
}

/// <summary>One change.</summary>
/// <param name="Start">From here …</param>
/// <param name="End">… to here (exclusive) …</param>
/// <param name="Replacement">… this stands instead.</param>
internal readonly record struct Splice(int Start, int End, ReadOnlyMemory<byte> Replacement)
{
    private static readonly byte[] True = "true"u8.ToArray();
    private static readonly byte[] Options = "{\"include_usage\":true}"u8.ToArray();
    private static readonly byte[] IncludeUsage = "\"include_usage\":true"u8.ToArray();
    private static readonly byte[] IncludeUsageBefore = "\"include_usage\":true,"u8.ToArray();
    private static readonly byte[] OptionsProperty = "\"stream_options\":{\"include_usage\":true},"u8.ToArray();
    private static readonly byte[] StreamProperty = "\"stream\":true,"u8.ToArray();

    /// <summary>The changes that a provider of OpenAI's protocol needs.</summary>
    /// <param name="body">The caller's body.</param>
    /// <param name="head">What was read of it.</param>
    /// <param name="modelJson">The provider's name of the model, quoted.</param>
    /// <param name="forceStream">Whether a request that does not stream is streamed upstream all the same.</param>
    /// <param name="takesStreamOptions">Whether the provider knows <c>stream_options</c>.</param>
    /// <param name="mends">What else is said otherwise.</param>
    public static List<Splice> ForOpenAi(
        ReadOnlySpan<byte> body, in RequestHead head, byte[] modelJson, bool forceStream, bool takesStreamOptions = true, IReadOnlyList<Splice>? mends = null)
    {
        var first = head.FirstProperty!.Value;
        var splices = new List<Splice>(4) { head.Model is { } model ? At(body, model, modelJson) : new Splice(first, first, ModelProperty(modelJson)) };
        if (forceStream && !head.Stream)
        {
            splices.Add(head.StreamValue is { } value ? At(body, value, True) : new Splice(first, first, StreamProperty));
        }

        if ((head.Stream || forceStream) && !head.IncludeUsage && takesStreamOptions)
        {
            // Without it a stream reports no usage, and what it cost could only be estimated.
            splices.Add(AskForUsage(body, head, first));
        }

        splices.AddRange(mends ?? []);
        AddGateways(splices, body, head);
        return InOrder(splices);
    }

    /// <summary>
    /// What changes for every provider: fields that are the gateway's own are cut out, and its files are named as the provider does. All that
    /// changes where the model stands in the address.
    /// </summary>
    public static List<Splice> OfGateway(ReadOnlySpan<byte> body, in RequestHead head)
    {
        var splices = new List<Splice>();
        AddGateways(splices, body, head);
        return InOrder(splices);
    }

    private static void AddGateways(List<Splice> splices, ReadOnlySpan<byte> body, in RequestHead head)
    {
        if (head.Cuts is { } cuts)
        {
            foreach (var cut in cuts)
            {
                splices.Add(At(body, cut, default));
            }
        }

        foreach (var signature in SignedPlaces.In(body))
        {
            splices.Add(At(body, signature, default));
        }

        if (head.Files is { } files)
        {
            splices.AddRange(files.Splices);
        }
    }

    /// <summary>A request without what its provider would not understand (<see cref="SignedPlaces"/>): signatures behind the ids of tool calls, and blocks and messages that another provider signed.</summary>
    public static ReadOnlyMemory<byte> WithoutSignatures(ReadOnlyMemory<byte> body) =>
        SignedPlaces.In(body.Span) is { Length: > 0 } signatures ? new SplicedContent(body, InOrder([.. signatures.Select(signature => At(body.Span, signature, default))])).ToArray() : body;

    /// <summary>Orders changes by their places. Of those that overlap the enclosing one is left: what is cut needs no other change.</summary>
    public static List<Splice> InOrder(List<Splice> splices)
    {
        splices.Sort(Compare);
        var (kept, end) = (0, 0);
        for (var at = 0; at < splices.Count; at++)
        {
            var splice = splices[at];
            if (splice.Start >= end)
            {
                splices[kept++] = splice;
                end = splice.End;
            }
        }

        splices.RemoveRange(kept, splices.Count - kept);
        return splices;
    }

    // What is put in stands before what is changed at the same place, and the enclosing change before what lies in it.
    private static int Compare(Splice left, Splice right) =>
        left.Start != right.Start ? left.Start.CompareTo(right.Start)
        : left.End == left.Start || right.End == right.Start ? left.End.CompareTo(right.End)
        : right.End.CompareTo(left.End);

    private static byte[] ModelProperty(byte[] modelJson) => [.. "\"model\":"u8, .. modelJson, (byte)','];

    private static Splice AskForUsage(ReadOnlySpan<byte> body, in RequestHead head, int first)
    {
        if (head.IncludeUsageValue is { } value)
        {
            return At(body, value, True);
        }

        if (head.StreamOptions is not { } options)
        {
            return new Splice(first, first, OptionsProperty);
        }

        var (start, length) = options.GetOffsetAndLength(body.Length);
        // null stands there, or an object: what else it holds stays.
        return body[start] != (byte)'{'
            ? new Splice(start, start + length, Options)
            : new Splice(start + 1, start + 1, head.StreamOptionsHasFields ? IncludeUsageBefore : IncludeUsage);
    }

    private static Splice At(ReadOnlySpan<byte> body, Range range, ReadOnlyMemory<byte> replacement)
    {
        var (start, length) = range.GetOffsetAndLength(body.Length);
        return new Splice(start, start + length, replacement);
    }
}
