using System.Text;
using Gateway.Contracts;
using Gateway.Edge.Batches;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using static Gateway.Edge.Tests.Batches.TestBatches;

namespace Gateway.Edge.Tests.Batches;

/// <summary>What a batch cost, added up of its output, and the record that corrects its estimate.</summary>
public sealed class BatchOutputTests
{
    private static readonly BatchLines Lines = new("/v1/chat/completions", 4, 4_000, new Money(10_000_000));

    [Fact]
    public void Every_answered_line_counts_at_the_price_of_its_own_size()
    {
        var output = Read(
            Answer(100, 10), Answer(200, 20),
            // A long prompt has the rates of its tier, though the sum of the others would not.
            Answer(2_000, 10));

        Assert.Equal((3, false), (output.Answered, output.Estimated));
        Assert.Equal((2_300, 40), (output.Tokens.Input, output.Tokens.Output));
        Assert.Equal((300 * 1_000) + (30 * 4_000) + (2_000 * 3_000) + (10 * 5_000), output.Cost.NanoDollars);
    }

    [Fact]
    public void Lines_without_an_answer_cost_nothing()
    {
        var output = Read(
            """{"id":"1","custom_id":"a","response":{"status_code":429,"body":{"error":{"message":"Slow down"},"usage":{"prompt_tokens":5,"completion_tokens":5}}},"error":null}""",
            """{"id":"2","custom_id":"b","response":null,"error":{"code":"batch_expired","message":"Too late"}}""",
            Answer(100, 10));

        Assert.Equal((1, 100, 10), (output.Answered, output.Tokens.Input, output.Tokens.Output));
    }

    [Theory]
    [InlineData("""{"choices":[{"message":{"content":"One two three four five six seven"}}]}""", 7)]
    [InlineData("""{"choices":[{"message":{"content":"One two three four five six seven"}}],"usage":{"prompt_tokens":0,"completion_tokens":0}}""", 7)]
    [InlineData("""{"output":[{"content":[{"type":"output_text","text":"One two three four five six seven"}]}],"usage":null}""", 7)]
    public void A_line_that_does_not_say_what_it_used_is_counted(string body, long written)
    {
        var output = Read(Answer(100, 10), $$$"""{"custom_id":"x","response":{"body":{{{body}}},"status_code":200}}""");

        Assert.True(output.Estimated);
        // Four bytes a token of a body of middle length: 4,000 bytes in 4 lines.
        Assert.Equal((2, 100 + 250, 10 + written), (output.Answered, output.Tokens.Input, output.Tokens.Output));
    }

    [Theory]
    [InlineData("nonsense")]
    [InlineData("[]")]
    [InlineData("""{"custom_id":"x","response":{"status_code":200,"body":{"usage":{"prompt_tokens":1""")]
    public void What_is_no_output_is_never_taken_for_one_that_costs_nothing(string line) => Assert.Throws<MalformedReplyException>(() => Read(line));

    [Fact]
    public void All_classes_of_tokens_are_added_up()
    {
        var output = Read(
            """{"response":{"status_code":200,"body":{"usage":{"prompt_tokens":100,"completion_tokens":50,"prompt_tokens_details":{"cached_tokens":40},"completion_tokens_details":{"reasoning_tokens":30}}}}}""",
            """{"response":{"status_code":200,"body":{"usage":{"input_tokens":10,"output_tokens":5,"input_tokens_details":{"cached_tokens":4},"output_tokens_details":{"reasoning_tokens":3}}}}}""");

        Assert.Equal((66, 44, 22, 33), (output.Tokens.Input, output.Tokens.CachedInput, output.Tokens.Output, output.Tokens.Reasoning));
    }

    [Fact]
    public void A_correction_takes_back_what_was_charged_too_much()
    {
        var submission = Submission(10_000_000);
        var correction = BatchCorrection.Of(submission, Read(Answer(100, 10)), Price);

        Assert.Equal(((100 * 1_000) + (10 * 4_000) - 10_000_000, Money.Zero), (correction.Cost.NanoDollars, correction.WrittenOff));
        Assert.Equal((submission.RequestId, submission.StartedAt, "w1", 100), (correction.Corrects!.Value, correction.StartedAt, Assert.Single(correction.BudgetWindows), correction.Tokens.Input));
        Assert.Contains(" batch ", correction.Price, StringComparison.Ordinal);
        Assert.False(correction.Estimated);
    }

    [Fact]
    public void What_it_cost_beyond_its_estimate_is_written_off_and_without_a_budget_charged()
    {
        var over = BatchCorrection.Of(Submission(100_000), Read(Answer(100, 10)), Price);
        Assert.Equal((Money.Zero, new Money(40_000)), (over.Cost, over.WrittenOff));

        var free = BatchCorrection.Of(Submission(100_000) with { BudgetWindows = [] }, Read(Answer(100, 10)), Price);
        Assert.Equal((new Money(40_000), Money.Zero), (free.Cost, free.WrittenOff));
    }

    [Fact]
    public void Two_edges_that_settle_one_batch_write_one_record()
    {
        var submission = Submission(10_000_000);
        var (one, other) = (BatchCorrection.Of(submission, Read(Answer(1, 2)), Price), BatchCorrection.Of(submission, Read(Answer(1, 2)), Price));

        Assert.Equal(one.RequestId, other.RequestId);
        Assert.Equal(System.Text.Json.JsonSerializer.Serialize(one, ContractsJson.Default.UsageRecord), System.Text.Json.JsonSerializer.Serialize(other, ContractsJson.Default.UsageRecord));
        Assert.NotEqual(submission.RequestId, one.RequestId);
        Assert.NotEqual(one.RequestId, BatchCorrection.IdOf(RequestId.New(submission.StartedAt)));
        Assert.Equal(7, one.RequestId.Version);
        // Beside its submission in the tables, which are in the order of time.
        Assert.Equal(submission.RequestId.ToString()[..13], one.RequestId.ToString()[..13]);
    }

    private static BatchOutput Read(params string[] lines)
    {
        var output = new BatchOutput(Price, Lines);
        foreach (var line in lines)
        {
            output.Take(Encoding.UTF8.GetBytes(line));
        }

        return output;
    }

    private static string Answer(int prompt, int completion) =>
        """{"id":"1","custom_id":"a","response":{"status_code":200,"request_id":"r","body":{"id":"chatcmpl-1","choices":[{"message":{"content":"usage"}}],"usage":{"prompt_tokens":PROMPT,"completion_tokens":COMPLETION}}},"error":null}"""
            .Replace("PROMPT", $"{prompt}", StringComparison.Ordinal).Replace("COMPLETION", $"{completion}", StringComparison.Ordinal);

    private static UsageRecord Submission(long estimate)
    {
        var at = new DateTimeOffset(2026, 11, 28, 8, 0, 0, TimeSpan.Zero);
        return new UsageRecord
        {
            RequestId = RequestId.New(at), StartedAt = at, EdgeId = "edge-1", CallType = UsageRecord.BatchCall, KeyId = "k1", Model = "public", DeploymentId = "d1", Provider = "openai",
            ProviderModel = "gpt-4o", Cost = new Money(estimate), Estimated = true, BudgetWindows = ["w1"], DurationMicroseconds = 7,
        };
    }
}
