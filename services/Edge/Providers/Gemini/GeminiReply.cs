using System.Buffers;
using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Gemini;

/// <summary>Reads Google's whole replies, usage and errors.</summary>
internal static class GeminiReply
{
    private static readonly string[] KnownOfParts = ["text", "thought", "thoughtSignature", "functionCall", "inlineData"];

    /// <summary>Writes OpenAI's reply for Google's.</summary>
    public static ReplyUsage Read(ReadOnlyMemory<byte> reply, in ChatCall call, IBufferWriter<byte> output)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        var root = document.RootElement;
        var candidate = root.Field("candidates"u8).Items().FirstOrDefault();
        AddLosses(root, call.Losses);
        var blocked = root.Field("promptFeedback"u8).Field("blockReason"u8).Given();
        if (candidate.ValueKind != JsonValueKind.Object && !blocked)
        {
            throw new MalformedReplyException("Gemini's reply has no candidate.");
        }

        var completion = new Completion { Id = root.Field("responseId"u8).RawText().ToArray(), Usage = Usage(root.Field("usageMetadata"u8)) };
        var grounding = new GeminiGrounding();
        foreach (var part in candidate.Field("content"u8).Field("parts"u8).Items())
        {
            ReadPart(part, call, completion);
            grounding.Say(part);
        }

