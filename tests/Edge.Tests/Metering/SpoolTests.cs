using Gateway.Contracts;
using Gateway.Edge.Metering;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Gateway.Edge.Tests.Metering;

public sealed class SpoolTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("spool-").FullName;

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
        Assert.Empty(next.Recovered);
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
    public void Recover_AKilledProcess_IsKnownWithOrWithoutRecords_UntilNothingOfItIsLeft()
    {
        var killed = Open();
        killed.Append(Record(1));
        killed.ReleaseLockAsADeadProcessWould();
        var idle = Open();
        idle.ReleaseLockAsADeadProcessWould();

        using (var next = Open())
        {
            Assert.Equal(2, next.EarlierEdges.Count);
            Assert.Single(next.EarlierEdges, next.StillHasRecordsOf);
            Drain(next);
            Assert.DoesNotContain(next.EarlierEdges, next.StillHasRecordsOf);
            foreach (var edge in next.EarlierEdges)
            {
                next.Forget(edge);
            }
        }

        using var last = Open();
        Assert.Empty(last.EarlierEdges);
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

    private Spool Open(long bytesMax = 1L << 30, int segmentBytes = 1 << 20)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Gateway:DataDirectory"] = folder }).Build();
        return new Spool(
            Options.Create(new SpoolOptions { BytesMax = bytesMax, SegmentBytes = segmentBytes }), new EdgeIdentity(configuration), new EdgeLog(NullLogger<EdgeLog>.Instance));
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
        UsageBatch.Read(new UsageRecorded { EdgeId = "e", Count = batch.Records, Records = batch.Pack(), Packing = UsageBatch.Zlib }).Select(record => record.RequestId);

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
