using System.Buffers.Text;

namespace Gateway.Contracts;

/// <summary>
/// A record's line as <see cref="UsageRecordWriter"/> lays it out, taken apart into what differs from request to request and two pieces that
/// requests of one caller and model have in common. A line that is laid out in another way cannot be taken apart, and may be a record all the same.
/// </summary>
internal readonly ref struct UsageLine
{
    private static ReadOnlySpan<byte> TokensMember => ",\"tokens\":"u8;

    private readonly Guid requestId;
    private readonly DateTimeOffset startedAt;
    private readonly long duration;
    private readonly long firstByte;
    private readonly TokenUsage tokens;
    private readonly bool estimated;
    private readonly bool unpriced;
    private readonly long cost;

    private UsageLine(ReadOnlySpan<byte> line, out bool taken)
    {
        var cursor = new Cursor(line);
        requestId = cursor.Id("{\"requestId\":\""u8);
        startedAt = cursor.Time("\",\"startedAt\":\""u8);
        cursor.Take("\""u8);
        duration = cursor.Number(",\"durationMicroseconds\":"u8);
        firstByte = cursor.Number(",\"firstByteMicroseconds\":"u8);
        // The record's own tokens, or of an object in it: see TokensAt.
        Circumstances = cursor.Until(TokensMember);
        tokens = TokensOf(ref cursor);
        estimated = cursor.Has(",\"estimated\":true"u8);
        unpriced = cursor.Has(",\"unpriced\":true"u8);
        cost = cursor.Number(",\"cost\":"u8);
        Rest = cursor.Left;
        // No member that differs is hidden in a piece: its neighbours begin where they must.
        taken = cursor.Found && Circumstances.StartsWith(",\"edgeId\":"u8)
            && (Rest.StartsWith(",\"corrects\":"u8) || Rest.StartsWith(",\"writtenOff\":"u8) || Rest.StartsWith(",\"price\":"u8) || Rest.StartsWith(",\"budgetWindows\":"u8));
    }

    /// <summary>The members from <see cref="UsageRecord.EdgeId"/> to <see cref="UsageRecord.Streamed"/>, as they stand there.</summary>
    public ReadOnlySpan<byte> Circumstances { get; }

    /// <summary>Where, counted from the beginning of <see cref="Circumstances"/>, the object begins that was taken for the record's tokens.</summary>
    public int TokensAt => Circumstances.Length + TokensMember.Length;

    /// <summary>The members from <see cref="UsageRecord.Corrects"/> on and the object's end, as they stand there.</summary>
    public ReadOnlySpan<byte> Rest { get; }

    public static bool TryTake(ReadOnlySpan<byte> line, out UsageLine taken)
    {
        taken = new(line, out var whole);
        return whole;
    }

    /// <summary>
    /// This line's record, where <paramref name="alike"/> is the record of a line with the same two pieces, with each member once, in the writer's
    /// order, and with its tokens at <see cref="TokensAt"/>.
    /// </summary>
    public UsageRecord Of(UsageRecord alike) => alike with
    {
        RequestId = requestId,
        StartedAt = startedAt,
        DurationMicroseconds = duration,
        FirstByteMicroseconds = firstByte,
        Tokens = tokens,
        Estimated = estimated,
        Unpriced = unpriced,
        Cost = new(cost),
    };

    private static TokenUsage TokensOf(ref Cursor cursor)
    {
        cursor.Take("{"u8);
        cursor.AtFirstMember = true;
        var tokens = new TokenUsage
        {
            Input = cursor.Number(",\"input\":"u8),
            CachedInput = cursor.Number(",\"cachedInput\":"u8),
            CacheWrite5m = cursor.Number(",\"cacheWrite5m\":"u8),
            CacheWrite1h = cursor.Number(",\"cacheWrite1h\":"u8),
            InputAudio = cursor.Number(",\"inputAudio\":"u8),
            Output = cursor.Number(",\"output\":"u8),
            Reasoning = cursor.Number(",\"reasoning\":"u8),
            OutputAudio = cursor.Number(",\"outputAudio\":"u8),
            Images = cursor.Number(",\"images\":"u8),
        };
        cursor.AtFirstMember = false;
        cursor.Take("}"u8);
        return tokens;
    }

    /// <summary>Goes along a line. What must be there and is not makes <see cref="Found"/> false, and everything after it means nothing.</summary>
    private ref struct Cursor(ReadOnlySpan<byte> line)
    {
        /// <summary>Whether the next member is an object's first: no comma stands before it.</summary>
        public bool AtFirstMember { get; set; }

        public ReadOnlySpan<byte> Left { get; private set; } = line;

        public bool Found { get; private set; } = true;

        public bool Has(ReadOnlySpan<byte> bytes)
        {
            var has = Left.StartsWith(bytes);
            Left = has ? Left[bytes.Length..] : Left;
            return has;
        }

        public void Take(ReadOnlySpan<byte> bytes) => Found &= Has(bytes);

        public ReadOnlySpan<byte> Until(ReadOnlySpan<byte> bytes)
        {
            var length = Left.IndexOf(bytes);
            Found &= length >= 0;
            var before = Left[..Math.Max(length, 0)];
            Left = Found ? Left[(length + bytes.Length)..] : Left;
            return before;
        }

        public Guid Id(ReadOnlySpan<byte> name)
        {
            Take(name);
            Found &= Utf8Parser.TryParse(Left, out Guid id, out var length, 'D');
            Left = Left[length..];
            return id;
        }

        public DateTimeOffset Time(ReadOnlySpan<byte> name)
        {
            // With the offset: one without says that it is this machine's.
            const int Length = 33;
            Take(name);
            Found &= Utf8Parser.TryParse(Left, out DateTimeOffset time, out var length, 'O') && length == Length;
            Left = Left[length..];
            return time;
        }

        /// <summary>Zero where the member is not there. What JSON would not take for a whole number is not found.</summary>
        public long Number(ReadOnlySpan<byte> name)
        {
            if (!Has(AtFirstMember ? name[1..] : name))
            {
                return 0;
            }

            AtFirstMember = false;
            var digits = Left.StartsWith((byte)'-') ? 1 : 0;
            var parsed = Utf8Parser.TryParse(Left, out long number, out var length);
            // No zero at the front: the writer leaves out the only number that has one.
            Found &= parsed && Left[digits] is >= (byte)'1' and <= (byte)'9';
            Left = Left[length..];
            return number;
        }
    }
}