        grounding.Cite(candidate.Field("groundingMetadata"u8), completion.Citations, call.Losses);
        grounding.End(call.Losses);
        completion.FinishReason = FinishReason(candidate.Field("finishReason"u8), completion.ToolCallCount > 0, blocked);
        completion.Refusal.Add(Refusal(root, candidate, completion.FinishReason));
        completion.Write(call, output);
        return new ReplyUsage(completion.Usage);
    }

    /// <summary>OpenAI's word for Google's reason to stop: it has none for tools.</summary>
    public static string FinishReason(JsonElement reason, bool hasToolCalls, bool blocked) => reason.Text() switch
    {
        "MAX_TOKENS" => "length",
        "SAFETY" or "RECITATION" or "LANGUAGE" or "BLOCKLIST" or "PROHIBITED_CONTENT" or "SPII" or "IMAGE_SAFETY" or "IMAGE_PROHIBITED_CONTENT" or "IMAGE_RECITATION" or "IMAGE_OTHER" or "NO_IMAGE" or "MODEL_ARMOR" or "OTHER" => "content_filter",
        _ when hasToolCalls => "tool_calls",
        null when blocked => "content_filter",
        _ => "stop",
    };

    /// <summary>Why nothing was said, escaped; empty where something was, or nobody says why.</summary>
    public static ReadOnlySpan<byte> Refusal(JsonElement reply, JsonElement candidate, string finishReason) =>
        finishReason != "content_filter" ? default
        : reply.Field("promptFeedback"u8).Field("blockReasonMessage"u8).RawText() is { IsEmpty: false } ofPrompt ? ofPrompt
        : candidate.Field("finishMessage"u8).RawText();

    /// <summary>
    /// The counts: the prompt's contains the cached ones, and what Google's own tools read comes on top. The candidates' leaves out the thoughts;
    /// some of Google's endpoints have them in it, and only the total shows that.
    /// </summary>
    public static TokenUsage? Usage(JsonElement usage)
    {
        if (!usage.Field("promptTokenCount"u8).Given() && !usage.Field("candidatesTokenCount"u8).Given() && !usage.Field("totalTokenCount"u8).Given())
        {
            return null;
        }

        var prompt = usage.Field("promptTokenCount"u8).Count();
        var cached = Math.Min(prompt, usage.Field("cachedContentTokenCount"u8).Count());

        // Of the audio heard, a part may have been cached: it is counted there and not again.
        var audio = Math.Max(0, Audio(usage.Field("promptTokensDetails"u8)) - Audio(usage.Field("cacheTokensDetails"u8)));
        audio = Math.Min(audio, prompt - cached);
        var written = usage.Field("candidatesTokenCount"u8).Count();
        var thoughts = usage.Field("thoughtsTokenCount"u8).Count();
        var read = usage.Field("toolUsePromptTokenCount"u8).Count();
        var total = usage.Field("totalTokenCount"u8).Count();
        if (thoughts <= written && (total == prompt + read + written || total == prompt + written))
        {
            written -= thoughts;
        }

        var spoken = Math.Min(written, Audio(usage.Field("candidatesTokensDetails"u8)));
        return new TokenUsage
        {
            Input = prompt - cached - audio + read,
            CachedInput = cached,
            InputAudio = audio,
            Output = written - spoken,
            OutputAudio = spoken,
            Reasoning = thoughts,
        };
    }

    /// <summary>What Google's error says.</summary>
    public static ProviderError ReadError(int status, ReadOnlySpan<byte> body)
    {
        ErrorText.TryRead(body, out var text);
        var keyRefused = text.Message?.Contains("API key", StringComparison.OrdinalIgnoreCase) == true;
        var kind = (text.Type, status) switch
        {
            ("RESOURCE_EXHAUSTED", _) or (_, 429) => ProviderErrorKind.RateLimited,
            ("UNAUTHENTICATED" or "PERMISSION_DENIED", _) or (_, 401 or 403) => ProviderErrorKind.Authentication,
            ("UNAVAILABLE", _) or (_, 503) when ErrorText.SaysOverloaded(text.Message) => ProviderErrorKind.RateLimited,
            ("INVALID_ARGUMENT" or "FAILED_PRECONDITION" or "NOT_FOUND" or "OUT_OF_RANGE", _) or (_, 400 or 404 or 413) =>
                keyRefused ? ProviderErrorKind.Authentication
                : ErrorText.SaysContextWindow(text.Message) ? ProviderErrorKind.ContextWindow
                : ErrorText.SaysContentPolicy(text.Message) ? ProviderErrorKind.ContentPolicy
                : ProviderErrorKind.BadRequest,
            _ => ProviderErrorKind.Failed,
        };
        return new ProviderError(kind, text.MessageOr(status), text.Type);
    }

    /// <summary>The id of a call: Google gives one only lately.</summary>
    public static ReadOnlySpan<byte> ToolCallId(JsonElement functionCall, Guid request, int index) =>
        functionCall.Field("id"u8).RawText() is { IsEmpty: false } id ? id : Encoding.ASCII.GetBytes(CompletionIds.ForToolCall(request, index));

    /// <summary>Names what OpenAI's chat has no place for.</summary>
    public static void AddLosses(JsonElement reply, ReplyLosses? losses)
    {
        if (losses is null)
        {
            return;
        }

        var candidates = reply.Field("candidates"u8);
        if (candidates.Items().Count() > 1)
        {
            losses.Add("candidates");
        }

        var candidate = candidates.Items().FirstOrDefault();
        if (candidate.Field("citationMetadata"u8).Fields().Any())
        {
            losses.Add("citationMetadata");
        }

        if (candidate.Field("urlContextMetadata"u8).Fields().Any())
        {
            losses.Add("urlContextMetadata");
        }

        foreach (var part in candidate.Field("content"u8).Field("parts"u8).Items())
        {
            if (IsThought(part) && part.Field("inlineData"u8).Given())
            {
                losses.Add("thought.inlineData");
            }

            losses.AddOthers(part, KnownOfParts);
        }
    }

    /// <summary>Whether a part is what the model thought.</summary>
    public static bool IsThought(JsonElement part) => part.Field("thought"u8).ValueKind == JsonValueKind.True;

    private static void ReadPart(JsonElement part, in ChatCall call, Completion completion)
    {
        var isThought = IsThought(part);
        (isThought ? completion.Reasoning : completion.Content).Add(part.Field("text"u8).RawText());
        var signature = part.Field("thoughtSignature"u8);
        var function = part.Field("functionCall"u8);
        if (function.ValueKind == JsonValueKind.Object)
        {
            var arguments = function.Field("args"u8);
            completion.AddToolCall(
                SignedCallId.Join(ToolCallId(function, call.Id, completion.ToolCallCount), signature.Text()),
                function.Field("name"u8).RawText(),
                arguments.ValueKind == JsonValueKind.Object ? arguments.Raw() : default,
                signature.RawText());
        }
        else if (!signature.RawText().IsEmpty && !isThought)
        {
            completion.TextSignature = signature.RawText().ToArray();
        }

        // What a model draws while it thinks is a draft.
        var picture = part.Field("inlineData"u8);
        if (!isThought && picture.Field("data"u8).ValueKind == JsonValueKind.String)
        {
            completion.AddImage(picture.Field("mimeType"u8).RawText(), picture.Field("data"u8).RawText());
        }
    }

    private static long Audio(JsonElement details) =>
        details.Items().Where(detail => detail.Field("modality"u8).Is("AUDIO"u8)).Sum(detail => detail.Field("tokenCount"u8).Count());
}
