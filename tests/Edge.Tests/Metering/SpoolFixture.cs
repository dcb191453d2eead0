using Gateway.Contracts;
using Gateway.Edge.Metering;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Edge.Tests.Metering;

/// <summary>Spools in a folder of their own.</summary>
public abstract class SpoolFixture : IDisposable
{
    protected string Folder { get; } = Directory.CreateTempSubdirectory("spool-").FullName;

    // The files have times of the real clock.
    internal FakeTimeProvider Time { get; } = new(DateTimeOffset.UtcNow);

    public void Dispose()
    {
        Directory.Delete(Folder, recursive: true);
        GC.SuppressFinalize(this);
    }

    internal Spool Open(long bytesMax = 1L << 30, int segmentBytes = 1 << 20, int recordsMax = 1_000)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Gateway:DataDirectory"] = Folder }).Build();
        return new Spool(
            Options.Create(new SpoolOptions { BytesMax = bytesMax, SegmentBytes = segmentBytes, BatchRecordsMax = recordsMax }), new EdgeIdentity(configuration), new EdgeLog(NullLogger<EdgeLog>.Instance), Time);
    }

    internal static List<Guid> Drain(Spool spool)
    {
        var seen = new List<Guid>();
        for (var batch = spool.Collect(); batch.Parts.Count > 0; batch = spool.Collect())
        {
            seen.AddRange(Ids(batch));
            spool.Confirm(batch);
        }

        return seen;
    }

    internal static IEnumerable<Guid> Ids(SpoolBatch batch) => RecordsOf(batch).Select(static record => record.RequestId);

    internal static UsageRecord[] RecordsOf(SpoolBatch batch)
    {
        using var lines = UsageBatch.Read(new UsageRecorded { EdgeId = "e", Count = batch.Records, Records = batch.Pack(), Packing = UsageBatch.Zlib });
        return [.. lines.All.Select(static line => line.Record!)];
    }

    internal static Guid Id(int i) => new(i, 0, 0, [0, 0, 0, 0, 0, 0, 0, 0]);

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
