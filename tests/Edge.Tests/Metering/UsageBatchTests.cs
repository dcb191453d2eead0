using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Flow;

namespace Gateway.Edge.Tests.Metering;

public sealed class UsageBatchTests
{
    private static readonly UsageRecord Full = new()
    {
        RequestId = Guid.CreateVersion7(),
        StartedAt = DateTimeOffset.UnixEpoch,
        DurationMicroseconds = 812_000,
        FirstByteMicroseconds = 310_000,
        EdgeId = "edge-1",
        CallType = "chat_completion",
        KeyId = "key-1",
        KeyAlias = "alias",
        UserId = "user",
        TeamId = "team",
        OrganizationId = "organization",
        EndUser = "end-user",
        Tags = ["tag"],
        Model = "gpt-4",
        DeploymentId = "deployment",
        Provider = "openai",
        ProviderModel = "gpt-4",
        Status = 499,
        Outcome = UsageOutcome.ClientClosed,
        Streamed = true,
        Tokens = new TokenUsage { Input = 1, CachedInput = 2, CacheWrite5m = 3, CacheWrite1h = 4, InputAudio = 5, Output = 6, Reasoning = 7, OutputAudio = 8, Images = 9 },
        Estimated = true,
        Unpriced = true,
        Cost = new Money(10),
        WrittenOff = new Money(11),
        Price = "openai/gpt-4",
        BudgetWindows = ["user/user"],
        FailedAttempts = [new FailedAttempt("other", "timeout")],
    };

    private static readonly UsageRecord Bare = new()
    {
        RequestId = Guid.Empty, StartedAt = default, EdgeId = "edge-1", CallType = "chat_completion", KeyId = "key-1",
        Model = "gpt-4", DeploymentId = "deployment", Provider = "openai", ProviderModel = "gpt-4",
    };

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Read_WhatTheEdgeWrites_IsWhatItMeant_PackedOrNot(bool packed)
    {
        var lines = Encoding.UTF8.GetBytes(Line(Full) + Line(Bare));

        var read = UsageBatch.Read(packed
            ? new UsageRecorded { EdgeId = "edge-1", Count = 2, Records = UsageBatch.Pack(lines), Packing = UsageBatch.Zlib }
            : new UsageRecorded { EdgeId = "edge-1", Count = 2, Records = lines });

        // Arrays compare by reference in records: the text says whether everything is there.
        Assert.Equal(Line(Full) + Line(Bare), string.Concat(read.Select(line => Line(line.Record!))));
    }

    [Fact]
    public void Pack_ABatchOfOneModelsRequests_IsAFractionOfItself()
    {
        var lines = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Range(0, 1_000).Select(_ => Line(Full with { RequestId = Guid.CreateVersion7() }))));

        Assert.InRange(UsageBatch.Pack(lines).Length, 1, lines.Length / 6);
    }

    [Theory]
    [InlineData("zlib")]
    [InlineData("a-later-one")]
    public void Lines_WhatCannotBeUnpacked_IsSaidSo(string packing) =>
        Assert.Throws<JsonException>(() => UsageBatch.Lines(new UsageRecorded { EdgeId = "edge-1", Count = 1, Records = [1, 2, 3, 4], Packing = packing }));

    private static string Line(UsageRecord record) => JsonSerializer.Serialize(record, UsageJson.Default.UsageRecord) + "\n";
}
