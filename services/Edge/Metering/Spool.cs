using System.Buffers;
using System.Collections.Concurrent;
using System.Runtime.InteropServices;
using Gateway.Contracts;
using Microsoft.Extensions.Options;

namespace Gateway.Edge.Metering;

/// <summary>
/// Where a request's usage record is safe: written to a local file before the request's last byte leaves, so that a killed process loses
/// nothing. <see cref="SpoolPublisher"/> sends the records on and deletes what the broker confirmed.
/// </summary>
internal sealed class Spool : IDisposable
{
    /// <summary>Several files, each with its own lock: requests on different cores do not wait for each other.</summary>
    private readonly Stripe[] stripes;

    /// <summary>Records of requests that were under way when the disk began to refuse: as many as there were requests.</summary>
    private readonly ConcurrentQueue<byte[]> unwritten = new();

    /// <summary>What is on its way to the broker: kept, because arrays of this size are dear to collect.</summary>
    private readonly ArrayBufferWriter<byte> collected = new(64 * 1024);

    private readonly SpoolOptions options;
    private readonly EdgeIdentity identity;
    private readonly EdgeLog log;
    private readonly TimeProvider time;
    private readonly SpoolFolder own;
    private readonly List<SpoolFolder> folders;
    private readonly AbandonedSpools abandoned;
    private readonly string folder;
    private long bytes;
    private long appended;
    private long published;
    private long recovered;
    private long oldestAt;
    private long diskFailures;
    private volatile bool failing;

    public Spool(IOptions<SpoolOptions> options, EdgeIdentity identity, EdgeLog log, TimeProvider time)
    {
        this.time = time;
        this.options = options.Value;
        this.identity = identity;
        this.log = log;
        own = SpoolFolder.Claim(identity.DataDirectory, log);
        folders = [own];
        abandoned = new(identity.DataDirectory, own, log, time);
        bytes = own.Segments.Sum(static segment => segment.Tail);
        folder = Path.Combine(own.Path, identity.EdgeId);
        Directory.CreateDirectory(folder);
        stripes = [.. Enumerable.Range(0, Math.Clamp(Environment.ProcessorCount, 1, 8)).Select(index => new Stripe(this, index))];
    }

    /// <summary>The folders that this process holds: its own, and those that it took over (<see cref="Adopt"/>).</summary>
    public IReadOnlyList<SpoolFolder> Folders => folders;

    /// <summary>Signalled when there may be something to publish.</summary>
    public SemaphoreSlim Written { get; } = new(0, 1);

    /// <summary>Bytes on disk.</summary>
    public long Bytes => Volatile.Read(ref bytes);

    /// <summary>Records of this process that the broker has not confirmed.</summary>
    public long Pending => Volatile.Read(ref appended) - Volatile.Read(ref published);

    /// <summary>All records here that the broker has not confirmed, those of earlier processes too, as far as <see cref="Collect"/> has seen them.</summary>
    public long Records => Pending + Volatile.Read(ref recovered);

    /// <summary>How long ago the request ended of the oldest record that is not confirmed, in seconds, as <see cref="Collect"/> saw last; 0 for none.</summary>
    public double OldestSeconds => Volatile.Read(ref oldestAt) is > 0 and var since ? Math.Max(0, time.GetUtcNow().ToUnixTimeMilliseconds() - since) / 1000.0 : 0;

    /// <summary>How often the disk refused.</summary>
    public long DiskFailures => Volatile.Read(ref diskFailures);

    /// <summary>Whether the bound is reached or the disk refuses: no new request may be served.</summary>
    public bool Full => failing || Bytes >= options.BytesMax;

    /// <summary>Writes one record. When it returns, the record survives the process.</summary>
    /// <exception cref="IOException">The disk refuses: the answer must not be completed, and the edge refuses further requests.</exception>
    public void Append(UsageRecord record)
    {
        var frame = FrameBuffer.Write(record);
        try
        {
            stripes[Thread.GetCurrentProcessorId() % stripes.Length].Append(frame);
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            // Kept, and written as soon as the disk takes it again; the answer is not completed, and new requests are refused until then.
            unwritten.Enqueue(frame.ToArray());
            failing = true;
            Interlocked.Increment(ref diskFailures);
            log.SpoolWriteFailed(error);
            throw error as IOException ?? new IOException("The spool could not be written.", error);
        }

        Interlocked.Add(ref bytes, frame.Length);
        Interlocked.Increment(ref appended);
        Signal();
    }

