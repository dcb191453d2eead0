using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;

namespace Gateway.Edge.GeminiApi;

/// <summary>Writes one object of Gemini's: a whole answer, or a piece of one. They have the same members.</summary>
internal readonly struct GeminiAnswer(Utf8JsonWriter json, RequestExchange exchange, OwnToolNames names)
{
    /// <summary>What each begins with; the list of candidates stays open.</summary>
    public void Start()
    {
        json.WriteStartObject();
        json.WriteStartArray("candidates"u8);
    }

    /// <summary>One answer of several, or a piece of it.</summary>
    /// <param name="index">Which of them.</param>
    /// <param name="logprobs">Its log probabilities, in OpenAI's words.</param>
    /// <param name="said">Its message or its delta.</param>
    /// <param name="seal">Thinking with its signature, which goes back with the next request.</param>
    /// <param name="calls">Its calls of tools: whole ones.</param>
    /// <param name="finishReason">OpenAI's word for why it ended; null while it goes on.</param>
    public void WriteCandidate(int index, JsonElement logprobs, JsonElement said, ThinkingSeal? seal, IReadOnlyCollection<StreamedCall> calls, string? finishReason)
    {
        json.WriteStartObject();
        json.WriteStartObject("content"u8);
        json.WriteStartArray("parts"u8);
        var parts = WriteThought(ChatRequest.ThoughtsOf(said), seal?.ToText()) | WriteText(said.Field("content"u8)) | WriteText(said.Field("refusal"u8)) | WritePictures(said.Field("images"u8));
        WriteCalls(calls);
        if (!parts && calls.Count == 0)
        {
            // Google's last piece has such a part, too: clients take a content without any for a broken one.
            json.WriteStartObject();
            json.WriteString("text"u8, ""u8);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteString("role"u8, "model"u8);
        json.WriteEndObject();
        if (finishReason is not null)
        {
            json.WriteString("finishReason"u8, FinishReason(finishReason));
        }

        json.WriteNumber("index"u8, index);
        WriteLogprobs(logprobs.Field("content"u8));
        json.WriteEndObject();
    }

    /// <summary>Closes the object.</summary>
    /// <param name="usage">The tokens; null in a piece that is not the last.</param>
    /// <param name="cost">What it cost; null where that is not said.</param>
    public void End(TokenUsage? usage, Money? cost = null)
    {
        json.WriteEndArray();
        if (usage is not null)
        {
            WriteUsage(usage, cost);
        }

        json.WriteString("modelVersion"u8, exchange.Head.ModelName);
        json.WriteString("responseId"u8, exchange.Id);
        json.WriteEndObject();
    }

    /// <summary>Google's word for why an answer ended: it has none for tools.</summary>
    private static string FinishReason(string finishReason) => finishReason switch
    {
        "length" => "MAX_TOKENS",
        "content_filter" => "SAFETY",
        _ => "STOP",
    };

    /// <summary>Google's usage: cached tokens are part of the prompt, and thoughts are none of the candidates'.</summary>
    private void WriteUsage(TokenUsage usage, Money? cost)
    {
        json.WriteStartObject("usageMetadata"u8);
        if (cost is { } amount)
        {
            json.WriteNumber("cost"u8, amount.ToDollars());
        }

        json.WriteNumber("promptTokenCount"u8, usage.PromptTokens);
        json.WriteNumber("candidatesTokenCount"u8, usage.CompletionTokens - usage.Reasoning);
        json.WriteNumber("totalTokenCount"u8, usage.PromptTokens + usage.CompletionTokens);
        if (usage.CachedInput > 0)
        {
            json.WriteNumber("cachedContentTokenCount"u8, usage.CachedInput);
        }

        if (usage.Reasoning > 0)
        {
            json.WriteNumber("thoughtsTokenCount"u8, usage.Reasoning);
        }

        WriteModalities("promptTokensDetails"u8, usage.PromptTokens, usage.InputAudio);
        WriteModalities("candidatesTokensDetails"u8, usage.CompletionTokens - usage.Reasoning, usage.OutputAudio);
        json.WriteEndObject();
    }

    /// <summary>Of what kind the tokens were: known where some are sound. Pictures are not told apart from text.</summary>
    private void WriteModalities(ReadOnlySpan<byte> name, long all, long audio)
    {
        if (audio == 0)
        {
            return;
        }

        json.WriteStartArray(name);
        foreach (var (modality, count) in (ReadOnlySpan<(string, long)>)[("TEXT", all - audio), ("AUDIO", audio)])
        {
            json.WriteStartObject();
            json.WriteString("modality"u8, modality);
            json.WriteNumber("tokenCount"u8, count);
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private bool WriteThought(JsonElement thought, string? sealedBlocks)
    {
        if (thought.RawText().IsEmpty && sealedBlocks is null)
        {
            return false;
        }

        json.WriteStartObject();
        json.WritePropertyName("text"u8);
        json.WriteRawValue(thought.RawText().IsEmpty ? "\"\""u8 : thought.Raw(), skipInputValidation: true);
        json.WriteBoolean("thought"u8, true);
        if (sealedBlocks is not null)
        {
            json.WriteString("thoughtSignature"u8, GeminiThoughts.Signature(sealedBlocks));
        }

        json.WriteEndObject();
        return true;
    }

    private bool WriteText(JsonElement text)
    {
        if (text.RawText().IsEmpty)
        {
            return false;
        }

        json.WriteStartObject();
        json.WriteCopy("text"u8, text);
        json.WriteEndObject();
        return true;
    }

    private bool WritePictures(JsonElement images)
    {
        var any = false;
        foreach (var image in images.Items())
        {
            if (Attachment.From(image.Field("image_url"u8).Field("url"u8).Text()) is { Base64: { } bytes } picture)
            {
                any = true;
                json.WriteStartObject();
                json.WriteStartObject("inlineData"u8);
                json.WriteString("mimeType"u8, picture.MediaType);
                json.WriteString("data"u8, bytes);
                json.WriteEndObject();
                json.WriteEndObject();
            }
        }

        return any;
    }

    private void WriteCalls(IReadOnlyCollection<StreamedCall> calls)
    {
        foreach (var call in calls)
        {
            json.WriteStartObject();
            json.WriteStartObject("functionCall"u8);
            json.WriteString("id"u8, call.Id);
            json.WriteString("name"u8, names.Of(call.Name));
            json.WritePropertyName("args"u8);
            ToolArguments.Write(json, call.Arguments.ToString());
            json.WriteEndObject();
            if (call.Signature is not null)
            {
                json.WriteString("thoughtSignature"u8, call.Signature);
            }

            json.WriteEndObject();
        }
    }

    /// <summary>How likely each token was, and those that could have stood there.</summary>
    private void WriteLogprobs(JsonElement tokens)
    {
        if (!tokens.Items().Any())
        {
            return;
        }

        json.WriteStartObject("logprobsResult"u8);
        json.WriteStartArray("chosenCandidates"u8);
        foreach (var token in tokens.Items())
        {
            WriteToken(token);
        }

        json.WriteEndArray();
        json.WriteStartArray("topCandidates"u8);
        foreach (var token in tokens.Items())
        {
            json.WriteStartObject();
            json.WriteStartArray("candidates"u8);
            foreach (var likely in token.Field("top_logprobs"u8).Items())
            {
                WriteToken(likely);
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private void WriteToken(JsonElement token)
    {
        json.WriteStartObject();
        json.WriteFieldAs(token, "token", "token");
        json.WriteFieldAs(token, "logprob", "logProbability");
        json.WriteEndObject();
    }
}
