namespace Gateway.SampleProvider.Scripts;

/// <summary>How the provider misbehaves, or what it answers, for one request. Everything absent is the ordinary answer.</summary>
internal sealed record Script
{
    public static readonly Script None = new();

    /// <summary>An error of this status (400 to 599) in the provider's own shape instead of an answer.</summary>
    public int? Status { get; init; }

    /// <summary>The value of <c>retry-after</c> beside <see cref="Status"/>.</summary>
    public string? RetryAfter { get; init; }

    /// <summary>Milliseconds before the first byte.</summary>
    public int DelayMs { get; init; }

    /// <summary>Milliseconds before each content frame. Given at all, even as 0, each frame is written to the socket by itself.</summary>
    public int? ChunkDelayMs { get; init; }

    /// <summary>Number of content frames of a stream.</summary>
    public int? Chunks { get; init; }

    /// <summary>Exact length of the answer's text in tokens.</summary>
    public int? Tokens { get; init; }

    /// <summary>The connection is aborted after this many content frames; at 0 before the first byte.</summary>
    public int? CutAfter { get; init; }

    /// <summary>Nothing more is sent after this many content frames, and the connection stays open; at 0 not even the status line.</summary>
    public int? HangAfter { get; init; }

    /// <summary>The frame after this many content frames is half a frame; the stream goes on behind it.</summary>
    public int? MalformedAfter { get; init; }

    /// <summary>After this many content frames the stream ends with an error frame in the provider's own shape.</summary>
    public int? ErrorAfter { get; init; }

    public UsageReport Usage { get; init; }

    /// <summary>The answer's text, word for word.</summary>
    public string? Reply { get; init; }

    /// <summary>How many of the input tokens are reported as read from a cache.</summary>
    public int CachedTokens { get; init; }

    /// <summary>How many of the input tokens are reported as written to a cache (Anthropic only).</summary>
    public int CacheWriteTokens { get; init; }

    /// <summary>Reasoning tokens reported on top of the answer's own.</summary>
    public int ReasoningTokens { get; init; }

    /// <summary>Whether the reply can be written in one go.</summary>
    public bool IsPlainDelivery =>
        DelayMs == 0 && ChunkDelayMs is null && CutAfter is null && HangAfter is null && MalformedAfter is null && ErrorAfter is null;
}

/// <summary>What a reply says about its usage.</summary>
internal enum UsageReport
{
    /// <summary>The true counts.</summary>
    True,

    /// <summary>Nothing at all.</summary>
    Absent,

    /// <summary>All counts 0.</summary>
    Zero,

    /// <summary>Each count twice as large as it is.</summary>
    Double,

    /// <summary>The true counts, and a stream carries them in two frames.</summary>
    Twice,
}
