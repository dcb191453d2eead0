using BenchmarkDotNet.Attributes;
using Gateway.Contracts;
using Gateway.Edge;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Gateway.Bench.Micro;

/// <summary>One usage record into the spool: serialized, checksummed, written to its file.</summary>
// A fixed number of calls: the file would otherwise grow for as long as the clock needs.
[InvocationCount(8192, 16)]
public class SpoolBenchmarks
{
    private static readonly UsageRecord s_record = new()
    {
        RequestId = Guid.CreateVersion7(),
        StartedAt = DateTimeOffset.UnixEpoch,
        DurationMicroseconds = 812_000,
        FirstByteMicroseconds = 310_000,
        EdgeId = "edge-0123456789ab",
        CallType = "chat_completion",
        KeyId = "0123456789abcdef0123456789abcdef",
        KeyAlias = "bench",
        UserId = "bench",
        Model = "gpt-4",
        DeploymentId = "0123456789abcdef",
        Provider = "openai",
        ProviderModel = "gpt-4",
        Status = 200,
        Tokens = new TokenUsage { Input = 190, Output = 250 },
        Cost = new Money(690_000),
        Price = "openai/gpt-4@2026-11 input=1 output=2",
        BudgetWindows = ["user/bench"],
    };

    private string folder = "";
    private Spool spool = null!;

    [GlobalSetup]
    public void Open()
    {
        folder = Directory.CreateTempSubdirectory("bench-spool-").FullName;
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Gateway:DataDirectory"] = folder }).Build();
        spool = new Spool(Options.Create(new SpoolOptions { BytesMax = 1L << 34 }), new EdgeIdentity(configuration), new EdgeLog(NullLogger<EdgeLog>.Instance), TimeProvider.System);
    }

    [GlobalCleanup]
    public void Close()
    {
        spool.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    [Benchmark]
    public void Append() => spool.Append(s_record);
}
