using System.Text.Json;

namespace Gateway.Edge.Providers;

/// <summary>What several protocols want to know of a request in OpenAI's chat format, read in one way.</summary>
internal static class ChatRequest
{
    /// <summary>Parses a request that is known to be JSON.</summary>
    /// <exception cref="UntranslatableRequestException">It is nested too deeply, or no object.</exception>
    public static JsonDocument Parse(ReadOnlyMemory<byte> request)
    {
        try
        {
            var document = JsonDocument.Parse(request);
            if (document.RootElement.ValueKind == JsonValueKind.Object)
            {
                return document;
            }

            document.Dispose();
        }
        catch (JsonException)
        {
            // Known to be JSON, so it can only be nested too deeply.
        }

        throw new UntranslatableRequestException("The body must be a JSON object that is nested at most 64 deep.", null);
    }

    /// <summary>The caller's bound on the output, by its new or its old name.</summary>
    public static int? MaxTokens(JsonElement request) => request.Field("max_completion_tokens"u8).Int() ?? request.Field("max_tokens"u8).Int();

    /// <summary>Refuses more than one choice: a protocol with one answer would have to be called several times.</summary>
    public static void RefuseSeveralChoices(JsonElement request, string provider)
    {
        if (request.Field("n"u8).Int() is > 1)
        {
            throw new UntranslatableRequestException($"{provider} gives one choice for each request: n must be 1.", "n");
        }
    }

    /// <summary>Refuses the calls of 2023, which <c>tools</c> replaced.</summary>
    public static void RefuseLegacyFunctions(JsonElement request)
    {
        if (request.Field("functions"u8) is { ValueKind: JsonValueKind.Array } functions && functions.GetArrayLength() > 0)
        {
            throw new UntranslatableRequestException("functions and function_call are only served by OpenAI's own models: use tools and tool_choice.", "functions");
        }
    }

    /// <summary>Refuses a conversation of nothing.</summary>
    public static void RefuseNoMessages(JsonElement messages)
    {
        if (messages.ValueKind != JsonValueKind.Array || messages.GetArrayLength() == 0)
        {
            throw new UntranslatableRequestException("messages must be an array with at least one message.", "messages");
        }
    }

    /// <summary>Whether a message instructs the model, by its role's new or its old name.</summary>
    public static bool IsSystem(JsonElement message) => message.Field("role"u8).Is("system"u8) || message.Field("role"u8).Is("developer"u8);

    /// <summary>
    /// What the model thought, in a message or a piece of one, of an answer or sent back. OpenRouter, Groq, newer vLLM and others call it
    /// <c>reasoning</c>; some say both, which is the same text.
    /// </summary>
    public static JsonElement ThoughtsOf(JsonElement message)
    {
        var thoughts = message.Field("reasoning_content"u8);
        return thoughts.RawText().IsEmpty ? message.Field("reasoning"u8) : thoughts;
    }

    /// <summary>What a message says, for protocols with one place for it: its content, or, where that is nothing, the refusal that stands instead.</summary>
    public static JsonElement ContentOf(JsonElement message)
    {
        var content = message.Field("content"u8);
        var refusal = message.Field("refusal"u8);
        return content.RawText().IsEmpty && content.ValueKind != JsonValueKind.Array && !refusal.RawText().IsEmpty ? refusal : content;
    }

    /// <summary>The stop sequences, one or several.</summary>
    public static IEnumerable<JsonElement> Stops(JsonElement request)
    {
        var stop = request.Field("stop"u8);
        if (stop.ValueKind == JsonValueKind.String)
        {
            yield return stop;
        }

        foreach (var one in stop.Items())
        {
            if (one.ValueKind == JsonValueKind.String)
            {
                yield return one;
            }
        }
    }

