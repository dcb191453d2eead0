using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Messages;

/// <summary>
/// Says Anthropic's request in OpenAI's words: system, text, pictures, documents, tools and their results. What OpenAI's chat has no word
/// for (<c>top_k</c>, cache markers, thinking blocks sent back) is left out; docs/translation.md says so.
/// </summary>
internal static class MessagesRequest
{
    private static readonly (string From, string To)[] Same =
    [
        ("model", "model"), ("max_tokens", "max_tokens"), ("temperature", "temperature"), ("top_p", "top_p"), ("stream", "stream"),
        ("stop_sequences", "stop"), ("service_tier", "service_tier"),
        // The gateway's own rule about what a caller may not set looks at these names.
        ("api_base", "api_base"), ("base_url", "base_url"), ("api_key", "api_key"),
    ];

    public static void Write(JsonObject request, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        foreach (var (from, to) in Same)
        {
            if (request[from] is { } value && !(from == "service_tier" && value.ToString() == "standard_only"))
            {
                json.WritePropertyName(to);
                value.WriteTo(json);
            }
        }

        if (request["metadata"] is JsonObject metadata)
        {
            if (metadata["user_id"] is JsonValue user && user.TryGetValue<string>(out var endUser))
            {
                json.WriteString("user", endUser);
            }

            if (metadata["tags"] is JsonArray tags)
            {
                // For the gateway itself: it takes them out again.
                json.WriteStartObject("metadata");
                json.WritePropertyName("tags");
                tags.WriteTo(json);
                json.WriteEndObject();
            }
        }

        json.WriteStartArray("messages");
        WriteSystem(request["system"], json);
        if (request["messages"] is not JsonArray messages)
        {
            throw new UntranslatableRequestException("The field messages must be a list of messages.", "messages");
        }

        foreach (var message in messages)
        {
            WriteMessage(message as JsonObject ?? throw new UntranslatableRequestException("Each message must be an object.", "messages"), json);
        }

        json.WriteEndArray();
        WriteTools(request, json);
        json.WriteEndObject();
    }

    private static void WriteSystem(JsonNode? system, Utf8JsonWriter json)
    {
        var text = system is JsonArray blocks ? string.Join("\n", blocks.Select(static block => block?["text"]?.ToString())) : system?.ToString();
        if (!string.IsNullOrEmpty(text))
        {
            json.WriteStartObject();
            json.WriteString("role", "system");
            json.WriteString("content", text);
            json.WriteEndObject();
        }
    }

