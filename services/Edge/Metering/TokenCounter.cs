using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Providers.OpenAi;
using Microsoft.ML.Tokenizers;

namespace Gateway.Edge.Metering;

/// <summary>
/// Counts tokens that a provider did not report. Never on the warm path: only for an answer without usage and for a request that runs
/// guarded. Text beyond <see cref="CharactersMax"/> is counted by proportion, and what is shorter in linear time: hostile input costs no more than
/// that.
/// </summary>
internal static class TokenCounter
{
    /// <summary>The longest text that is counted.</summary>
    public const int CharactersMax = 256 * 1024;

    /// <summary>
    /// The longest text that the tokenizer is given at once: a long word takes it the square of the word's length, and somebody may send one on
    /// purpose.
    /// </summary>
    private const int PieceCharacters = 512;

    // OpenAI's o200k vocabulary stands for every provider: within a few percent for text, and the record says that it is an estimate.
    // It is some 45 MiB, and many an edge needs it once, for a client that left.
    private static readonly ReleasedWhenIdle<TiktokenTokenizer> Tokenizer = new(() => TiktokenTokenizer.CreateForEncoding("o200k_base"), TimeSpan.FromMinutes(3), TimeProvider.System);

    /// <summary>What a provider reports of an answer; null when it says that nothing was read and nothing written, for then it did not count.</summary>
    public static TokenUsage? Reported(TokenUsage? usage) => usage is { PromptTokens: 0, CompletionTokens: 0 } ? null : usage;

    /// <summary>The tokens of a text; of a very long one by proportion.</summary>
    public static long Count(ReadOnlySpan<char> text) => text.Length <= CharactersMax
        ? CountAll(text)
        : (long)Math.Ceiling(CountAll(text[..CharactersMax]) * ((double)text.Length / CharactersMax));

    /// <summary>
    /// The tokens of a text of any length, in a time that grows as its length does: piece by piece, between words where there are any, for no
    /// token reaches over a space into the next word. Where there are none, the cut costs a token at most.
    /// </summary>
    public static long CountAll(ReadOnlySpan<char> text)
    {
        long tokens = 0;
        while (!text.IsEmpty)
        {
            var length = PieceOf(text);
            tokens += Tokenizer.Value.CountTokens(text[..length]);
            text = text[length..];
        }

        return tokens;
    }

    /// <summary>The tokens of text as it stands in JSON, without its quotes.</summary>
    public static long CountEscaped(ReadOnlySpan<byte> text, long bytesSeen)
    {
        if (text.IsEmpty)
        {
            return 0;
        }

        var counted = Count(Unescape(text));
        return bytesSeen > text.Length ? counted * bytesSeen / text.Length : counted;
    }

    // What frames a message (its start, role, text and end) and what asks for the answer, in OpenAI's current format. Its older one has one more in all.
    private const int TokensOfAMessage = 4;
    private const int TokensOfTheAnswersStart = 2;

    // What a reasoning model of OpenAI is told about the use of tools when there are any, beside their definitions.
    private const int TokensOfToolsForReasoning = 80;

