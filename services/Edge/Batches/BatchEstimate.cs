using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Routing;
using Gateway.Pricing;

namespace Gateway.Edge.Batches;

/// <summary>
/// The most that a line of a batch can cost, at the price of batches. A batch has many lines and cannot be stopped in the middle, so its worst
/// case is held as a whole, and a bound that is many times too large would refuse what fits. Where the vocabulary is known, text is counted
/// instead of taken for a token a byte.
/// </summary>
internal static class BatchEstimate
{
    /// <summary>What a model is told besides the body, which is counted with all its JSON: more than the frames of its messages.</summary>
    private const int UnseenTokens = 128;

    /// <summary>The most that a picture is read as, in OpenAI's guide to vision; the small model of GPT-4o counts them many times.</summary>
    private const int PictureTokensMax = 4_096;
    private const int PictureTokensMaxOfSmallGpt4o = 48_169;

    /// <summary>The most that a line can cost; nothing for a model without a price.</summary>
    public static Money WorstCase(BatchEndpoint endpoint, ReadOnlySpan<byte> body, in RequestHead head, Deployment target)
    {
        if (target.Price is not { } price)
        {
            return Money.Zero;
        }

        return endpoint.Writes
            ? CostCalculator.WorstCase(Input(body, target), Estimates.Output(head.MaxTokens, target), head.Choices, price, PossibleTokens.All, ServiceTier.Batch)
            : CostCalculator.WorstCase(body.Length, 0, 1, price, PossibleTokens.Text, ServiceTier.Batch);
    }

    /// <summary>No fewer than the tokens that a line's prompt has.</summary>
    public static long Input(ReadOnlySpan<byte> body, Deployment target)
    {
        var parts = Parts.Of(body);
        var window = target.Price?.ContextWindow;
        var text = parts.DataBytes == 0 && target.OpenAiModel is { } model && OpenAiModel.ReadsO200k(model)
            ? TokenCounter.CountAll(Encoding.UTF8.GetString(body)) + UnseenTokens
            : body.Length - parts.DataBytes + Estimates.FramingTokens;
        var bound = text + ((long)parts.Pictures * (target.OpenAiModel?.StartsWith("gpt-4o-mini", StringComparison.Ordinal) == true ? PictureTokensMaxOfSmallGpt4o : PictureTokensMax));

        // A file, a recording or a tool of the provider's own may fill the window, whatever its size; nothing is read beyond it.
        return parts.ReadsMore ? Math.Max(bound, window ?? Estimates.ContextWindow) : window is { } most ? Math.Min(bound, most) : bound;
    }

    /// <summary>What a body has besides text.</summary>
    private readonly record struct Parts(int Pictures, bool ReadsMore, int DataBytes)
    {
        public static Parts Of(ReadOnlySpan<byte> body)
        {
            var (pictures, readsMore, dataBytes, isType) = (0, false, 0, false);
            var json = new Utf8JsonReader(body, new JsonReaderOptions { MaxDepth = 128 });
            while (json.Read())
            {
                if (json.TokenType == JsonTokenType.PropertyName)
                {
                    isType = json.CanBeCompared() && json.ValueTextEquals("type"u8);
                    continue;
                }

                if (json.TokenType == JsonTokenType.String)
                {
                    if (isType && json.CanBeCompared() && (json.ValueTextEquals("image_url"u8) || json.ValueTextEquals("input_image"u8)))
                    {
                        pictures++;
                    }
                    else if (isType && IsReadByProvider(ref json))
                    {
                        readsMore = true;
                    }
                    else if (json.ValueSpan.StartsWith("data:"u8))
                    {
                        dataBytes += json.ValueSpan.Length;
                    }
                }

                isType = false;
            }

            return new Parts(pictures, readsMore, dataBytes);
        }

        private static bool IsReadByProvider(ref Utf8JsonReader type) =>
            type.ValueIsEscaped || type.ValueTextEquals("file"u8) || type.ValueTextEquals("input_file"u8) || type.ValueTextEquals("input_audio"u8) || type.ValueTextEquals("video_url"u8)
            || type.ValueTextEquals("input_video"u8) || type.ValueTextEquals("file_search"u8) || type.ValueTextEquals("code_interpreter"u8) || type.ValueTextEquals("mcp"u8)
            || type.ValueSpan.StartsWith("web_search"u8) || type.ValueSpan.StartsWith("computer"u8) || type.ValueTextEquals("image_generation"u8);
    }
}
