using System.Buffers;
using System.Text.Json;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Ollama;

/// <summary>Writes Ollama's <c>/api/chat</c> request for a request in OpenAI's chat format.</summary>
internal sealed class OllamaRequest
{
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "tools", "tool_choice",
        "response_format", "reasoning_effort", "n", "functions", "function_call", "seed", "frequency_penalty", "presence_penalty", "top_k",
        "options", "keep_alive", "think", "format", "num_ctx", "logprobs", "top_logprobs",
    };

    private static readonly string[] Options = ["temperature", "top_p", "top_k", "seed", "frequency_penalty", "presence_penalty", "num_ctx"];

    private readonly JsonElement request;
    private readonly DroppedFields dropped;
    private readonly Utf8JsonWriter writer;

    private OllamaRequest(JsonElement request, DroppedFields dropped, Utf8JsonWriter writer)
    {
        this.request = request;
        this.dropped = dropped;
        this.writer = writer;
    }

    /// <summary>Writes the request.</summary>
    /// <exception cref="UntranslatableRequestException">It cannot be said.</exception>
    public static void Write(ReadOnlyMemory<byte> body, in ChatCall call, IBufferWriter<byte> output, List<string> droppedNames)
    {
        using var document = ChatRequest.Parse(body);
        using var writer = new Utf8JsonWriter(output, Completion.Writing);
        new OllamaRequest(document.RootElement, new DroppedFields(droppedNames, call.DropUnsupported, "Ollama"), writer).Write(call);
    }

    private void Write(in ChatCall call)
    {
        ChatRequest.RefuseSeveralChoices(request, "Ollama");
        ChatRequest.RefuseLegacyFunctions(request);
        dropped.AddUnknown(request, Known);

        writer.WriteStartObject();
        writer.WriteString("model"u8, call.ProviderModel);

        // Ollama streams unless it is told not to.
        writer.WriteBoolean("stream"u8, call.Stream);
        WriteMessages();
        WriteTools();
        WriteFormat();
        WriteThink(call.KnownModel);
        WriteOptions();
        foreach (var name in (ReadOnlySpan<string>)["keep_alive", "logprobs", "top_logprobs"])
        {
            if (request.TryGetProperty(name, out var value) && value.Given())
            {
                writer.WritePropertyName(name);
                writer.WriteCopy(value);
            }
        }

        writer.WriteEndObject();
    }

    private void WriteOptions()
    {
        writer.WriteStartObject("options"u8);
        foreach (var name in Options)
        {
            if (request.TryGetProperty(name, out var value) && value.Given())
            {
                writer.WritePropertyName(name);
                writer.WriteCopy(value);
            }
        }

        if (ChatRequest.MaxTokens(request) is { } maxTokens)
        {
            writer.WriteNumber("num_predict"u8, maxTokens);
        }

        ChatRequest.WriteStops(request, writer, "stop"u8, dropped);
        foreach (var option in request.Field("options"u8).Fields())
        {
            writer.WriteCopy(option);
        }

        writer.WriteEndObject();
    }

    private void WriteTools()
    {
        var choice = ChatRequest.ToolChoiceOf(request);
        if (request.Field("tools"u8).Items().Any(static tool => tool.Field("function"u8).Field("name"u8).RawText().IsEmpty))
        {
            throw new UntranslatableRequestException("Ollama takes functions only: each tool needs a function with a name.", "tools");
        }

        var tools = ChatRequest.OfferedTools(request, choice);
        if (tools.Count == 0 || choice.Mode == "none")
        {
            return;
        }

        if (choice.Mode is "required" or "named")
        {
            // Ollama can offer a tool and not demand one.
            dropped.Add("tool_choice");
        }

        writer.WriteStartArray("tools"u8);
        foreach (var tool in tools)
        {
            writer.WriteCopy(tool);
        }

        writer.WriteEndArray();
    }

    private void WriteFormat()
    {
        var format = request.Field("response_format"u8);
        if (request.Field("format"u8).Given())
        {
            writer.WriteCopy("format"u8, request.Field("format"u8));
        }
        else if (format.Field("json_schema"u8).Field("schema"u8).ValueKind == JsonValueKind.Object)
        {
            writer.WriteCopy("format"u8, format.Field("json_schema"u8).Field("schema"u8));
        }
        else if (format.Field("type"u8).Is("json_object"u8) || format.Field("type"u8).Is("json_schema"u8))
        {
            writer.WriteString("format"u8, "json"u8);
        }
    }

    private void WriteThink(string model)
    {
        if (request.Field("think"u8).Given())
        {
            writer.WriteCopy("think"u8, request.Field("think"u8));
            return;
        }

        switch (request.Field("reasoning_effort"u8).Text())
        {
            case null:
                break;
            case "none":
                writer.WriteBoolean("think"u8, false);
                break;
            case var effort when OllamaModel.TakesLevel(model):
                writer.WriteString("think"u8, effort is "minimal" or "low" ? "low" : effort == "medium" ? "medium" : "high");
                break;
            case var _ when OllamaModel.CannotThink(model):
                dropped.Add("reasoning_effort");
                break;
            default:
                writer.WriteBoolean("think"u8, true);
                break;
        }
    }

    private void WriteMessages()
    {
        var messages = request.Field("messages"u8);
        if (messages.ValueKind != JsonValueKind.Array)
        {
            throw new UntranslatableRequestException("messages must be an array.", "messages");
        }

        // A tool's result names its call by id; Ollama wants the tool's name.
        var toolNames = ChatRequest.ToolNamesById(messages);
        writer.WriteStartArray("messages"u8);
        foreach (var message in messages.EnumerateArray())
        {
            var role = message.Field("role"u8).Text();
            if (role is not ("system" or "developer" or "user" or "assistant" or "tool"))
            {
                throw new UntranslatableRequestException("A message's role must be system, developer, user, assistant or tool.", "messages.role");
            }

            if (message.Field("name"u8).Given() && role != "tool")
            {
                dropped.Add("messages.name");
            }

            writer.WriteStartObject();
            writer.WriteString("role"u8, role == "developer" ? "system" : role);
            WriteContent(message);
            dropped.AddUnknownOf(message, knowsAnthropics: false);
            if (ChatRequest.ThoughtsOf(message) is { ValueKind: JsonValueKind.String } thoughts)
            {
                writer.WriteCopy("thinking"u8, thoughts);
            }

            if (role == "tool" && (toolNames.GetValueOrDefault(message.Field("tool_call_id"u8).Text() ?? "") ?? message.Field("name"u8).Text()) is { } name)
            {
                writer.WriteString("tool_name"u8, name);
            }

            WriteToolCalls(message);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private void WriteContent(JsonElement message)
    {
        var content = ChatRequest.ContentOf(message);
        if (content.ValueKind == JsonValueKind.String)
        {
            writer.WriteCopy("content"u8, content);
            return;
        }

        // Ollama has one text for each message, and its pictures beside it.
        var text = new EscapedText();
        var images = new List<string>();
        foreach (var part in content.Items())
        {
            var type = part.Field("type"u8);
            if (part.Field("cache_control"u8).Given())
            {
                dropped.AddAdvice("cache_control");
            }

            if (type.Is("text"u8) || type.Is("refusal"u8))
            {
                text.Add(text.IsEmpty ? default : "\\n"u8);
                text.Add(part.Field("text"u8).RawText());
                text.Add(part.Field("refusal"u8).RawText());
            }
            else if (type.Is("image_url"u8))
            {
                var image = part.Field("image_url"u8);
                dropped.AddDetailOf(image);
                images.Add(Attachment.From(image.Text() ?? image.Field("url"u8).Text())?.Base64 ??
                    throw new UntranslatableRequestException("Ollama fetches no pictures: send the picture as a data: address.", "messages.content"));
            }
            else
            {
                throw new UntranslatableRequestException($"Ollama takes no content of type '{type.Text()}'.", "messages.content");
            }
        }

        text.Write(writer, "content"u8);
        if (images.Count > 0)
        {
            writer.WriteStartArray("images"u8);
            foreach (var image in images)
            {
                writer.WriteStringValue(image);
            }

            writer.WriteEndArray();
        }
    }

    private void WriteToolCalls(JsonElement message)
    {
        if (!message.Field("tool_calls"u8).Items().Any())
        {
            return;
        }

        writer.WriteStartArray("tool_calls"u8);
        foreach (var call in message.Field("tool_calls"u8).Items())
        {
            var function = call.Field("function"u8);
            if (function.Field("name"u8).ValueKind != JsonValueKind.String)
            {
                throw new UntranslatableRequestException("Each tool call needs a function with a name.", "messages.tool_calls");
            }

            writer.WriteStartObject();
            writer.WriteStartObject("function"u8);
            writer.WriteCopy("name"u8, function.Field("name"u8));
            ChatRequest.WriteArguments(writer, "arguments"u8, function.Field("arguments"u8), dropped);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }
}
