using System.Text.Json;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;

namespace Gateway.Edge.OllamaApi;

/// <summary>
/// Says Ollama's messages in OpenAI's words. There a tool's result names its call by an id, which Ollama's older clients do not send: then it
/// answers the first call of its tool that has no answer yet.
/// </summary>
internal sealed class OllamaTurns(SurfaceTarget target, DroppedFields dropped, Utf8JsonWriter json)
{
    private readonly OpenCalls open = new();

    /// <summary>Writes the member <c>messages</c>.</summary>
    public void WriteMessages(JsonElement messages)
    {
        if (!messages.Items().Any())
        {
            throw new UntranslatableRequestException("The field messages must be a list with at least one message: a request without any loads a model on a server of Ollama's, and this one is not there.", "messages");
        }

        json.WriteStartArray("messages"u8);
        foreach (var message in messages.Items())
        {
            WriteMessage(message);
        }

        json.WriteEndArray();
    }

    /// <summary>Writes <c>messages</c> for the one prompt of <c>/api/generate</c>.</summary>
    public void WritePrompt(JsonElement request)
    {
        if (request.Field("prompt"u8).RawText().IsEmpty && !request.Field("images"u8).Items().Any())
        {
            throw new UntranslatableRequestException("The field prompt must be a text: a request without one loads a model on a server of Ollama's, and this one is not there.", "prompt");
        }

        json.WriteStartArray("messages"u8);
        if (request.Field("system"u8) is { ValueKind: JsonValueKind.String } system && !system.RawText().IsEmpty)
        {
            json.WriteStartObject();
            json.WriteString("role"u8, "system"u8);
            json.WriteCopy("content"u8, system);
            json.WriteEndObject();
        }

        json.WriteStartObject();
        json.WriteString("role"u8, "user"u8);
        WriteContent(request.Field("prompt"u8), request.Field("images"u8));
        json.WriteEndObject();
        json.WriteEndArray();
    }

    private void WriteMessage(JsonElement message)
    {
        var role = ChatRole.Of(message);
        json.WriteStartObject();
        json.WriteString("role"u8, role);
        var images = message.Field("images"u8);
        if (role != "user" && images.Items().Any())
        {
            // Of OpenAI's speakers only the user shows pictures.
            dropped.Add("messages.images");
            images = default;
        }

        WriteContent(message.Field("content"u8), images);
        if (role == "tool")
        {
            json.WriteString("tool_call_id"u8, open.Answered(message.Field("tool_call_id"u8).Text(), message.Field("tool_name"u8).Text())
                ?? throw new UntranslatableRequestException("A tool's message must follow the call that it answers.", "messages"));
        }

        WriteThinking(message.Field("thinking"u8));
        WriteCalls(message.Field("tool_calls"u8));
        json.WriteEndObject();
    }

    private void WriteContent(JsonElement text, JsonElement images)
    {
        if (text.Given() && text.ValueKind != JsonValueKind.String)
        {
            throw new UntranslatableRequestException("The content of a message must be a text; its pictures stand in images.", "messages.content");
        }

        if (!images.Items().Any())
        {
            json.WritePropertyName("content"u8);
            json.WriteRawValue(text.Given() ? text.Raw() : "\"\""u8, skipInputValidation: true);
            return;
        }

        json.WriteStartArray("content"u8);
        if (!text.RawText().IsEmpty)
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "text"u8);
            json.WriteCopy("text"u8, text);
            json.WriteEndObject();
        }

        foreach (var image in images.Items())
        {
            json.WriteStartObject();
            json.WriteString("type"u8, "image_url"u8);
            json.WriteStartObject("image_url"u8);
            json.WriteString("url"u8, AddressOf(image.Text() ?? throw new UntranslatableRequestException("A picture must be a text in base64.", "messages.images")));
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    private void WriteThinking(JsonElement thinking)
    {
        if (thinking.RawText().IsEmpty)
        {
            return;
        }

        if (target.TakesThoughts)
        {
            json.WriteCopy("reasoning_content"u8, thinking);
        }
        else
        {
            dropped.AddAdvice("messages.thinking");
        }
    }

    private void WriteCalls(JsonElement calls)
    {
        if (!calls.Items().Any())
        {
            return;
        }

        open.Begin();
        json.WriteStartArray("tool_calls"u8);
        foreach (var call in calls.Items())
        {
            var function = call.Field("function"u8);
            var name = function.Field("name"u8).Text() ?? throw new UntranslatableRequestException("Each call of a tool needs a function with a name.", "messages.tool_calls");
            json.WriteStartObject();
            json.WriteString("id"u8, open.Add(call.Field("id"u8).Text(), name));
            json.WriteString("type"u8, "function"u8);
            json.WriteStartObject("function"u8);
            json.WriteString("name"u8, name);
            json.WriteString("arguments"u8, function.Field("arguments"u8) is { ValueKind: JsonValueKind.Object } arguments ? arguments.Raw() : "{}"u8);
            json.WriteEndObject();
            json.WriteEndObject();
        }

        json.WriteEndArray();
    }

    /// <summary>Ollama has the bytes alone: what kind of picture they are can be told by how they begin.</summary>
    private static string AddressOf(string base64) => base64 switch
    {
        ['d', 'a', 't', 'a', ':', ..] => base64,
        ['/', '9', 'j', '/', ..] => "data:image/jpeg;base64," + base64,
        ['R', '0', 'l', 'G', ..] => "data:image/gif;base64," + base64,
        ['U', 'k', 'l', 'G', ..] => "data:image/webp;base64," + base64,
        _ => "data:image/png;base64," + base64,
    };
}