    /// <summary>Writes the stop sequences, when there are any.</summary>
    /// <param name="request">The request.</param>
    /// <param name="writer">Takes the member.</param>
    /// <param name="name">The member's name.</param>
    /// <param name="dropped">Takes <c>stop</c> when some are left out.</param>
    /// <param name="refuses">Which of them the provider refuses; null where it takes any.</param>
    public static void WriteStops(
        JsonElement request, Utf8JsonWriter writer, ReadOnlySpan<byte> name, DroppedFields dropped, Func<string?, bool>? refuses = null)
    {
        var begun = false;
        foreach (var stop in Stops(request))
        {
            if (refuses?.Invoke(stop.Text()) == true)
            {
                dropped.Add("stop");
                continue;
            }

            if (!begun)
            {
                begun = true;
                writer.WriteStartArray(name);
            }

            writer.WriteCopy(stop);
        }

        if (begun)
        {
            writer.WriteEndArray();
        }
    }

    /// <summary>A tool call's arguments as JSON, and whether they are a JSON object: a reply that was cut at its length left half of one.</summary>
    public static bool TryReadArguments(JsonElement arguments, out byte[] json)
    {
        json = "{}"u8.ToArray();
        if (arguments.ValueKind == JsonValueKind.Object)
        {
            json = arguments.Raw().ToArray();
            return true;
        }

        var text = arguments.Text();
        if (string.IsNullOrWhiteSpace(text))
        {
            return true;
        }

        var bytes = System.Text.Encoding.UTF8.GetBytes(text);
        try
        {
            using var document = JsonDocument.Parse(bytes);
            json = bytes;
            return document.RootElement.ValueKind == JsonValueKind.Object;
        }
        catch (JsonException)
        {
            return false;
        }
    }

    /// <summary>Writes a tool call's arguments as the object that they are.</summary>
    /// <param name="writer">Takes the member.</param>
    /// <param name="name">The member's name.</param>
    /// <param name="arguments">OpenAI's text of them.</param>
    /// <param name="dropped">
    /// Takes their name when they are half an object, left by a reply that was cut at its length. Refusing those would end the conversation
    /// for good: the model sees the text that it wrote.
    /// </param>
    public static void WriteArguments(Utf8JsonWriter writer, ReadOnlySpan<byte> name, JsonElement arguments, DroppedFields dropped)
    {
        if (TryReadArguments(arguments, out var json))
        {
            writer.WritePropertyName(name);
            writer.WriteRawValue(json, skipInputValidation: true);
            return;
        }

        dropped.Add("messages.tool_calls.function.arguments");
        writer.WriteStartObject(name);
        writer.WriteString("invalid_arguments"u8, arguments.Text() ?? string.Empty);
        writer.WriteEndObject();
    }

    /// <summary>The tools' names by their calls' ids, for protocols whose results name the tool.</summary>
    public static Dictionary<string, string> ToolNamesById(JsonElement messages)
    {
        var names = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var call in messages.Items().SelectMany(message => message.Field("tool_calls"u8).Items()))
        {
            if (call.Field("id"u8).Text() is { } id && call.Field("function"u8).Field("name"u8).Text() is { } name)
            {
                names[id] = name;
            }
        }