    /// <summary>Wakes the publisher.</summary>
    public void Signal()
    {
        try
        {
            if (Written.CurrentCount == 0)
            {
                Written.Release();
            }
        }
        catch (SemaphoreFullException)
        {
            // Somebody else woke it.
        }
    }

    /// <summary>
    /// Writes what the disk refused before, and brings everything written to the disk itself. When it refuses, new requests are refused until a
    /// later call succeeds.
    /// </summary>
    public void Flush()
    {
        try
        {
            while (unwritten.TryPeek(out var frame))
            {
                stripes[0].Append(frame);
                unwritten.TryDequeue(out _);
                Interlocked.Add(ref bytes, frame.Length);
                Interlocked.Increment(ref appended);
                Signal();
            }

            foreach (var stripe in stripes)
            {
                stripe.Flush();
            }

            // A record that was refused meanwhile stands in the line before it says so: see Append.
            failing = false;
            failing = !unwritten.IsEmpty;
        }
        catch (Exception error) when (error is IOException or UnauthorizedAccessException)
        {
            Interlocked.Increment(ref diskFailures);
            if (!failing)
            {
                log.SpoolFlushFailed(error);
            }

            failing = true;
        }
    }

    /// <summary>
    /// Waits until a message is full, or records have gathered for <see cref="SpoolOptions.Linger"/>. Many full messages at once would keep every
    /// core of their receivers busy together. What earlier processes left waits for nothing: until it is sent, what they held of budgets is not free.
    /// </summary>
    public async Task GatherAsync(CancellationToken cancellation)
    {
        var since = time.GetTimestamp();
        while (Volatile.Read(ref recovered) == 0 && Pending < options.BatchRecordsMax && options.Linger - time.GetElapsedTime(since) is var left && left > TimeSpan.Zero)
        {
            await Task.Delay(left < options.FlushInterval ? left : options.FlushInterval, time, cancellation);
        }
    }

    /// <summary>Collects up to a message full of records. One batch at a time: the next one takes its place.</summary>
    public SpoolBatch Collect()
    {
        collected.ResetWrittenCount();
        var batch = new SpoolBatch(collected);
        var oldest = long.MaxValue;
        foreach (var segment in folders.SelectMany(static folder => folder.Segments))
        {
            segment.CountRecords();
            oldest = Math.Min(oldest, segment.OldestAt() ?? oldest);
            batch.Take(segment, options.BatchRecordsMax);
        }

        CountRecovered();
        foreach (var stripe in stripes)
        {
            var segments = stripe.Segments();
            oldest = Math.Min(oldest, Array.Find(segments, static segment => segment.Published < segment.Tail)?.OldestAt() ?? oldest);
            foreach (var segment in segments)
            {
                batch.Take(segment, options.BatchRecordsMax);
            }
        }

        Volatile.Write(ref oldestAt, oldest == long.MaxValue ? 0 : oldest);
        return batch;
    }

    /// <summary>Forgets what the broker confirmed; files that are done are deleted.</summary>
    public void Confirm(SpoolBatch batch)
    {
        foreach (var (segment, end, records) in batch.Parts)
        {
            segment.MarkPublished(end, records);
            if (folders.Find(folder => folder.Segments.Contains(segment)) is { } of)
            {
                if (segment.Published >= segment.Tail)
                {
                    Interlocked.Add(ref bytes, of == own ? -segment.Tail : 0);
                    of.Segments.Remove(segment);
                    segment.Delete();
                }
            }
            else
            {
                Interlocked.Add(ref published, records);
            }
        }

        CountRecovered();
        foreach (var stripe in stripes)
        {
            Interlocked.Add(ref bytes, -stripe.DeletePublished());
        }
    }

