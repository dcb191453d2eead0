using Gateway.Edge.Metering;

namespace Gateway.Edge.Tests.Metering;

public sealed class AbandonedSpoolsTests : SpoolFixture
{
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
        Time.Advance(AbandonedSpools.QuietFor * 2);
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
        var elsewhere = Directory.CreateDirectory(Path.Combine(Folder, "elsewhere")).FullName;
        var gone = dead.Folders.Single().Path;
        var segments = Directory.GetFiles(gone, "*.seg", SearchOption.AllDirectories).Select((path, i) => (Name: $"0-{i:D6}.seg", Bytes: File.ReadAllBytes(path))).ToArray();
        Directory.Move(gone, Path.Combine(elsewhere, "spool"));
        var copied = Directory.CreateDirectory(Path.Combine(Folder, "spool-9", "dead-edge")).FullName;

        // A copy that stands still for a moment, with the times of what it copies.
        CopyIn(segments[0].Name, segments[0].Bytes[..^1]);
        Assert.Empty(living.Adopt());
        CopyIn(segments[0].Name, segments[0].Bytes);
        Assert.Empty(living.Adopt());
        CopyIn(segments[1].Name, segments[1].Bytes, Time.GetUtcNow());
        Assert.Empty(living.Adopt());
        Assert.Empty(living.Adopt());

        Time.Advance(AbandonedSpools.QuietFor * 2);
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
            var at = (written ?? Time.GetUtcNow().AddHours(-1)).UtcDateTime;
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
        Directory.CreateDirectory(Path.Combine(Folder, "spool-3", ".lock"));
        Time.Advance(AbandonedSpools.QuietFor * 2);
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
        Time.Advance(AbandonedSpools.QuietFor * 2);
        Assert.Single(living.Adopt());
        living.Append(Record(-1));
        Assert.False(living.Full);
        Drain(living);
        Assert.True(living.Bytes >= 0);
    }
}
