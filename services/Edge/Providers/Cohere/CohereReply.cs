using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Cohere;

/// <summary>Reads Cohere's whole replies and errors.</summary>
internal static class CohereReply
{
    /// <summary>Writes OpenAI's reply for Cohere's.</summary>
    public static ReplyUsage Read(ReadOnlyMemory<byte> reply, in ChatCall call, IBufferWriter<byte> output)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        var root = document.RootElement;
        var message = root.Field("message"u8);
        if (message.ValueKind != JsonValueKind.Object)
        {
            throw new MalformedReplyException("Cohere's reply has no message.");
        }

        if (root.Field("finish_reason"u8).Is("ERROR"u8) || root.Field("finish_reason"u8).Is("TIMEOUT"u8))
        {
            throw new MalformedReplyException("Cohere broke the answer off.");
        }

        var completion = new Completion { Id = root.Field("id"u8).RawText().ToArray(), Usage = Usage(root.Field("usage"u8)) };
        completion.Reasoning.Add(message.Field("tool_plan"u8).RawText());
        completion.Content.Add(message.Field("content"u8).RawText());
        foreach (var part in message.Field("content"u8).Items())
        {
            completion.Content.Add(part.Field("text"u8).RawText());
            completion.Reasoning.Add(part.Field("thinking"u8).RawText());
        }

        foreach (var toolCall in message.Field("tool_calls"u8).Items())
        {
            var function = toolCall.Field("function"u8);
            completion.AddToolCallText(toolCall.Field("id"u8).RawText(), function.Field("name"u8).RawText(), function.Field("arguments"u8).RawText());
        }

        if (message.Field("citations"u8).Items().Any())
        {
            call.Losses?.Add("citations");
        }

        if (root.Field("logprobs"u8).Items().Any())
        {
            call.Losses?.Add("logprobs");
        }

        completion.FinishReason = FinishReason(root.Field("finish_reason"u8));
        completion.Write(call, output);
        return new ReplyUsage(completion.Usage);
    }

    /// <summary>OpenAI's word for Cohere's reason to stop.</summary>
    public static string FinishReason(JsonElement reason) => reason.Text() switch
    {
        "MAX_TOKENS" => "length",
        "TOOL_CALL" => "tool_calls",
        "ERROR_TOXIC" => "content_filter",
        _ => "stop",
    };

    /// <summary>What is billed: Cohere's <c>tokens</c> counts its own preamble too, which nobody pays for.</summary>
    public static TokenUsage? Usage(JsonElement usage)
    {
        var tokens = usage.Field("billed_units"u8);
        if (!tokens.Field("input_tokens"u8).Given() && !tokens.Field("output_tokens"u8).Given())
        {
            tokens = usage.Field("tokens"u8);
        }

        if (!tokens.Field("input_tokens"u8).Given() && !tokens.Field("output_tokens"u8).Given())
        {
            return null;
        }

        var input = tokens.Field("input_tokens"u8).Count();

        // The preamble stands first, and what is cached is a beginning: so much of it is of what nobody pays for.
        var preamble = Math.Max(0, usage.Field("tokens"u8).Field("input_tokens"u8).Count() - input);
        var cached = Math.Clamp(usage.Field("cached_tokens"u8).Count() - preamble, 0, input);
        return new TokenUsage { Input = input - cached, CachedInput = cached, Output = tokens.Field("output_tokens"u8).Count() };
    }

    /// <summary>What the end of a stream says went wrong; null when it is a good end.</summary>
    public static ProviderError? ReadStreamError(JsonElement delta)
    {
        var reason = delta.Field("finish_reason"u8);
        if (!reason.Is("ERROR"u8) && !reason.Is("TIMEOUT"u8))
        {
            return null;
        }

        var words = delta.Field("error"u8).Text();
        return new ProviderError(ProviderErrorKind.Failed, words is null ? "Cohere broke the answer off." : ErrorText.Clean(words), reason.Text());
    }

    /// <summary>What Cohere's error says.</summary>
    public static ProviderError ReadError(int status, ReadOnlySpan<byte> body)
    {
        ErrorText.TryRead(body, out var text);
        var kind = status switch
        {
            429 => ProviderErrorKind.RateLimited,
            401 or 402 or 403 => ProviderErrorKind.Authentication,
            498 => ProviderErrorKind.ContentPolicy,
            400 or 404 or 413 or 422 when ErrorText.SaysContextWindow(text.Message) => ProviderErrorKind.ContextWindow,
            400 or 404 or 413 or 422 when ErrorText.SaysContentPolicy(text.Message) => ProviderErrorKind.ContentPolicy,
            400 or 404 or 405 or 413 or 422 => ProviderErrorKind.BadRequest,
            503 when ErrorText.SaysOverloaded(text.Message) => ProviderErrorKind.RateLimited,
            _ => ProviderErrorKind.Failed,
        };
        return new ProviderError(kind, text.MessageOr(status), text.Code ?? text.Type);
    }
}
