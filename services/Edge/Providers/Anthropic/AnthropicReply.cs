using System.Buffers;
using System.Text.Json;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Anthropic;

/// <summary>Reads Anthropic's whole replies and errors.</summary>
internal static class AnthropicReply
{
    /// <summary>Writes OpenAI's reply for Anthropic's.</summary>
    public static ReplyUsage Read(ReadOnlyMemory<byte> reply, in ChatCall call, IBufferWriter<byte> output)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        var message = document.RootElement;
        if (message.Field("content"u8).ValueKind != JsonValueKind.Array)
        {
            throw new MalformedReplyException("Anthropic's reply has no content.");
        }

        var completion = new Completion { Id = message.Field("id"u8).RawText().ToArray() };
        var answeredInJson = false;
        foreach (var block in message.Field("content"u8).EnumerateArray())
        {
            answeredInJson |= ReadBlock(block, completion, call.Losses);
        }

        completion.Refusal.Add(Explanation(message));

        var usage = new AnthropicUsage();
        usage.Take(message.Field("usage"u8));
        completion.Usage = usage.Tokens;
        completion.FinishReason = FinishReason(message.Field("stop_reason"u8), completion.ToolCallCount > 0, answeredInJson);
        completion.Write(call, output);
        return new ReplyUsage(completion.Usage, usage.Tier);
    }

    /// <summary>OpenAI's word for Anthropic's reason to stop. A reason that is new ends the answer as usual.</summary>
    public static string FinishReason(JsonElement reason, bool hasToolCalls, bool answeredInJson) => reason.Text() switch
    {
        "max_tokens" or "model_context_window_exceeded" => "length",
        "refusal" => "content_filter",
        "tool_use" => hasToolCalls || !answeredInJson ? "tool_calls" : "stop",
        _ => "stop",
    };

    /// <summary>Why it refused, escaped; empty where it did not, or does not say.</summary>
    public static ReadOnlySpan<byte> Explanation(JsonElement stopped) => stopped.Field("stop_details"u8).Field("explanation"u8).RawText();

    /// <summary>What Anthropic's error says.</summary>
    public static ProviderError ReadError(int status, ReadOnlySpan<byte> body)
    {
        ErrorText.TryRead(body, out var text);
        var kind = (text.Type, status) switch
        {
            ("overloaded_error" or "rate_limit_error", _) or (_, 429 or 529) => ProviderErrorKind.RateLimited,
            ("authentication_error" or "permission_error" or "billing_error", _) or (_, 401 or 402 or 403) => ProviderErrorKind.Authentication,
            ("invalid_request_error" or "not_found_error" or "request_too_large", _) or (_, 400 or 404 or 413 or 422) => ByWords(text.Message),
            _ => ProviderErrorKind.Failed,
        };
        return new ProviderError(kind, text.MessageOr(status), text.Type);
    }

    /// <summary>An error in mid-stream, where no status says what it means.</summary>
    public static ProviderError ReadStreamError(ReadOnlySpan<byte> data) => ReadError(500, data);

    /// <summary>Takes what a block cites.</summary>
    public static void Cite(JsonElement citation, UrlCitations citations, ReplyLosses? losses) =>
        citations.CiteOrName(citation.Field(citation.Field("type"u8).Is("search_result_location"u8) ? "source"u8 : "url"u8), citation.Field("title"u8), losses);

    private static ProviderErrorKind ByWords(string? message) =>
        ErrorText.SaysContextWindow(message) ? ProviderErrorKind.ContextWindow
        : message?.Contains("credit balance", StringComparison.OrdinalIgnoreCase) == true ? ProviderErrorKind.Authentication
        : ErrorText.SaysContentPolicy(message) ? ProviderErrorKind.ContentPolicy
        : ProviderErrorKind.BadRequest;

    /// <summary>Takes one block; true when it is the answer of the JSON tool.</summary>
    private static bool ReadBlock(JsonElement block, Completion completion, ReplyLosses? losses)
    {
        switch (block.Field("type"u8).Text())
        {
            case "text":
                var text = block.Field("text"u8).RawText();
                completion.Content.Add(text);
                completion.Citations.Say(text);
                foreach (var citation in block.Field("citations"u8).Items())
                {
                    Cite(citation, completion.Citations, losses);
                }

                completion.Citations.CloseBlock();
                break;
            case "thinking":
                completion.Reasoning.Add(block.Field("thinking"u8).RawText());
                completion.ThinkingBlocks.Add(block.Clone());
                break;
            case "redacted_thinking":
                completion.ThinkingBlocks.Add(block.Clone());
                break;
            case "tool_use" when block.Field("name"u8).Is(JsonReply.ToolName):
                completion.Content.Add(EscapedText.Escape(block.Field("input"u8).Raw()));
                return true;
            case "tool_use":
                var input = block.Field("input"u8);
                completion.AddToolCall(block.Field("id"u8).RawText(), block.Field("name"u8).RawText(), input.Given() ? input.Raw() : default);
                break;
            case { } other:
                // Anthropic runs its own tools (server_tool_use and their results) itself: OpenAI's chat has no place for the protocol of that.
                losses?.Add(other);
                break;
        }

        return false;
    }
}