    /// <summary>
    /// Takes over what replicas left that were never started again, and lets go of what nothing is left in. A living process holds its folder.
    /// What is taken over does not count towards this edge's bound: it must not refuse its own callers for it.
    /// </summary>
    /// <returns>The folders that were taken now.</returns>
    public IReadOnlyList<SpoolFolder> Adopt()
    {
        foreach (var done in folders.FindAll(folder => folder != own && folder.Segments.Count == 0 && !abandoned.HasMore(folder)))
        {
            folders.Remove(done);
            done.Dispose();
        }

        var taken = abandoned.Take();
        folders.AddRange(taken);
        return taken;
    }

    private void CountRecovered() => Volatile.Write(ref recovered, folders.Sum(static folder => folder.Segments.Sum(static segment => segment.Records)));

    /// <summary>For tests of a killed process: the lock goes, everything else stays as it is.</summary>
    internal void ReleaseLockAsADeadProcessWould() => own.ReleaseLockAsADeadProcessWould();

    public void Dispose()
    {
        foreach (var stripe in stripes)
        {
            stripe.Dispose();
        }

        // Nothing left to send: the next start has nothing to recover.
        if (Pending == 0 && Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        foreach (var held in folders)
        {
            held.Dispose();
        }

        Written.Dispose();
    }

    private sealed class Stripe(Spool spool, int index) : IDisposable
    {
        private readonly Lock gate = new();
        private readonly List<SpoolSegment> segments = [];
        private int made;

        public void Append(ReadOnlySpan<byte> frame)
        {
            lock (gate)
            {
                if (segments.Count == 0 || segments[^1].Tail + frame.Length > spool.options.SegmentBytes)
                {
                    if (segments.Count > 0)
                    {
                        segments[^1].Seal();
                    }

                    segments.Add(SpoolSegment.Create(Path.Combine(spool.folder, $"{index}-{made++:D6}.seg")));
                }

                segments[^1].Append(frame);
            }
        }

        public SpoolSegment[] Segments()
        {
            lock (gate)
            {
                return [.. segments];
            }
        }

        public void Flush()
        {
            foreach (var segment in Segments())
            {
                segment.Flush();
            }
        }

        public long DeletePublished()
        {
            long deleted = 0;
            lock (gate)
            {
                foreach (var segment in segments.Where(segment => segment.Sealed && segment.Published >= segment.Tail).ToArray())
                {
                    deleted += segment.Tail;
                    segments.Remove(segment);
                    segment.Delete();
                }
            }

            return deleted;
        }

        public void Dispose()
        {
            foreach (var segment in Segments())
            {
                segment.Flush();
                segment.Dispose();
            }
        }
    }

    /// <summary>A thread's buffer for one frame: header and JSON.</summary>
    private static class FrameBuffer
    {
        [ThreadStatic]
        private static ArrayBufferWriter<byte>? forThread;

        public static ReadOnlySpan<byte> Write(UsageRecord record)
        {
            var buffer = forThread ??= new(4096);
            buffer.ResetWrittenCount();
            buffer.GetSpan(SpoolSegment.FrameHeaderBytes);
            buffer.Advance(SpoolSegment.FrameHeaderBytes);
            UsageRecordWriter.Write(record, buffer);
            var frame = MemoryMarshal.AsMemory(buffer.WrittenMemory).Span;
            SpoolSegment.WriteFrameHeader(frame);
            return frame;
        }
    }
}

/// <summary>Records on their way to the broker.</summary>
internal sealed class SpoolBatch(ArrayBufferWriter<byte> lines)
{
    /// <summary>The segments that it takes records from, up to where.</summary>
    public List<(SpoolSegment Segment, long End, int Records)> Parts { get; } = [];

    public int Records { get; private set; }

    public long DamagedBytes { get; private set; }

    /// <summary>The records, packed for a message (<see cref="UsageBatch.Zlib"/>).</summary>
    public byte[] Pack() => UsageBatch.Pack(lines.WrittenSpan);

    public void Take(SpoolSegment segment, int recordsMax)
    {
        const int bytesMax = 1 << 20;
        if (Records >= recordsMax || lines.WrittenCount >= bytesMax)
        {
            return;
        }

        var (records, end, damaged) = segment.Read(lines, recordsMax - Records, bytesMax - lines.WrittenCount);
        DamagedBytes += damaged;
        Records += records;
        if (end > segment.Published || (segment.Sealed && end >= segment.Tail))
        {
            Parts.Add((segment, end, records));
        }
    }
}
