using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Providers.Anthropic;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Bedrock;

/// <summary>Reads Converse's whole replies, usage and errors.</summary>
internal static class BedrockReply
{
    private static readonly string[] KnownOfBlocks = ["text", "citationsContent", "reasoningContent", "toolUse"];

    /// <summary>Writes OpenAI's reply for Converse's.</summary>
    public static ReplyUsage Read(ReadOnlyMemory<byte> reply, in ChatCall call, IBufferWriter<byte> output)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        var root = document.RootElement;
        var message = root.Field("output"u8).Field("message"u8);
        if (message.ValueKind != JsonValueKind.Object)
        {
            throw new MalformedReplyException("Bedrock's reply has no message.");
        }

        var completion = new Completion { Usage = Usage(root.Field("usage"u8)) };
        var answeredInJson = false;
        foreach (var block in message.Field("content"u8).Items())
        {
            ReadText(block, completion, call.Losses);
            ReadReasoning(block.Field("reasoningContent"u8), completion);
            var tool = block.Field("toolUse"u8);
            if (tool.Field("name"u8).Is(JsonReply.ToolName))
            {
                answeredInJson = true;
                completion.Content.Add(EscapedText.Escape(tool.Field("input"u8).Raw()));
            }
            else if (tool.ValueKind == JsonValueKind.Object)
            {
                var input = tool.Field("input"u8);
                completion.AddToolCall(tool.Field("toolUseId"u8).RawText(), tool.Field("name"u8).RawText(), input.Given() ? input.Raw() : default);
            }
        }

        if (SaysMalformed(root.Field("stopReason"u8)))
        {
            throw new MalformedReplyException("Bedrock says that what the model wrote is no reply: call it again.");
        }

