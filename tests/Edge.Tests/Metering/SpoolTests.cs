using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Edge.Tests.Metering;

public sealed class SpoolTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("spool-").FullName;

    // The files have times of the real clock.
    private readonly FakeTimeProvider time = new(DateTimeOffset.UtcNow);

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void Append_ManyAtOnce_AllAreCollectedOnce()
    {
        using var spool = Open();
        Parallel.For(0, 5_000, i => spool.Append(Record(i)));

        var seen = Drain(spool);

        Assert.Equal(Enumerable.Range(0, 5_000).Select(Id).ToHashSet(), seen.ToHashSet());
        Assert.Equal(5_000, seen.Count);
        Assert.Equal(0, spool.Pending);
    }

    [Fact]
    public void T20_AProcessThatIsKilled_LeavesEveryRecordToTheNext()
    {
        // Not disposed: as a killed process leaves it. Only the lock goes with the process.
        var killed = Open();
        for (var i = 0; i < 100; i++)
        {
            killed.Append(Record(i));
        }

        killed.Confirm(killed.Collect());
        killed.Append(Record(100));
        killed.ReleaseLockAsADeadProcessWould();

        using var next = Open();

        Assert.Contains(Id(100), Drain(next));
        Assert.Empty(next.Folders.Single().Segments);
    }

    [Fact]
    public void Recover_ATornLastRecord_IsLeftOut_AndTheRestIsThere()
    {
        var killed = Open();
        killed.Append(Record(1));
        killed.Append(Record(2));
        killed.ReleaseLockAsADeadProcessWould();
        foreach (var file in Directory.GetFiles(folder, "*.seg", SearchOption.AllDirectories))
        {
            using var segment = new FileStream(file, FileMode.Open, FileAccess.Write);
            segment.Seek(0, SeekOrigin.End);
            segment.Write([200, 1, 0, 0, 9, 9, 9, 9, 1, 2, 3]);
        }

        using var next = Open();
        var batch = next.Collect();

        Assert.Equal(11, batch.DamagedBytes);
        Assert.Equal([Id(1), Id(2)], Ids(batch).Order());
    }

    [Fact]
    public void Recover_AFlippedByte_IsNoticed()
    {
        var killed = Open();
        killed.Append(Record(1));
        killed.ReleaseLockAsADeadProcessWould();
        var file = Directory.GetFiles(folder, "*.seg", SearchOption.AllDirectories).Single();
        var bytes = File.ReadAllBytes(file);
        bytes[^10] ^= 1;
        File.WriteAllBytes(file, bytes);

        using var next = Open();
        var batch = next.Collect();

        Assert.Equal(0, batch.Records);
        Assert.True(batch.DamagedBytes > 0);
    }

    [Fact]
    public void Recover_AFlippedByteInTheMiddle_CostsThatRecordAndNoOther()
    {
        var killed = Open();
        for (var i = 0; i < 64; i++)
        {
            killed.Append(Record(i));
        }

        killed.ReleaseLockAsADeadProcessWould();
        var file = Directory.GetFiles(folder, "*.seg", SearchOption.AllDirectories).MaxBy(static path => new FileInfo(path).Length)!;
        var bytes = File.ReadAllBytes(file);
        bytes[SpoolSegment.Magic.Length + SpoolSegment.FrameHeaderBytes + 20] ^= 1;
        File.WriteAllBytes(file, bytes);

        using var next = Open();
        Assert.True(next.Collect().DamagedBytes > 0);
        Assert.Equal(63, Drain(next).Distinct().Count());
    }

    [Fact]
    public void Recover_AKilledProcess_IsKnownWithOrWithoutRecords_UntilNothingOfItIsLeft()
    {
        var killed = Open();
        killed.Append(Record(1));
        killed.ReleaseLockAsADeadProcessWould();
        var idle = Open();
        idle.ReleaseLockAsADeadProcessWould();

        using (var next = Open())
        {
            var own = next.Folders.Single();
            Assert.Equal(2, own.EarlierEdges.Count);
            Assert.Single(own.EarlierEdges, own.StillHasRecordsOf);
            Drain(next);
            Assert.DoesNotContain(own.EarlierEdges, own.StillHasRecordsOf);
            foreach (var edge in own.EarlierEdges)
            {
                own.Forget(edge);
            }
        }

        using var last = Open();
        Assert.Empty(last.Folders.Single().EarlierEdges);
    }

    [Fact]
    public void Adopt_WhatALivingProcessHolds_IsLeftAlone_AndWhatADeadOneLeft_IsSentOnce()
    {
        using var living = Open();
        using var other = Open();
        var dead = Open();
        living.Append(Record(1));
        other.Append(Record(2));
        dead.Append(Record(3));
        Assert.Empty(living.Adopt());
        time.Advance(AbandonedSpools.QuietFor * 2);
        Assert.Empty(living.Adopt());

        dead.ReleaseLockAsADeadProcessWould();
        var taken = Assert.Single(living.Adopt());
        Assert.Empty(other.Adopt());
        Assert.Equal([Id(1), Id(3)], Drain(living).Order());
        Assert.Equal([Id(2)], Drain(other));

        // Nothing of it is left: it is forgotten, and the folder is the next process's.
        var edge = Assert.Single(taken.EarlierEdges);
        Assert.False(taken.StillHasRecordsOf(edge));
        taken.Forget(edge);
        Assert.Empty(living.Adopt());
        Assert.Single(living.Folders);
        using var next = Open();
        Assert.Equal(taken.Path, next.Folders.Single().Path);
    }

    [Fact]
    public void Adopt_AFolderThatIsStillBeingCopiedIn_IsTakenWhenItIsWhole_AndWhatComesAfterwardsIsSentToo()
    {
        using var living = Open(segmentBytes: 1);
        var dead = Open(segmentBytes: 1);
        for (var i = 0; i < 3; i++)
        {
            dead.Append(Record(i));
        }

        dead.ReleaseLockAsADeadProcessWould();
        var elsewhere = Directory.CreateDirectory(Path.Combine(folder, "elsewhere")).FullName;
        var gone = dead.Folders.Single().Path;
        var segments = Directory.GetFiles(gone, "*.seg", SearchOption.AllDirectories).Select((path, i) => (Name: $"0-{i:D6}.seg", Bytes: File.ReadAllBytes(path))).ToArray();
        Directory.Move(gone, Path.Combine(elsewhere, "spool"));
        var copied = Directory.CreateDirectory(Path.Combine(folder, "spool-9", "dead-edge")).FullName;

        // A copy that stands still for a moment, with the times of what it copies.
        CopyIn(segments[0].Name, segments[0].Bytes[..^1]);
        Assert.Empty(living.Adopt());
        CopyIn(segments[0].Name, segments[0].Bytes);
        Assert.Empty(living.Adopt());
        CopyIn(segments[1].Name, segments[1].Bytes, time.GetUtcNow());
        Assert.Empty(living.Adopt());
        Assert.Empty(living.Adopt());

        time.Advance(AbandonedSpools.QuietFor * 2);
        var taken = Assert.Single(living.Adopt());
        Assert.Equal(2, Drain(living).Count);

        CopyIn(segments[2].Name, segments[2].Bytes);
        Assert.True(taken.StillHasRecordsOf("dead-edge"));
        Assert.Empty(living.Adopt());
        Assert.Single(Drain(living));
        Assert.False(taken.StillHasRecordsOf("dead-edge"));

        void CopyIn(string name, byte[] bytes, DateTimeOffset? written = null)
        {
            var path = Path.Combine(copied, name);
            File.WriteAllBytes(path, bytes);
            var at = (written ?? time.GetUtcNow().AddHours(-1)).UtcDateTime;
            File.SetLastWriteTimeUtc(path, at);
            Directory.SetLastWriteTimeUtc(copied, at);
        }
    }

    [Fact]
    public void Adopt_AFolderThatCannotBeTaken_DoesNotHoldUpTheOthers()
    {
        using var living = Open();
        var dead = Open();
        dead.Append(Record(1));
        dead.ReleaseLockAsADeadProcessWould();
        Directory.CreateDirectory(Path.Combine(folder, "spool-3", ".lock"));
        time.Advance(AbandonedSpools.QuietFor * 2);
        Assert.Empty(living.Adopt());
        Assert.Single(living.Adopt());
    }

    [Fact]
    public void Adopt_HoweverMuchWasLeft_TheEdgeGoesOnServing()
    {
        using var living = Open(bytesMax: 1 << 20);
        var dead = Open(bytesMax: 1 << 20);
        for (var i = 0; !dead.Full; i++)
        {
            dead.Append(Record(i));
        }

        dead.ReleaseLockAsADeadProcessWould();
        Assert.Empty(living.Adopt());
        time.Advance(AbandonedSpools.QuietFor * 2);
        Assert.Single(living.Adopt());
        living.Append(Record(-1));
        Assert.False(living.Full);
        Drain(living);
        Assert.True(living.Bytes >= 0);
    }

    [Fact]
    public void Full_AtTheBound_AndNotAnyMoreWhenItIsDrained()
    {
        using var spool = Open(bytesMax: 1 << 20, segmentBytes: 1 << 16);
        var written = 0;
        while (!spool.Full)
        {
            spool.Append(Record(written++));
        }

        Assert.InRange(spool.Bytes, 1 << 20, (1 << 20) + 4096);
        Drain(spool);
        Assert.False(spool.Full);
    }

    [SkippableTheory]
    [InlineData(null)]
    [InlineData("/sys")]
    public void Append_TheDiskRefuses_TheRecordIsKept_NothingNewIsServed_UntilItTakesItAgain(string? instead)
    {
        using var spool = Open(segmentBytes: 1);
        spool.Append(Record(0));
        var own = Directory.GetDirectories(spool.Folders.Single().Path).Single();
        var away = folder + "-away";
        Directory.Move(own, away);
        if (instead is not null)
        {
            Skip.IfNot(OperatingSystem.IsLinux());
            Directory.CreateSymbolicLink(own, instead);
        }

        for (var i = 1; i <= 10; i++)
        {
            Assert.ThrowsAny<IOException>(() => spool.Append(Record(i)));
        }

        spool.Flush();
        Assert.True(spool.Full);
        Assert.Equal(11, spool.DiskFailures);

        if (instead is not null)
        {
            File.Delete(own);
        }

        Directory.Move(away, own);
        spool.Flush();
        Assert.False(spool.Full);
        Assert.Equal(Enumerable.Range(0, 11).Select(Id), Drain(spool).Order());
    }

    [Fact]
    public void What_waits_is_said_as_it_is_however_slowly_it_drains_and_over_a_restart()
    {
        var killed = Open(recordsMax: 10);
        for (var i = 0; i < 100; i++)
        {
            killed.Append(Record(i) with { StartedAt = time.GetUtcNow() });
        }

        time.Advance(TimeSpan.FromMinutes(5));
        killed.Confirm(killed.Collect());
        killed.Collect();
        Assert.Equal((90, 300), (killed.Records, killed.OldestSeconds));
        killed.ReleaseLockAsADeadProcessWould();

        // Its successor finds all of them: what was confirmed was not noted on the disk.
        using var next = Open(recordsMax: 10);
        next.Confirm(next.Collect());
        time.Advance(TimeSpan.FromMinutes(5));
        next.Append(Record(100) with { StartedAt = time.GetUtcNow() });
        next.Collect();
        Assert.Equal((91, 600), (next.Records, next.OldestSeconds));

        Drain(next);
        Assert.Equal((0, 0), (next.Records, next.OldestSeconds));
    }

    [Fact]
    public void Open_ASecondProcessOnTheSameFolder_HasASpoolOfItsOwn()
    {
        using var first = Open();
        using var second = Open();
        first.Append(Record(1));
        second.Append(Record(2));

        Assert.Equal([Id(1)], Drain(first));
        Assert.Equal([Id(2)], Drain(second));
    }

    private Spool Open(long bytesMax = 1L << 30, int segmentBytes = 1 << 20, int recordsMax = 1_000)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Gateway:DataDirectory"] = folder }).Build();
        return new Spool(
            Options.Create(new SpoolOptions { BytesMax = bytesMax, SegmentBytes = segmentBytes, BatchRecordsMax = recordsMax }), new EdgeIdentity(configuration), new EdgeLog(NullLogger<EdgeLog>.Instance), time);
    }

    private static List<Guid> Drain(Spool spool)
    {
        var seen = new List<Guid>();
        for (var batch = spool.Collect(); batch.Parts.Count > 0; batch = spool.Collect())
        {
            seen.AddRange(Ids(batch));
            spool.Confirm(batch);
        }

        return seen;
    }

    private static IEnumerable<Guid> Ids(SpoolBatch batch) =>
        UsageBatch.Read(new UsageRecorded { EdgeId = "e", Count = batch.Records, Records = batch.Pack(), Packing = UsageBatch.Zlib }).Select(line => line.Record!.RequestId);

    private static Guid Id(int i) => new(i, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]);

    internal static UsageRecord Record(int i) => new()
    {
        RequestId = Id(i),
        StartedAt = DateTimeOffset.UnixEpoch,
        EdgeId = "edge",
        CallType = "chat_completion",
        KeyId = "key",
        Model = "gpt-4",
        DeploymentId = "d",
        Provider = "openai",
        ProviderModel = "gpt-4",
    };
}
