using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Flow;

namespace Gateway.Edge.Tests.Metering;

public sealed class UsageBatchTests
{
    internal static readonly UsageRecord Full = new()
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

    internal static readonly UsageRecord Bare = new()
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

        using var read = UsageBatch.Read(packed
            ? new UsageRecorded { EdgeId = "edge-1", Count = 2, Records = UsageBatch.Pack(lines), Packing = UsageBatch.Zlib }
            : new UsageRecorded { EdgeId = "edge-1", Count = 2, Records = lines });

        // Arrays compare by reference in records: the text says whether everything is there.
        Assert.Equal(Line(Full) + Line(Bare), string.Concat(read.All.Select(line => Line(line.Record!))));
    }

    [Theory]
    [InlineData("""{"keyId":"key-1","unknown":{"a":[1,{"b":2}]},"status":200,"tokens":{},"tags":["t"],"budgetWindows":[],"requestId":"01890a5d-ac96-774b-bcce-b302099a8057","startedAt":"2026-11-28T10:11:12.123456Z","edgeId":"e","callType":"c","model":"m","deploymentId":"d","provider":"p","providerModel":"pm"}""")]
    [InlineData("""{"requestId":"01890a5d-ac96-774b-bcce-b302099a8057","startedAt":"2026-11-28T10:11:12+01:00","edgeId":"","callType":"\u0063 \"\ud83d\ude00","keyId":"k","model":"é","deploymentId":"d","provider":"p","providerModel":"pm","tokens":{"images":2,"input":1,"input":3,"later":[]},"tags":[],"budgetWindows":["a","a"],"outcome":"upstreamcut","userId":null,"corrects":null,"failedAttempts":null,"cost":-5}""")]
    [InlineData("""  { "outcome" : 3 , "\u0073tatus" : 7, "requestId":"01890a5d-ac96-774b-bcce-b302099a8057","startedAt":"2026-11-28T10:11:12Z","edgeId":"e","callType":"c","keyId":"k","model":"m","deploymentId":"d","provider":"p","providerModel":"pm","tokens":{"output":9},"budgetWindows":["w"],"tags":["\u0061","b"],"failedAttempts":[{"deploymentId":"x","failure":"timeout"}] }  """)]
    public void Read_WhateverTheOrder_IsWhatTheContractSays(string line)
    {
        var expected = JsonSerializer.Deserialize(line, ContractsJson.Default.UsageRecord)!;

        // Twice, because the second reading finds the texts of the first.
        Assert.All(ReadAll(line + "\n" + line), record => Assert.Equal(Line(expected), Line(record!)));
    }

    [Fact]
    public void Read_WithoutTokensAndLists_HasNone()
    {
        var line = Line(Bare).Replace("\"tokens\":{},", "", StringComparison.Ordinal).Replace("\"tags\":[],", "", StringComparison.Ordinal).Replace("\"budgetWindows\":[]", "\"tokens\":null,\"tags\":null", StringComparison.Ordinal);
        var record = Assert.Single(ReadAll(line))!;
        Assert.Equal((0, 0, 0L), (record.Tags.Length, record.BudgetWindows.Length, record.Tokens.PromptTokens));
    }

    [Theory]
    [InlineData("[]")]
    [InlineData("null")]
    [InlineData("7")]
    [InlineData("""{"requestId":""")]
    public void Read_WhatIsNoObject_IsNoRecord(string line) =>
        Assert.All(ReadAll(line + "\n" + Line(Bare)).SkipLast(1), Assert.Null);

    [Theory]
    [InlineData("requestId", "\"no-id\"")]
    [InlineData("startedAt", "\"yesterday\"")]
    [InlineData("status", "\"200\"")]
    [InlineData("durationMicroseconds", "99999999999999999999")]
    [InlineData("cost", "1.5")]
    [InlineData("streamed", "1")]
    [InlineData("keyId", "7")]
    [InlineData("keyId", "null")]
    [InlineData("keyId", "\"\\ud800\"")]
    [InlineData("outcome", "\"vanished\"")]
    [InlineData("tags", "\"tag\"")]
    [InlineData("tags", "[1]")]
    [InlineData("tokens", "7")]
    [InlineData("tokens", "{\"input\":\"1\"}")]
    [InlineData("failedAttempts", "[7]")]
    [InlineData("failedAttempts", "[null]")]
    [InlineData("outcome", "65536")]
    public void Read_AFieldOfAnotherKind_IsNoRecord_AndTheNextOneIs(string field, string value)
    {
        // The last of two members counts: one more makes the record wrong.
        var wrong = Line(Full).TrimEnd('\n', '}') + $$""","{{field}}":{{value}}}""";

        var records = ReadAll(wrong + "\n" + Line(Full));

        Assert.Null(records[0]);
        Assert.Equal(Line(Full), Line(records[1]!));
    }

    [Theory]
    [InlineData("requestId")]
    [InlineData("startedAt")]
    [InlineData("edgeId")]
    [InlineData("callType")]
    [InlineData("keyId")]
    [InlineData("model")]
    [InlineData("deploymentId")]
    [InlineData("provider")]
    [InlineData("providerModel")]
    public void Read_WithoutWhatEveryRecordHas_IsNoRecord(string field) =>
        Assert.Null(Assert.Single(ReadAll(Line(Full).Replace($"\"{field}\":", "\"another\":", StringComparison.Ordinal))));

    [Fact]
    public void Read_ManyRecordsOfManyCallers_MixesNoneUp()
    {
        // More different texts than the reader remembers.
        var records = Enumerable.Range(0, 2_000).Select(number => Full with
        {
            RequestId = Guid.CreateVersion7(), KeyId = $"key-{number % 7}", EndUser = $"end-user-{number}", Tags = [.. Enumerable.Range(0, number % 3).Select(tag => $"tag-{tag}")],
            BudgetWindows = [$"user/{number % 11}@2026-11-28", "team/t"], Cost = new(number),
        }).Select(Line).ToArray();

        Assert.Equal(records, ReadAll(string.Concat(records)).Select(static record => Line(record!)));
    }

    [Fact]
    public void Read_APackedBatchWithMoreThanItSays_IsWhole()
    {
        var lines = Encoding.UTF8.GetBytes(string.Concat(Enumerable.Repeat(Line(Full), 5_000)));

        using var read = UsageBatch.Read(new() { EdgeId = "edge-1", Count = 1, Records = UsageBatch.Pack(lines), Packing = UsageBatch.Zlib });

        Assert.Equal(5_000, read.All.Count);
        Assert.All(read.All, static line => Assert.Equal(Line(Full), Line(line.Record!)));
    }

    [Fact]
    public void Read_ALineLikeTheOneBefore_IsReadAsIfItStoodAlone()
    {
        var random = new Random(7);
        var bases = new[] { Full, Full with { Tokens = new() { Output = 5 }, Cost = default, Estimated = false }, Bare, Bare with { Cost = new(5) }, Bare with { EndUser = "\"é\\", Corrects = Guid.CreateVersion7(), Cost = new(-7) } };
        for (var round = 0; round < 20_000; round++)
        {
            var one = bases[random.Next(bases.Length)];
            var other = one with { RequestId = Guid.CreateVersion7(), DurationMicroseconds = random.Next(3), Tokens = one.Tokens with { Input = random.Next(3) } };
            // Both with the same change, or only the second.
            var change = random.Next();
            var first = random.Next(2) == 0 ? Line(one).TrimEnd('\n') : Changed(Line(one).TrimEnd('\n'), new Random(change));
            var second = Changed(Line(other).TrimEnd('\n'), new Random(change));

            var (after, alone) = (ReadAll(first + "\n" + second)[1], ReadAll(second)[0]);

            Assert.True((after is null ? null : Line(after)) == (alone is null ? null : Line(alone)), $"{first}\n{second}");
        }
    }

    [Theory]
    [InlineData("\"durationMicroseconds\":812000", ",\"tags\":")]
    [InlineData("\"cost\":10", ",\"price\":")]
    [InlineData("\"input\":1", ",\"images\":")]
    public void Read_AMemberThatStandsTwice_IsItsLast_InEveryLine(string member, string before)
    {
        var first = Line(Full).Replace(before, $",{member}{before}", StringComparison.Ordinal);
        var place = first.IndexOf(member, StringComparison.Ordinal);
        var second = first[..place] + member[..(member.IndexOf(':', StringComparison.Ordinal) + 1)] + "99" + first[(place + member.Length)..];

        Assert.All(ReadAll(first + second), record => Assert.Equal(Line(Full), Line(record!)));
    }

    [Fact]
    public void Read_ALineWithoutACommaWhereTheLineBeforeHadNothing_IsNoRecord()
    {
        var second = Line(Bare).Replace("\"tokens\":{}", "\"tokens\":{}\"cost\":5", StringComparison.Ordinal);

        Assert.Null(ReadAll(Line(Bare) + second)[1]);
    }

    [Theory]
    [InlineData("")]
    [InlineData(",\"cost\":7")]
    public void Read_NumbersOfAnObjectInARecord_AreNotTheRecords(string cost)
    {
        var head = Line(Bare)[..Line(Bare).IndexOf(",\"tags\":", StringComparison.Ordinal)];
        var line = head + ",\"model\":\"m\",\"deploymentId\":\"d\",\"provider\":\"p\",\"providerModel\":\"pm\"" + cost
            + ",\"failedAttempts\":[{\"deploymentId\":\"d\",\"failure\":\"f\",\"tokens\":{\"input\":1},\"cost\":5,\"price\":\"x\"}]}\n";

        Assert.All(ReadAll(line + line), record => Assert.Equal((0, cost.Length == 0 ? 0 : 7), (record!.Tokens.Input, record.Cost.NanoDollars)));
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
    public void Read_WhatCannotBeUnpacked_IsSaidSo(string packing) =>
        Assert.Throws<JsonException>(() => UsageBatch.Read(new UsageRecorded { EdgeId = "edge-1", Count = 1, Records = [1, 2, 3, 4], Packing = packing }));

    private static UsageRecord?[] ReadAll(string lines)
    {
        using var read = UsageBatch.Read(new() { EdgeId = "edge-1", Count = 1, Records = Encoding.UTF8.GetBytes(lines) });
        return [.. read.All.Select(static line => line.Record)];
    }

    // Members twice, left out and in another order; bytes that are others, too many or missing.
    private static string Changed(string line, Random random)
    {
        var members = JsonNode.Parse(line)!.AsObject().Select(static member => $"\"{member.Key}\":{member.Value?.ToJsonString() ?? "null"}").ToList();
        var text = new StringBuilder(line);
        switch (random.Next(4))
        {
            case 0:
                return line;
            case 1:
                members.Insert(random.Next(members.Count), members[random.Next(members.Count)]);
                return "{" + string.Join(',', members) + "}";
            case 2:
                members.RemoveAt(random.Next(members.Count));
                (members[0], members[^1]) = random.Next(2) == 0 ? (members[0], members[^1]) : (members[^1], members[0]);
                return "{" + string.Join(random.Next(5) == 0 ? ", " : ",", members) + "}";
            default:
                const string bytes = "\"{},:-+.eE0123456789 \\truanl";
                var place = random.Next(text.Length);
                text.Remove(place, random.Next(2)).Insert(place, bytes[random.Next(bytes.Length)].ToString(), random.Next(2));
                return text.ToString();
        }
    }

    private static string Line(UsageRecord record)
    {
        var line = new ArrayBufferWriter<byte>();
        UsageRecordWriter.Write(record, line);
        return Encoding.UTF8.GetString(line.WrittenSpan) + "\n";
    }
}