        return names;
    }

    /// <summary>The tools that the conversation has calls of, each once: some protocols take no calls of tools that the request does not declare.</summary>
    public static IEnumerable<JsonElement> CalledTools(JsonElement messages) =>
        messages.Items().SelectMany(static message => message.Field("tool_calls"u8).Items()).Select(static call => call.Field("function"u8).Field("name"u8))
            .Where(static name => name.ValueKind == JsonValueKind.String).DistinctBy(static name => name.Text(), StringComparer.Ordinal);

    /// <summary>The names that <c>tool_choice</c> of type <c>allowed_tools</c> leaves; null when it leaves all.</summary>
    public static HashSet<string>? AllowedTools(JsonElement request)
    {
        var choice = request.Field("tool_choice"u8);
        if (!choice.Field("type"u8).Is("allowed_tools"u8))
        {
            return null;
        }

        var allowed = choice.Field("allowed_tools"u8).Field("tools"u8);
        return (allowed.Given() ? allowed : choice.Field("tools"u8)).Items()
            .Select(tool => tool.Field("function"u8).Field("name"u8).Text() ?? tool.Field("name"u8).Text())
            .OfType<string>().ToHashSet(StringComparer.Ordinal);
    }

    /// <summary>The names of the tools that may be called: the one that is named, or those that <c>allowed_tools</c> leaves; null when all may.</summary>
    public static HashSet<string>? AllowedTools(JsonElement request, ToolChoice choice) => choice.Mode == "named" ? [choice.Name!] : AllowedTools(request);

    /// <summary>The tools that may be called, for protocols that cannot name one: no other is offered.</summary>
    public static List<JsonElement> OfferedTools(JsonElement request, ToolChoice choice)
    {
        var allowed = AllowedTools(request, choice);
        return request.Field("tools"u8).Items()
            .Where(tool => allowed is null || (tool.Field("function"u8).Field("name"u8).Text() is { } name && allowed.Contains(name))).ToList();
    }

    /// <summary>How tools may be used: <c>auto</c>, <c>none</c>, <c>required</c>, or a tool's name.</summary>
    public static ToolChoice ToolChoiceOf(JsonElement request)
    {
        var choice = request.Field("tool_choice"u8);
        if (choice.ValueKind == JsonValueKind.String)
        {
            return new ToolChoice(choice.Text() ?? "auto", null);
        }

        if (choice.Field("type"u8).Is("allowed_tools"u8))
        {
            return new ToolChoice(choice.Field("allowed_tools"u8).Field("mode"u8).Text() ?? choice.Field("mode"u8).Text() ?? "auto", null);
        }

        var name = choice.Field("function"u8).Field("name"u8).Text() ?? choice.Field("name"u8).Text();
        return name is null ? new ToolChoice(choice.Given() ? "auto" : null, null) : new ToolChoice("named", name);
    }
}

/// <summary>How tools may be used.</summary>
/// <param name="Mode"><c>auto</c>, <c>none</c>, <c>required</c>, <c>named</c>; null when the caller did not say.</param>
/// <param name="Name">The tool, when it is named.</param>
internal readonly record struct ToolChoice(string? Mode, string? Name)
{
    /// <summary>Whether the model must call a tool.</summary>
    public bool Forces => Mode is "required" or "any" or "named";
}

/// <summary>A picture or a file in a message: where it is, or its bytes.</summary>
/// <param name="MediaType">Its type; null when only its address is known.</param>
/// <param name="Base64">Its bytes in base64; null when it has an address.</param>
/// <param name="Url">Its address; null when it is here.</param>
internal readonly record struct Attachment(string? MediaType, string? Base64, string? Url)
{
    /// <summary>Reads a file's <c>file_data</c>: bare base64 is a PDF, anything else an address.</summary>
    public static Attachment? OfFile(string? data) =>
        data?.Contains(':', StringComparison.Ordinal) == false ? new Attachment("application/pdf", data, null) : From(data);

    /// <summary>Reads an address: <c>data:</c> holds the bytes, anything else is one.</summary>
    public static Attachment? From(string? url)
    {
        if (url is null)
        {
            return null;
        }

        if (!url.StartsWith("data:", StringComparison.OrdinalIgnoreCase))
        {
            return new Attachment(null, null, url);
        }

        var comma = url.IndexOf(',', StringComparison.Ordinal);
        if (comma < 0)
        {
            return null;
        }

        var head = url[5..comma].Split(';');
        var type = head[0].Length == 0 ? "text/plain" : head[0];
        return head.Contains("base64", StringComparer.OrdinalIgnoreCase)
            ? new Attachment(type, url[(comma + 1)..], null)
            : new Attachment(type, Convert.ToBase64String(System.Text.Encoding.UTF8.GetBytes(Uri.UnescapeDataString(url[(comma + 1)..]))), null);
    }
}
