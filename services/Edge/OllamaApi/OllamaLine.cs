using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.OllamaApi;

/// <summary>Writes one object of Ollama's: a whole answer, or a line of one. They have the same members.</summary>
internal readonly struct OllamaLine(Utf8JsonWriter json, RequestExchange exchange, bool generates, TimeProvider time)
{
    private const int NanosecondsInMicrosecond = 1_000;

    /// <summary>What each begins with; the object stays open.</summary>
    public void Start()
    {
        json.WriteStartObject();
        json.WriteString("model"u8, exchange.Head.ModelName);
        json.WriteString("created_at"u8, time.GetUtcNow().UtcDateTime);
    }

    /// <summary>What the model said: text, thinking, calls of tools.</summary>
    /// <param name="message">A message or a delta in OpenAI's words.</param>
    /// <param name="calls">Its calls.</param>
    public void WriteSaid(JsonElement message, IReadOnlyCollection<StreamedCall> calls)
    {
        var text = new EscapedText();
        text.Add(message.Field("content"u8).RawText());
        text.Add(message.Field("refusal"u8).RawText());
        if (generates)
        {
            text.Write(json, "response"u8);
            WriteThinking(message);
            return;
        }

        json.WriteStartObject("message"u8);
        json.WriteString("role"u8, "assistant"u8);
        text.Write(json, "content"u8);
        WriteThinking(message);
        WriteCalls(calls);
        json.WriteEndObject();
    }

    /// <summary>How likely each token was: OpenAI and Ollama say it alike.</summary>
    public void WriteLogprobs(JsonElement choice)
    {
        if (choice.Field("logprobs"u8).Field("content"u8) is { ValueKind: JsonValueKind.Array } tokens)
        {
            json.WriteCopy("logprobs"u8, tokens);
        }
    }

    /// <summary>Closes the object of a piece.</summary>
    public void WriteMore()
    {
        json.WriteBoolean("done"u8, false);
        json.WriteEndObject();
    }

    /// <summary>Closes the last object: why it ended, and what it used.</summary>
    public void WriteEnd(string? finishReason, TokenUsage usage, bool streamed, Money? cost = null)
    {
        json.WriteString("done_reason"u8, finishReason == "length" ? "length"u8 : "stop"u8);
        json.WriteBoolean("done"u8, true);
        var total = exchange.ElapsedMicroseconds(time);

        // Nobody says how long the prompt took to read: in a stream it is the time until the first token.
        var reading = streamed ? Math.Min(total, exchange.FirstByteMicroseconds) : 0;
        json.WriteNumber("total_duration"u8, total * NanosecondsInMicrosecond);
        json.WriteNumber("load_duration"u8, 0);
        json.WriteNumber("prompt_eval_count"u8, usage.PromptTokens);
        json.WriteNumber("prompt_eval_duration"u8, reading * NanosecondsInMicrosecond);
        json.WriteNumber("eval_count"u8, usage.CompletionTokens);
        json.WriteNumber("eval_duration"u8, (total - reading) * NanosecondsInMicrosecond);
        if (cost is { } amount)
        {
            json.WriteNumber("cost"u8, amount.ToDollars());
        }

        json.WriteEndObject();
    }

    /// <summary>An error as Ollama's clients read it; the gateway's code stands beside it.</summary>
    public static void WriteError(GatewayError error, IBufferWriter<byte> output)
    {
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        json.WriteStartObject();
        json.WriteString("error"u8, error.Message);
        json.WriteString("code"u8, error.Code);
        json.WriteEndObject();
    }

    private void WriteThinking(JsonElement message)
    {
        if (ChatRequest.ThoughtsOf(message) is var thought && !thought.RawText().IsEmpty)
        {
            json.WriteCopy("thinking"u8, thought);
        }
    }

    private void WriteCalls(IReadOnlyCollection<StreamedCall> calls)
    {
        if (calls.Count == 0)
        {
            return;
        }

        json.WriteStartArray("tool_calls"u8);
        foreach (var call in calls)
        {
            json.WriteStartObject();
            json.WriteString("id"u8, call.Id);
            json.WriteStartObject("function"u8);
            json.WriteNumber("index"u8, call.Index);
            json.WriteString("name"u8, call.Name);
            json.WritePropertyName("arguments"u8);
            ToolArguments.Write(json, call.Arguments.ToString());
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
