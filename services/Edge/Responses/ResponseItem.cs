using System.Text;
using System.Text.Json;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Responses;

internal enum ResponseItemKind
{
    Reasoning,
    Message,
    Call,
    CustomCall,
}

/// <summary>One item of a response's output as it grows.</summary>
internal sealed class ResponseItem(ResponseItemKind kind, int index, Guid request)
{
    private static readonly string[] Prefixes = ["rs", "msg", "fc", "ctc"];

    public ResponseItemKind Kind { get; } = kind;

    /// <summary>Its place in the output.</summary>
    public int Index { get; } = index;

    public string Id { get; } = $"{Prefixes[(int)kind]}_{request:N}{index:x2}";

    public string CallId { get; init; } = "";

    public string Name { get; init; } = "";

    public string? Namespace { get; init; }

    /// <summary>Reasoning, or a call's arguments.</summary>
    public StringBuilder Text { get; } = new();

    /// <summary>A message's parts: text and refusals, in their order.</summary>
    public List<(bool IsRefusal, StringBuilder Text)> Parts { get; } = [];

    /// <summary>The pages that a message's text cites.</summary>
    public List<PageCitation> Citations { get; } = [];

    /// <summary>Thinking with its signature: comes back as the item's encrypted content.</summary>
    public ThinkingSeal Seal { get; } = new();

    /// <summary>Gemini's signature of the answer's text, which a reasoning item carries for it.</summary>
    public string? Signature { get; set; }

    public bool Closed { get; set; }

    /// <summary>What a call was given; a custom tool's text stands under <c>input</c>.</summary>
    public string Arguments => Kind == ResponseItemKind.CustomCall ? ResponsesTools.CustomInputOf(Text.ToString()) : Text.Length == 0 ? "{}" : Text.ToString();

    /// <summary>Writes the item.</summary>
    /// <param name="json">Takes it.</param>
    /// <param name="status"><c>in_progress</c>: without its content, which has not come yet.</param>
    public void Write(Utf8JsonWriter json, string status)
    {
        var begun = status == "in_progress";
        json.WriteStartObject();
        json.WriteString("id"u8, Id);
        switch (Kind)
        {
            case ResponseItemKind.Reasoning:
                json.WriteString("type"u8, "reasoning"u8);
                json.WriteStartArray("summary"u8);
                if (!begun && Text.Length > 0)
                {
                    WriteSummary(json, Text.ToString());
                }

                json.WriteEndArray();
                if (!begun && (Seal.ToText() ?? Signature) is { } seal)
                {
                    json.WriteString("encrypted_content"u8, seal);
                }

                break;

            case ResponseItemKind.Message:
                json.WriteString("type"u8, "message"u8);
                json.WriteString("status"u8, status);
                json.WriteString("role"u8, "assistant"u8);
                json.WriteStartArray("content"u8);
                foreach (var (isRefusal, text) in begun ? [] : Parts)
                {
                    WritePart(json, isRefusal, text.ToString(), Citations);
                }

                json.WriteEndArray();
                break;

            default:
                json.WriteString("type"u8, Kind == ResponseItemKind.Call ? "function_call"u8 : "custom_tool_call"u8);
                json.WriteString("status"u8, status);
                json.WriteString("call_id"u8, CallId);
                json.WriteString("name"u8, Name);
                if (Namespace is not null)
                {
                    json.WriteString("namespace"u8, Namespace);
                }

                json.WriteString(Kind == ResponseItemKind.Call ? "arguments"u8 : "input"u8, begun ? "" : Arguments);
                break;
        }

        json.WriteEndObject();
    }

    public static void WriteSummary(Utf8JsonWriter json, string text)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, "summary_text"u8);
        json.WriteString("text"u8, text);
        json.WriteEndObject();
    }

    public static void WritePart(Utf8JsonWriter json, bool isRefusal, string text, IReadOnlyList<PageCitation> citations)
    {
        json.WriteStartObject();
        json.WriteString("type"u8, isRefusal ? "refusal"u8 : "output_text"u8);
        json.WriteString(isRefusal ? "refusal"u8 : "text"u8, text);
        if (!isRefusal)
        {
            json.WriteStartArray("annotations"u8);
            foreach (var citation in citations)
            {
                citation.Write(json);
            }

            json.WriteEndArray();
            json.WriteStartArray("logprobs"u8);
            json.WriteEndArray();
        }

        json.WriteEndObject();
    }
}
