using System.Buffers;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Gateway.Contracts;

namespace Gateway.Edge.Providers.OpenAi;

/// <summary>Gathers what a whole reply says and writes it as OpenAI's <c>chat.completion</c>.</summary>
internal sealed class Completion
{
    /// <summary>Text is not escaped beyond what JSON asks for: it goes to an API's client, not into a page.</summary>
    public static readonly JsonWriterOptions Writing = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true };

    private readonly List<ToolCall> toolCalls = [];
    private readonly List<byte[]> images = [];

    /// <summary>The provider's id, escaped for JSON; empty when it has none.</summary>
    public ReadOnlyMemory<byte> Id { get; set; }

    /// <summary>The answer.</summary>
    public EscapedText Content { get; } = new();

    /// <summary>The refusal, where a protocol has one.</summary>
    public EscapedText Refusal { get; } = new();

    /// <summary>The reasoning that the provider shows.</summary>
    public EscapedText Reasoning { get; } = new();

    /// <summary>Reasoning blocks with their signatures: a caller who sends them back lets the model go on where it was.</summary>
    public List<JsonElement> ThinkingBlocks { get; } = [];

    /// <summary>A signature that belongs to the answer's text, escaped for JSON; empty when there is none.</summary>
    public ReadOnlyMemory<byte> TextSignature { get; set; }

    /// <summary>The pages that the answer cites.</summary>
    public UrlCitations Citations { get; } = new();

    /// <summary>Why the reply ended, in OpenAI's word.</summary>
    public string FinishReason { get; set; } = "stop";

    /// <summary>The tokens.</summary>
    public TokenUsage? Usage { get; set; }

    /// <summary>How many tool calls there are.</summary>
    public int ToolCallCount => toolCalls.Count;

    /// <summary>Adds a tool call.</summary>
    /// <param name="id">Escaped for JSON.</param>
    /// <param name="name">Escaped for JSON.</param>
    /// <param name="arguments">The JSON that the provider wrote, byte for byte; empty is no argument.</param>
    /// <param name="signature">A signature that belongs to the call, escaped for JSON; or empty.</param>
    public void AddToolCall(ReadOnlySpan<byte> id, ReadOnlySpan<byte> name, ReadOnlySpan<byte> arguments, ReadOnlySpan<byte> signature = default) =>
        AddToolCallText(id, name, EscapedText.Escape(arguments), signature);

    /// <summary>Adds a tool call whose arguments the provider gives as text, escaped for JSON already.</summary>
    public void AddToolCallText(ReadOnlySpan<byte> id, ReadOnlySpan<byte> name, ReadOnlySpan<byte> escaped, ReadOnlySpan<byte> signature = default) =>
        toolCalls.Add(new ToolCall(id.ToArray(), name.ToArray(), escaped.IsEmpty ? "{}"u8.ToArray() : escaped.ToArray(), signature.ToArray()));

    /// <summary>Adds a picture that the model made. OpenAI's chat has no place for one; this is the place that clients look at.</summary>
    /// <param name="mediaType">Escaped for JSON.</param>
    /// <param name="base64">Escaped for JSON.</param>
    public void AddImage(ReadOnlySpan<byte> mediaType, ReadOnlySpan<byte> base64) => images.Add([.. "data:"u8, .. mediaType, .. ";base64,"u8, .. base64]);

    /// <summary>Writes the reply.</summary>
    public void Write(in ChatCall call, IBufferWriter<byte> output)
    {
        using var writer = new Utf8JsonWriter(output, Writing);
        writer.WriteStartObject();
        if (Id.IsEmpty)
        {
            writer.WriteString("id"u8, CompletionIds.For(call.Id));
        }
        else
        {
            EscapedText.WriteValue(writer, "id"u8, Id.Span);
        }

        writer.WriteString("object"u8, "chat.completion"u8);
        writer.WriteNumber("created"u8, call.Created);
        writer.WriteString("model"u8, call.PublicModel);
        writer.WriteStartArray("choices"u8);
        writer.WriteStartObject();
        writer.WriteNumber("index"u8, 0);
        WriteMessage(writer);
        writer.WriteNull("logprobs"u8);
        writer.WriteString("finish_reason"u8, FinishReason);
        writer.WriteEndObject();
        writer.WriteEndArray();
        if (Usage is not null)
        {
            writer.WritePropertyName("usage"u8);
            OpenAiUsage.Write(writer, Usage);
        }

        writer.WriteEndObject();
    }

    private void WriteMessage(Utf8JsonWriter writer)
    {
        writer.WriteStartObject("message"u8);
        writer.WriteString("role"u8, "assistant"u8);
        if (Content.IsEmpty && (toolCalls.Count > 0 || !Refusal.IsEmpty))
        {
            writer.WriteNull("content"u8);
        }
        else
        {
            Content.Write(writer, "content"u8);
        }

        if (Refusal.IsEmpty)
        {
            writer.WriteNull("refusal"u8);
        }
        else
        {
            Refusal.Write(writer, "refusal"u8);
        }

        if (!Reasoning.IsEmpty)
        {
            Reasoning.Write(writer, "reasoning_content"u8);
        }

        if (Citations.Take() is { IsEmpty: false } annotations)
        {
            writer.WritePropertyName("annotations"u8);
            writer.WriteRawValue(annotations.Span, skipInputValidation: true);
        }

        if (ThinkingBlocks.Count > 0)
        {
            writer.WriteStartArray("thinking_blocks"u8);
            foreach (var block in ThinkingBlocks)
            {
                writer.WriteCopy(block);
            }

            writer.WriteEndArray();
        }

        if (!TextSignature.IsEmpty)
        {
            writer.WriteStartObject("provider_specific_fields"u8);
            writer.WriteStartArray("thought_signatures"u8);
            writer.WriteRawValue([(byte)'"', .. TextSignature.Span, (byte)'"'], skipInputValidation: true);
            writer.WriteEndArray();
            writer.WriteEndObject();
        }

        if (images.Count > 0)
        {
            WriteImages(writer);
        }

        if (toolCalls.Count > 0)
        {
            WriteToolCalls(writer);
        }

        writer.WriteEndObject();
    }

    private void WriteImages(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("images"u8);
        for (var i = 0; i < images.Count; i++)
        {
            writer.WriteStartObject();
            writer.WriteString("type"u8, "image_url"u8);
            writer.WriteNumber("index"u8, i);
            writer.WriteStartObject("image_url"u8);
            EscapedText.WriteValue(writer, "url"u8, images[i]);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private void WriteToolCalls(Utf8JsonWriter writer)
    {
        writer.WriteStartArray("tool_calls"u8);
        foreach (var call in toolCalls)
        {
            writer.WriteStartObject();
            EscapedText.WriteValue(writer, "id"u8, call.Id);
            writer.WriteString("type"u8, "function"u8);
            writer.WriteStartObject("function"u8);
            EscapedText.WriteValue(writer, "name"u8, call.Name);
            EscapedText.WriteValue(writer, "arguments"u8, call.Arguments);
            writer.WriteEndObject();
            if (call.Signature.Length > 0)
            {
                writer.WriteStartObject("provider_specific_fields"u8);
                EscapedText.WriteValue(writer, "thought_signature"u8, call.Signature);
                writer.WriteEndObject();
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private sealed record ToolCall(byte[] Id, byte[] Name, byte[] Arguments, byte[] Signature);
}

/// <summary>A text made of pieces that are escaped for JSON already: joined and written without being read.</summary>
internal sealed class EscapedText
{
    private readonly ArrayBufferWriter<byte> bytes = new();

    /// <summary>Whether there is none.</summary>
    public bool IsEmpty => bytes.WrittenCount == 0;

    /// <summary>Adds a piece.</summary>
    public void Add(ReadOnlySpan<byte> escaped) => bytes.Write(escaped);

    /// <summary>Writes the text as a member.</summary>
    public void Write(Utf8JsonWriter writer, ReadOnlySpan<byte> name) => WriteValue(writer, name, bytes.WrittenSpan);

    /// <summary>Escapes a text as it stands in a JSON string. Bytes that are no UTF-8 are replaced: they were no JSON either.</summary>
    public static ReadOnlySpan<byte> Escape(ReadOnlySpan<byte> text)
    {
        if (!System.Text.Unicode.Utf8.IsValid(text))
        {
            text = Encoding.UTF8.GetBytes(Encoding.UTF8.GetString(text));
        }

        return JsonEncodedText.Encode(text, Completion.Writing.Encoder).EncodedUtf8Bytes;
    }

    /// <summary>Writes an escaped text as a member.</summary>
    public static void WriteValue(Utf8JsonWriter writer, ReadOnlySpan<byte> name, ReadOnlySpan<byte> escaped)
    {
        writer.WritePropertyName(name);
        var quoted = ArrayPool<byte>.Shared.Rent(escaped.Length + 2);
        quoted[0] = quoted[escaped.Length + 1] = (byte)'"';
        escaped.CopyTo(quoted.AsSpan(1));
        writer.WriteRawValue(quoted.AsSpan(0, escaped.Length + 2), skipInputValidation: true);
        ArrayPool<byte>.Shared.Return(quoted);
    }
}
