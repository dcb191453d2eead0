using System.Buffers;
using System.Text;
using System.Text.Json;
using FsCheck.Xunit;
using Gateway.Contracts;

namespace Gateway.Edge.Tests.Metering;

public sealed class UsageRecordWriterTests
{
    [Fact]
    public void Write_EveryMemberThatSaysSomething_InItsOrder() => Assert.Equal(
        $$"""
        {"requestId":"{{UsageBatchTests.Full.RequestId}}","startedAt":"1970-01-01T00:00:00.0000000+00:00","durationMicroseconds":812000,"firstByteMicroseconds":310000,
        "edgeId":"edge-1","callType":"chat_completion","keyId":"key-1","keyAlias":"alias","userId":"user","teamId":"team","organizationId":"organization","endUser":"end-user",
        "tags":["tag"],"model":"gpt-4","deploymentId":"deployment","provider":"openai","providerModel":"gpt-4","credential":"vault","status":499,"outcome":"ClientClosed",
        "streamed":true,"tokens":{"input":1,"cachedInput":2,"cacheWrite5m":3,"cacheWrite1h":4,"inputAudio":5,"output":6,"reasoning":7,"outputAudio":8,"images":9},
        "estimated":true,"unpriced":true,"cost":-10,"corrects":"{{Guid.Empty}}","writtenOff":11,"price":"openai/gpt-4","budgetWindows":["user/user","team/team"],
        "failedAttempts":[{"deploymentId":"other","failure":"timeout"},{"deploymentId":"third","failure":"status_500"}]}
        """.ReplaceLineEndings(""),
        Written(UsageBatchTests.Full with
        {
            Credential = "vault",
            Cost = new Money(-10),
            Corrects = Guid.Empty,
            BudgetWindows = ["user/user", "team/team"],
            FailedAttempts = [new FailedAttempt("other", "timeout"), new FailedAttempt("third", "status_500")],
        }));

    [Fact]
    public void Write_LeavesOutWhatSaysNothing() => Assert.Equal(
        """
        {"requestId":"00000000-0000-0000-0000-000000000000","startedAt":"0001-01-01T00:00:00.0000000+00:00","edgeId":"edge-1","callType":"chat_completion","keyId":"key-1",
        "tags":[],"model":"gpt-4","deploymentId":"deployment","provider":"openai","providerModel":"gpt-4","tokens":{},"budgetWindows":[]}
        """.ReplaceLineEndings(""),
        Written(UsageBatchTests.Bare));

    [Fact]
    public void Write_AnAttemptOfWhichNothingIsKnown_IsJson() => Assert.Equal(
        [new FailedAttempt(null!, "timeout"), new FailedAttempt(null!, null!)],
        Read(UsageBatchTests.Bare with { FailedAttempts = [new(null!, "timeout"), new(null!, null!)] }).FailedAttempts!);

    [Fact]
    public void ASerializerThatReadsARecord_MakesNothingOfWhatIsNotThere()
    {
        var read = JsonSerializer.Deserialize(
            """
            {"requestId":"00000000-0000-0000-0000-000000000000","startedAt":"0001-01-01T00:00:00+00:00","edgeId":"edge-1","callType":"chat_completion","keyId":"key-1",
            "model":"gpt-4","deploymentId":"deployment","provider":"openai","providerModel":"gpt-4"}
            """, ContractsJson.Default.UsageRecord)!;

        Assert.Equal(([], [], TokenUsage.None), (read.Tags, read.BudgetWindows, read.Tokens));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a \"quoted\" name\\")]
    [InlineData("line\nbreak\u0000\u001f\u007f")]
    [InlineData("<b>&'+`</b>")]
    [InlineData("Zoë 東京 \ud83d\ude00")]
    public void Write_AnyText_IsReadAsItWas(string text) => Assert.Equal(
        (text, text, text),
        Read(UsageBatchTests.Bare with { EndUser = text, Tags = [text, text], FailedAttempts = [new FailedAttempt(text, "timeout")] }) is var read
            ? (read.EndUser, read.Tags[1], read.FailedAttempts![0].DeploymentId)
            : default);

    [Fact]
    public void Write_HalfOfASurrogatePair_IsNoDamage() => Assert.Equal("\ufffd", Read(UsageBatchTests.Bare with { EndUser = "\ud800" }).EndUser);

    [Fact]
    public void Write_TextsThatAllGrow_HaveRoom()
    {
        var text = new string('\u0007', 20_000);

        Assert.Equal(text, Read(UsageBatchTests.Full with { EndUser = text, Tags = [text, text], Price = text }).Tags[1]);
    }

    [Property(MaxTest = 500)]
    public void Write_AnyRecord_IsWhatASerializerReads(
        Guid id, DateTimeOffset startedAt, long[] numbers, (bool Streamed, bool Estimated, bool Unpriced) flags, byte outcome, string?[] texts, string[] tags, string[] windows)
    {
        var record = UsageBatchTests.Bare with
        {
            RequestId = id,
            StartedAt = startedAt,
            DurationMicroseconds = Number(0),
            FirstByteMicroseconds = Number(1),
            KeyAlias = Text(0),
            UserId = Text(1),
            EndUser = Text(2),
            Price = Text(3),
            Tags = [.. tags.Select(WholeText)],
            BudgetWindows = [.. windows.Select(WholeText)],
            Outcome = (UsageOutcome)(outcome % Enum.GetValues<UsageOutcome>().Length),
            Streamed = flags.Streamed,
            Estimated = flags.Estimated,
            Unpriced = flags.Unpriced,
            Tokens = new() { Input = Number(2), Output = Number(3), CachedInput = Number(4), Images = Number(5) },
            Cost = new(Number(6)),
            WrittenOff = new(Number(7)),
            Corrects = outcome > 127 ? id : null,
            FailedAttempts = outcome % 3 == 0 ? [.. tags.Select(static tag => new FailedAttempt(WholeText(tag), "timeout"))] : null,
        };

        Assert.Equal(JsonSerializer.Serialize(record, ContractsJson.Default.UsageRecord), JsonSerializer.Serialize(Read(record), ContractsJson.Default.UsageRecord));

        long Number(int index) => index < numbers.Length ? numbers[index] : 0;
        string? Text(int index) => index < texts.Length && texts[index] is { } text ? WholeText(text) : null;
    }

    // Half of a surrogate pair is not told apart from U+FFFD.
    private static string WholeText(string? text) => Encoding.UTF8.GetString(Encoding.UTF8.GetBytes(text ?? ""));

    private static UsageRecord Read(UsageRecord record) => JsonSerializer.Deserialize(Written(record), ContractsJson.Default.UsageRecord)!;

    private static string Written(UsageRecord record)
    {
        var line = new ArrayBufferWriter<byte>();
        UsageRecordWriter.Write(record, line);
        return Encoding.UTF8.GetString(line.WrittenSpan);
    }
}