        completion.FinishReason = FinishReason(root.Field("stopReason"u8), completion.ToolCallCount > 0, answeredInJson);
        completion.Write(call, output);
        return new ReplyUsage(completion.Usage);
    }

    /// <summary>OpenAI's word for Bedrock's reason to stop.</summary>
    public static string FinishReason(JsonElement reason, bool hasToolCalls, bool answeredInJson) => reason.Text() switch
    {
        "max_tokens" or "model_context_window_exceeded" => "length",
        "tool_use" => hasToolCalls || !answeredInJson ? "tool_calls" : "stop",
        "guardrail_intervened" or "content_filtered" => "content_filter",
        _ => "stop",
    };

    /// <summary>Whether the model wrote something that Bedrock cannot read: half a call, or no answer at all. OpenAI has no word for it, and it must not look finished.</summary>
    public static bool SaysMalformed(JsonElement reason) => reason.Text() is "malformed_model_output" or "malformed_tool_use";

    /// <summary>The counts: what the cache gave and took is not part of <c>inputTokens</c>.</summary>
    public static TokenUsage? Usage(JsonElement usage)
    {
        if (!usage.Field("inputTokens"u8).Given() && !usage.Field("outputTokens"u8).Given())
        {
            return null;
        }

        var written = usage.Field("cacheWriteInputTokens"u8).Count();
        var written1h = Math.Min(
            written,
            usage.Field("cacheDetails"u8).Items().Where(detail => detail.Field("ttl"u8).Is("1h"u8)).Sum(detail => detail.Field("inputTokens"u8).Count()));
        return new TokenUsage
        {
            Input = usage.Field("inputTokens"u8).Count(),
            CachedInput = usage.Field("cacheReadInputTokens"u8).Count(),
            CacheWrite5m = written - written1h,
            CacheWrite1h = written1h,
            Output = usage.Field("outputTokens"u8).Count(),
        };
    }

    /// <summary>What Bedrock's error says.</summary>
    public static ProviderError ReadError(int status, ReadOnlySpan<byte> body)
    {
        ErrorText.TryRead(body, out var text);
        return new ProviderError(KindOf(status, text.Type, text.Message), text.MessageOr(status), text.Type);
    }

    /// <summary>What an exception of the stream says.</summary>
    public static ProviderError ReadStreamError(string exception, ReadOnlySpan<byte> payload)
    {
        ErrorText.TryRead(payload, out var text);
        var type = exception == "error" ? text.Type : exception;
        return new ProviderError(KindOf(500, type, text.Message), text.MessageOr(500), type);
    }

    private static ProviderErrorKind KindOf(int status, string? type, string? message)
    {
        // The type may come with its namespace before it or its documentation's address after it.
        var name = type is null ? "" : type[(type.LastIndexOf('#') + 1)..].Split(':')[0];
        return (char.ToUpperInvariant(name.Length > 0 ? name[0] : ' ') + (name.Length > 0 ? name[1..] : ""), status) switch
        {
            ("ThrottlingException" or "ServiceQuotaExceededException" or "ModelNotReadyException", _) or (_, 429) => ProviderErrorKind.RateLimited,
            ("AccessDeniedException" or "UnrecognizedClientException" or "ExpiredTokenException" or "InvalidSignatureException", _) or (_, 401 or 403) =>
                ProviderErrorKind.Authentication,
            ("ServiceUnavailableException", _) or (_, 503) => ErrorText.SaysOverloaded(message) ? ProviderErrorKind.RateLimited : ProviderErrorKind.Failed,
            ("ValidationException" or "ResourceNotFoundException", _) or (_, 400 or 404 or 413) =>
                ErrorText.SaysContextWindow(message) ? ProviderErrorKind.ContextWindow
                : ErrorText.SaysContentPolicy(message) ? ProviderErrorKind.ContentPolicy
                : ProviderErrorKind.BadRequest,
            _ => ProviderErrorKind.Failed,
        };
    }

    /// <summary>Takes what a block cites.</summary>
    public static void Cite(JsonElement citation, UrlCitations citations, ReplyLosses? losses) =>
        citations.CiteOrName(citation.Field("location"u8).Field("web"u8).Field("url"u8), citation.Field("title"u8), losses);

    /// <summary>A block's text; where it cites something, it stands beside the citations.</summary>
    private static void ReadText(JsonElement block, Completion completion, ReplyLosses? losses)
    {
        var cited = block.Field("citationsContent"u8);
        foreach (var part in cited.Field("content"u8).Items().Prepend(block))
        {
            var text = part.Field("text"u8).RawText();
            completion.Content.Add(text);
            completion.Citations.Say(text);
        }

        foreach (var citation in cited.Field("citations"u8).Items())
        {
            Cite(citation, completion.Citations, losses);
        }

        completion.Citations.CloseBlock();
        losses?.AddOthers(block, KnownOfBlocks);
    }

    private static void ReadReasoning(JsonElement reasoning, Completion completion)
    {
        var text = reasoning.Field("reasoningText"u8);
        if (text.ValueKind == JsonValueKind.Object)
        {
            completion.Reasoning.Add(text.Field("text"u8).RawText());
            completion.ThinkingBlocks.Add(Block("thinking", text.Field("text"u8), text.Field("signature"u8)));
        }
        else if (reasoning.Field("redactedContent"u8).ValueKind == JsonValueKind.String)
        {
            completion.ThinkingBlocks.Add(Block("redacted_thinking", reasoning.Field("redactedContent"u8), default));
        }
    }

    /// <summary>The block in Anthropic's form, which is the one that callers send back.</summary>
    private static JsonElement Block(string type, JsonElement text, JsonElement signature)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(buffer, Completion.Writing))
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, type);
            if (text.Given())
            {
                writer.WriteCopy(type == "thinking" ? "thinking"u8 : "data"u8, text);
            }

            if (signature.Given())
            {
                writer.WriteCopy("signature"u8, signature);
            }

            writer.WriteEndObject();
        }

        using var document = JsonDocument.Parse(buffer.WrittenMemory);
        return document.RootElement.Clone();
    }
}
