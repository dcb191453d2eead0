using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Images;

/// <summary><c>POST /v1/images/generations</c>, OpenAI's form: billed by the picture, or (<c>gpt-image-1</c>) by the tokens that it is made of.</summary>
internal sealed class ImagesOperation(WholeReply whole) : JsonOperation(OperationKind.Images, whole)
{
    /// <summary>The most tokens of one picture: 1536 × 1024 in high quality has 6,240 (OpenAI's price page).</summary>
    private const int TokensOfOneMax = 6_240;

    public override string CallType => "image_generation";

    public override string Name => "generate_content";

    protected override OperationUse Most(RequestExchange exchange) => new(new TokenUsage
    {
        Input = exchange.Body.Memory.Length,
        Output = (long)TokensOfOneMax * exchange.Head.Choices,
        Images = exchange.Head.Choices,
    });

    protected override OperationUse Expected(RequestExchange exchange) => new(new TokenUsage
    {
        Input = Math.Max(1, exchange.Body.Memory.Length / 4),
        Output = exchange.Grant.Expectation.Output ?? (long)TokensOfOneMax / 4 * exchange.Head.Choices,
        Images = exchange.Head.Choices,
    });

    protected override OperationUse? ReadUse(RequestExchange exchange, ReadOnlySpan<byte> reply)
    {
        var images = Images(reply);
        if (OpenAiUsage.TryReadWhole(reply, out var usage))
        {
            return new(usage with { Images = images });
        }

        // Who bills by the picture reports no tokens. A price by the token without a report can only be estimated.
        return exchange.Target?.Price is { PerImage: > 0 } or null ? new(new TokenUsage { Images = images }) : null;
    }

    /// <summary>How many pictures there are: read without holding what may be megabytes of them.</summary>
    private static long Images(ReadOnlySpan<byte> reply)
    {
        try
        {
            var json = new Utf8JsonReader(reply);
            if (!json.Read() || json.TokenType != JsonTokenType.StartObject)
            {
                throw new MalformedReplyException("The reply is no JSON object.");
            }

            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                var isData = json.ValueTextEquals("data"u8);
                json.Read();
                if (!isData || json.TokenType != JsonTokenType.StartArray)
                {
                    json.Skip();
                    continue;
                }

                long images = 0;
                while (json.Read() && json.TokenType != JsonTokenType.EndArray)
                {
                    images++;
                    json.Skip();
                }

                return images;
            }

            return 0;
        }
        catch (JsonException)
        {
            throw new MalformedReplyException("The reply is no JSON object.");
        }
    }
}
