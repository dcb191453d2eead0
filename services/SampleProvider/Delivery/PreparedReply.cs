using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.Delivery;

/// <summary>A whole reply, rendered once and sent many times: only its ids and its date are written anew into a copy.</summary>
internal sealed record PreparedReply
{
    public required int Status { get; init; }

    public required string ContentType { get; init; }

    public required byte[] Bytes { get; init; }

    /// <summary>Where the frames end; one frame for a reply that does not stream.</summary>
    public required Frame[] Frames { get; init; }

    public required Stamp[] Stamps { get; init; }

    public required bool Streams { get; init; }

    /// <summary>The model asked for, without its script: what the statistics count under.</summary>
    public string Model { get; init; } = "";

    public Script Script { get; init; } = Script.None;

    /// <summary>The files that the request names: it is refused while one of them is not there.</summary>
    public IReadOnlyList<string> Files { get; init; } = [];

    /// <summary>The frame that ends a stream in error, in the provider's own shape.</summary>
    public byte[] ErrorFrame { get; init; } = [];
}

/// <param name="End">Offset behind the frame's last byte.</param>
/// <param name="IsContent">Carries a part of the answer, so scripts count it.</param>
internal readonly record struct Frame(int End, bool IsContent);

/// <summary>A place in the bytes that differs from one sending to the next.</summary>
internal readonly record struct Stamp(int Offset, StampKind Kind);

internal enum StampKind
{
    /// <summary>16 hexadecimal digits.</summary>
    Id,

    /// <summary>12 hexadecimal digits, the last group of a UUID.</summary>
    UuidTail,

    /// <summary>10 digits, Unix seconds.</summary>
    UnixSeconds,
}
