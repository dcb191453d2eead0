using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Streaming;
using Gateway.Pricing;

namespace Gateway.Edge.Batches;

/// <summary>
/// Adds up what the lines of a batch's output used, <c>{"custom_id", "response": {"status_code", "body"}, "error"}</c>: each at the price of its
/// own size, the sum rounded once.
/// </summary>
/// <param name="price">What its model costs; null for one without a price.</param>
/// <param name="lines">What was asked for.</param>
internal sealed class BatchOutput(ModelPrice? price, BatchLines lines)
{
    private static readonly CostUnits Units = new(ServiceTier.Batch);

    private decimal nanoDollars;

    /// <summary>What all of them used.</summary>
    public TokenUsage Tokens { get; private set; } = TokenUsage.None;

    /// <summary>What that costs.</summary>
    public Money Cost => Money.FromNanoDollars(nanoDollars);

    /// <summary>Lines that were answered.</summary>
    public int Answered { get; private set; }

    /// <summary>Whether some line did not say what it used, and was counted here.</summary>
    public bool Estimated { get; private set; }

    /// <summary>Takes one line. One without an answer of success was not billed.</summary>
    /// <exception cref="MalformedReplyException">It is no line of an output: then nobody knows what the batch cost.</exception>
    public void Take(ReadOnlySpan<byte> line)
    {
        var (status, start, end) = Read(line);
        var body = line[start..end];
        if (status is < 200 or >= 300 || body.IsEmpty)
        {
            return;
        }

        Answered++;
        if (!OpenAiUsage.TryReadWhole(body, out var used) || TokenCounter.Reported(used) is null)
        {
            Estimated = true;
            used = Counted(body);
        }

        nanoDollars += price is null ? 0 : CostCalculator.Exact(used, price, Units);
        Tokens += used;
    }

    // The line's own question is not at hand: it is taken for one of middle length.
    private TokenUsage Counted(ReadOnlySpan<byte> body)
    {
        using var tap = new OutputTap();
        tap.Observe(body);
        tap.Collect(body, "\"text\""u8);
        return new TokenUsage { Input = Math.Max(1, lines.BodyBytes / Math.Max(1, lines.Count) / 4), Output = TokenCounter.CountEscaped(tap.Text, tap.Bytes) };
    }

    /// <summary>The status of a line's response, and where its body stands.</summary>
    private static (int Status, int Start, int End) Read(ReadOnlySpan<byte> line)
    {
        try
        {
            var json = new Utf8JsonReader(line, new JsonReaderOptions { MaxDepth = 256 });
            var result = (0, 0, 0);
            json.Read();
            if (json.TokenType != JsonTokenType.StartObject)
            {
                throw new MalformedReplyException("A line of a batch's output is no object.");
            }

            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isResponse = json.ValueTextEquals("response"u8);
                json.Read();
                if (isResponse && json.TokenType == JsonTokenType.StartObject)
                {
                    result = ReadResponse(ref json);
                }
                else
                {
                    json.Skip();
                }
            }

            return result;
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            throw new MalformedReplyException("A line of a batch's output is no JSON.");
        }
    }

    private static (int Status, int Start, int End) ReadResponse(ref Utf8JsonReader json)
    {
        var (status, start, end) = (0, 0, 0);
        while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
        {
            var (isStatus, isBody) = (json.ValueTextEquals("status_code"u8), json.ValueTextEquals("body"u8));
            json.Read();
            if (isStatus && json.TokenType == JsonTokenType.Number)
            {
                json.TryGetInt32(out status);
            }

            var at = (int)json.TokenStartIndex;
            var isObject = json.TokenType == JsonTokenType.StartObject;
            json.Skip();
            if (isBody && isObject)
            {
                (start, end) = (at, (int)json.BytesConsumed);
            }
        }

        return (status, start, end);
    }
}