    private static void WriteMessage(JsonObject message, Utf8JsonWriter json)
    {
        var role = message["role"]?.ToString();
        if (role is not ("user" or "assistant" or "system"))
        {
            throw new UntranslatableRequestException("A message's role must be user or assistant.", "messages");
        }

        if (message["content"] is not JsonArray blocks)
        {
            json.WriteStartObject();
            json.WriteString("role", role);
            json.WriteString("content", message["content"]?.ToString() ?? "");
            json.WriteEndObject();
            return;
        }

        var parts = blocks.OfType<JsonObject>().ToArray();
        // Results of tools are messages of their own, before what the user says beside them.
        foreach (var result in parts.Where(static part => TypeOf(part) == "tool_result"))
        {
            json.WriteStartObject();
            json.WriteString("role", "tool");
            json.WriteString("tool_call_id", result["tool_use_id"]?.ToString());
            json.WriteString("content", TextOf(result["content"]));
            json.WriteEndObject();
        }

        var said = parts.Where(static part => TypeOf(part) is "text" or "image" or "document").ToArray();
        var calls = parts.Where(static part => TypeOf(part) == "tool_use").ToArray();
        if (said.Length == 0 && calls.Length == 0)
        {
            return;
        }

        json.WriteStartObject();
        json.WriteString("role", role);
        if (said.Length == 0)
        {
            json.WriteNull("content");
        }
        else if (Array.TrueForAll(said, static part => TypeOf(part) == "text"))
        {
            json.WriteString("content", string.Concat(said.Select(static part => part["text"]?.ToString())));
        }
        else
        {
            json.WriteStartArray("content");
            foreach (var part in said)
            {
                WritePart(part, json);
            }

            json.WriteEndArray();
        }

        if (calls.Length > 0)
        {
            json.WriteStartArray("tool_calls");
            foreach (var call in calls)
            {
                json.WriteStartObject();
                json.WriteString("id", call["id"]?.ToString());
                json.WriteString("type", "function");
                json.WriteStartObject("function");
                json.WriteString("name", call["name"]?.ToString());
                json.WriteString("arguments", call["input"]?.ToJsonString() ?? "{}");
                json.WriteEndObject();
                json.WriteEndObject();
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
    }

    private static void WritePart(JsonObject part, Utf8JsonWriter json)
    {
        json.WriteStartObject();
        var source = part["source"];
        switch (TypeOf(part))
        {
            case "image":
                json.WriteString("type", "image_url");
                json.WriteStartObject("image_url");
                json.WriteString("url", AddressOf(source));
                json.WriteEndObject();
                break;

            case "document" when KindOf(source) == "text":
                json.WriteString("type", "text");
                json.WriteString("text", source!["data"]?.ToString());
                break;

            case "document":
                json.WriteString("type", "file");
                json.WriteStartObject("file");
                json.WriteString("filename", part["title"]?.ToString() ?? "document.pdf");
                json.WriteString("file_data", AddressOf(source));
                json.WriteEndObject();
                break;

            default:
                json.WriteString("type", "text");
                json.WriteString("text", part["text"]?.ToString());
                break;
        }

        json.WriteEndObject();
    }

    private static void WriteTools(JsonObject request, Utf8JsonWriter json)
    {
        if (request["tools"] is not JsonArray { Count: > 0 } tools)
        {
            return;
        }

        json.WriteStartArray("tools");
        foreach (var tool in tools.OfType<JsonObject>())
        {
            if (tool["type"]?.ToString() is { } type && type != "custom")
            {
                throw new UntranslatableRequestException($"The tool {type} runs at Anthropic and cannot be called through this surface.", "tools");
            }

            json.WriteStartObject();
            json.WriteString("type", "function");
            json.WriteStartObject("function");
            json.WriteString("name", tool["name"]?.ToString());
            if (tool["description"] is { } description)
            {
                json.WriteString("description", description.ToString());
            }

            json.WritePropertyName("parameters");
            (tool["input_schema"] ?? new JsonObject()).WriteTo(json);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (request["tool_choice"] is not JsonObject choice)
        {
            return;
        }

        switch (choice["type"]?.ToString())
        {
            case "any":
                json.WriteString("tool_choice", "required");
                break;

            case "none":
                json.WriteString("tool_choice", "none");
                break;

            case "tool":
                json.WriteStartObject("tool_choice");
                json.WriteString("type", "function");
                json.WriteStartObject("function");
                json.WriteString("name", choice["name"]?.ToString());
                json.WriteEndObject();
                json.WriteEndObject();
                break;
        }

        if (choice["disable_parallel_tool_use"]?.GetValueKind() == JsonValueKind.True)
        {
            json.WriteBoolean("parallel_tool_calls", false);
        }
    }

    private static string? KindOf(JsonNode? source) => (source as JsonObject)?["type"]?.ToString();

    private static string TypeOf(JsonObject part) => part["type"]?.ToString() ?? "text";

    private static string TextOf(JsonNode? content) => content is JsonArray blocks
        ? string.Join("\n", blocks.Select(static block => block?["text"]?.ToString() ?? ""))
        : content?.ToString() ?? "";

    private static string? AddressOf(JsonNode? source) => KindOf(source) == "base64"
        ? $"data:{source!["media_type"]};base64,{source["data"]}"
        : source?["url"]?.ToString();
}
