using Gateway.Edge.Metering;

namespace Gateway.Edge.Tests.Metering;

public sealed class SpoolTests : SpoolFixture
{
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
        foreach (var file in Directory.GetFiles(Folder, "*.seg", SearchOption.AllDirectories))
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
        var file = Directory.GetFiles(Folder, "*.seg", SearchOption.AllDirectories).Single();
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
        var file = Directory.GetFiles(Folder, "*.seg", SearchOption.AllDirectories).MaxBy(static path => new FileInfo(path).Length)!;
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
        var away = Folder + "-away";
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
            killed.Append(Record(i) with { StartedAt = Time.GetUtcNow() });
        }

        Time.Advance(TimeSpan.FromMinutes(5));
        killed.Confirm(killed.Collect());
        killed.Collect();
        Assert.Equal((90, 300), (killed.Records, killed.OldestSeconds));
        killed.ReleaseLockAsADeadProcessWould();

        // Its successor finds all of them: what was confirmed was not noted on the disk.
        using var next = Open(recordsMax: 10);
        next.Confirm(next.Collect());
        Time.Advance(TimeSpan.FromMinutes(5));
        next.Append(Record(100) with { StartedAt = Time.GetUtcNow() });
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

    [Fact]
    public async Task Gather_EndsWithAFullMessage_AndAtTheLatestAfterTheLinger()
    {
        using var spool = Open(recordsMax: 3);
        var gathering = spool.GatherAsync(default);
        spool.Append(Record(0));
        spool.Append(Record(1));
        Assert.False(gathering.IsCompleted);

        spool.Append(Record(2));
        Time.Advance(new SpoolOptions().FlushInterval);
        await gathering.WaitAsync(TimeSpan.FromSeconds(30));
        Assert.True(spool.GatherAsync(default).IsCompleted);

        Drain(spool);
        gathering = spool.GatherAsync(default);
        Assert.False(gathering.IsCompleted);
        Time.Advance(new SpoolOptions().Linger);
        await gathering.WaitAsync(TimeSpan.FromSeconds(30));
    }

    [Fact]
    public void Gather_WaitsForNothing_WhileAnEarlierProcessHasRecordsHere()
    {
        var killed = Open(recordsMax: 3);
        Enumerable.Range(0, 5).ToList().ForEach(i => killed.Append(Record(i)));
        killed.ReleaseLockAsADeadProcessWould();
        using var next = Open(recordsMax: 3);

        next.Confirm(next.Collect());
        Assert.True(next.GatherAsync(default).IsCompleted);

        next.Confirm(next.Collect());
        Assert.False(next.GatherAsync(default).IsCompleted);
    }
}