    /// <summary>The prompt tokens of a request: its texts, and the few tokens that frame each message and the answer. A plain prompt has no frame.</summary>
    /// <param name="body">The request, in whatever protocol.</param>
    /// <param name="openAiModel">Which model of OpenAI's reads it; null for those of others.</param>
    public static long CountPrompt(ReadOnlyMemory<byte> body, string? openAiModel = null)
    {
        long tokens = 0;
        try
        {
            var json = new Utf8JsonReader(body.Span, new JsonReaderOptions { MaxDepth = 128 });
            var (inTexts, inMessages, isTools, isFrame, messages, texts) = (false, false, false, false, 0, 0);
            var left = (long)CharactersMax;
            long uncounted = 0;
            while (json.Read())
            {
                switch (json.TokenType)
                {
                    case JsonTokenType.PropertyName when json.CurrentDepth == 1:
                        inMessages = json.ValueTextEquals("messages"u8) || json.ValueTextEquals("contents"u8);
                        isTools = json.ValueTextEquals("tools"u8);
                        inTexts = inMessages || json.ValueTextEquals("prompt"u8) || json.ValueTextEquals("input"u8)
                            || json.ValueTextEquals("system"u8) || json.ValueTextEquals("texts"u8) || json.ValueTextEquals("inputs"u8) || json.ValueTextEquals("instructions"u8)
                            || json.ValueTextEquals("systemInstruction"u8) || json.ValueTextEquals("system_instruction"u8) || json.ValueTextEquals("content"u8) || json.ValueTextEquals("requests"u8);
                        isFrame = false;
                        break;

                    // Bytes in base64, and where there are some: Gemini's have no mark in themselves.
                    case JsonTokenType.PropertyName when inTexts
                        && (json.ValueTextEquals("inlineData"u8) || json.ValueTextEquals("inline_data"u8) || json.ValueTextEquals("fileData"u8) || json.ValueTextEquals("file_data"u8)):
                        json.Skip();
                        break;

                    // The role is in the frame; a part's type and the ids of calls are not sent to the model.
                    case JsonTokenType.PropertyName:
                        isFrame = json.ValueTextEquals("role"u8) || json.ValueTextEquals("type"u8) || json.ValueTextEquals("id"u8)
                            || json.ValueTextEquals("tool_call_id"u8) || json.ValueTextEquals("call_id"u8) || json.ValueTextEquals("tool_use_id"u8)
                            || json.ValueTextEquals("images"u8) || json.ValueTextEquals("thoughtSignature"u8) || json.ValueTextEquals("thought_signature"u8);
                        break;

                    case JsonTokenType.StartArray when isTools && json.CurrentDepth == 1:
                        using (var definitions = JsonDocument.ParseValue(ref json))
                        {
                            tokens += CountTools(definitions.RootElement, openAiModel);
                        }

                        texts++;
                        break;

                    case JsonTokenType.StartObject when inMessages && json.CurrentDepth == 2:
                        messages++;
                        break;

                    // A picture in base64 is no text: what it costs cannot be seen here.
                    case JsonTokenType.String when inTexts && !isFrame && !json.ValueSpan.StartsWith("data:"u8):
                        texts++;
                        if (json.ValueSpan.Length <= left)
                        {
                            left -= json.ValueSpan.Length;
                            tokens += Count(json.GetString()!);
                        }
                        else
                        {
                            uncounted += json.ValueSpan.Length;
                        }

                        break;
                }
            }

            if (texts == 0 && messages == 0)
            {
                return body.Length / 4;
            }

            return tokens + (uncounted / 4) + (messages * TokensOfAMessage) + (messages > 0 ? TokensOfTheAnswersStart : 0);
        }
        catch (Exception error) when (error is JsonException or InvalidOperationException)
        {
            return body.Length / 4;
        }
    }

    /// <summary>A usage that was counted here.</summary>
    public static TokenUsage Estimate(ReadOnlyMemory<byte> body, string? openAiModel, ReadOnlySpan<byte> escapedOutput, long outputBytes) =>
        new() { Input = CountPrompt(body, openAiModel), Output = CountEscaped(escapedOutput, outputBytes) };

    // Other models than OpenAI's are shown the definitions as they stand here, or in as many words.
    private static long CountTools(JsonElement tools, string? openAiModel)
    {
        if (openAiModel is null)
        {
            return Count(tools.GetRawText());
        }

        var text = ToolText.Of(tools);
        return text.Length == 0 ? 0 : Count(text) + (OpenAiModel.Reasons(openAiModel) ? TokensOfToolsForReasoning : 0);
    }

    private static int PieceOf(ReadOnlySpan<char> text)
    {
        if (text.Length <= PieceCharacters)
        {
            return text.Length;
        }

        for (var at = PieceCharacters - 1; at > PieceCharacters / 2; at--)
        {
            if (IsCut(text, at))
            {
                return at;
            }
        }

        return char.IsHighSurrogate(text[PieceCharacters - 1]) ? PieceCharacters - 1 : PieceCharacters;
    }

    /// <summary>Where a text that goes on can be cut for good, as late as it can: what is behind it changes nothing before it. 0 for nowhere.</summary>
    public static int LastCut(ReadOnlySpan<char> text)
    {
        for (var at = text.Length - 2; at > 0; at--)
        {
            if (IsCut(text, at))
            {
                return at;
            }
        }

        return text.Length > PieceCharacters ? PieceOf(text) : 0;
    }

    // A space belongs to the word behind it; several of them to each other.
    private static bool IsCut(ReadOnlySpan<char> text, int at) => text[at] == ' ' && !char.IsWhiteSpace(text[at - 1]) && !char.IsWhiteSpace(text[at + 1]);

    /// <summary>Text as it stands in JSON, without its quotes, as it is meant.</summary>
    public static string Unescape(ReadOnlySpan<byte> text)
    {
        if (!text.Contains((byte)'\\'))
        {
            return Encoding.UTF8.GetString(text);
        }

        try
        {
            return JsonSerializer.Deserialize("\"" + Encoding.UTF8.GetString(text) + "\"", EdgeJson.Default.String) ?? "";
        }
        catch (JsonException)
        {
            return Encoding.UTF8.GetString(text);
        }
    }
}
