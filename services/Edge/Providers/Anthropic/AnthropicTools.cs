using System.Text.Json;

namespace Gateway.Edge.Providers.Anthropic;

/// <summary>The tools of a request in Anthropic's words, and which of them the model may or must call.</summary>
internal sealed class AnthropicTools
{
    private readonly JsonElement request;
    private readonly AnthropicModel model;
    private readonly bool givesJson;
    private readonly bool mayForce;
    private readonly DroppedFields dropped;
    private readonly Utf8JsonWriter writer;

    private AnthropicTools(JsonElement request, AnthropicModel model, bool givesJson, bool mayForce, DroppedFields dropped, Utf8JsonWriter writer)
    {
        this.request = request;
        this.model = model;
        this.givesJson = givesJson;
        this.mayForce = mayForce;
        this.dropped = dropped;
        this.writer = writer;
    }

    /// <summary>Writes <c>tools</c> and <c>tool_choice</c>.</summary>
    /// <param name="request">The request in OpenAI's words.</param>
    /// <param name="model">What the model takes.</param>
    /// <param name="givesJson">Whether the answer is given through <see cref="JsonReply.ToolName"/>.</param>
    /// <param name="mayForce">Whether a tool may be forced: not on a model that thinks, nor on a new one.</param>
    /// <param name="dropped">Takes what cannot be said.</param>
    /// <param name="writer">Takes the fields.</param>
    /// <exception cref="UntranslatableRequestException">A tool cannot be said.</exception>
    public static void Write(JsonElement request, AnthropicModel model, bool givesJson, bool mayForce, DroppedFields dropped, Utf8JsonWriter writer) =>
        new AnthropicTools(request, model, givesJson, mayForce, dropped, writer).Write();

    private void Write()
    {
        // Whose choice none stands beside a tool for JSON that cannot be forced would get words: the caller's tools are left out instead.
        var leavesToolsOut = givesJson && !mayForce && ChatRequest.ToolChoiceOf(request).Mode == "none";
        var allowed = ChatRequest.AllowedTools(request);
        var count = 0;
        foreach (var tool in request.Field("tools"u8).Items())
        {
            if (leavesToolsOut)
            {
                dropped.AddAdvice("tools");
                continue;
            }

            if (allowed is not null && tool.Field("function"u8).Field("name"u8).Text() is { } name && !allowed.Contains(name))
            {
                continue;
            }

            if (count++ == 0)
            {
                writer.WriteStartArray("tools"u8);
            }

            WriteTool(tool);
        }

        if (givesJson)
        {
            if (count == 0)
            {
                writer.WriteStartArray("tools"u8);
            }

            WriteJsonTool();
        }

        if (count > 0 || givesJson)
        {
            writer.WriteEndArray();
            WriteToolChoice(count);
        }
        else
        {
            WriteCalledTools();
        }
    }

    /// <summary>
    /// Anthropic refuses a conversation with calls and without tools ("must define tools"): those that were called are declared, and none may be
    /// called now.
    /// </summary>
    private void WriteCalledTools()
    {
        var begun = false;
        foreach (var name in ChatRequest.CalledTools(request.Field("messages"u8)))
        {
            if (!begun)
            {
                begun = true;
                writer.WriteStartArray("tools"u8);
            }

            writer.WriteStartObject();
            writer.WriteCopy("name"u8, name);
            writer.WritePropertyName("input_schema"u8);
            WriteSchema(default, writer);
            writer.WriteEndObject();
        }

        if (begun)
        {
            writer.WriteEndArray();
            writer.WriteRawValueMember("tool_choice"u8, """{"type":"none"}"""u8);
        }
    }

    private void WriteTool(JsonElement tool)
    {
        var type = tool.Field("type"u8);
        if (type.Is("custom"u8) && tool.Field("custom"u8).Given())
        {
            throw new UntranslatableRequestException("Anthropic has no custom tools: declare the tool as a function.", "tools");
        }

        if (!type.Is("function"u8) && tool.Field("function"u8).ValueKind == JsonValueKind.Undefined)
        {
            // One of Anthropic's own tools, such as its web search, or one declared in its form.
            writer.WriteCopy(tool);
            return;
        }

        var function = tool.Field("function"u8);
        if (function.Field("name"u8).ValueKind != JsonValueKind.String)
        {
            throw new UntranslatableRequestException("Each tool needs a function with a name.", "tools");
        }

        writer.WriteStartObject();
        writer.WriteCopy("name"u8, function.Field("name"u8));
        if (function.Field("description"u8) is { ValueKind: JsonValueKind.String } description)
        {
            writer.WriteCopy("description"u8, description);
        }

        WriteParameters(function.Field("parameters"u8), isStrict: function.Field("strict"u8).ValueKind == JsonValueKind.True);

        var cache = tool.Field("cache_control"u8);
        cache = cache.Given() ? cache : function.Field("cache_control"u8);
        if (cache.Given())
        {
            writer.WriteCopy("cache_control"u8, cache);
        }

        writer.WriteEndObject();
    }

    private void WriteParameters(JsonElement schema, bool isStrict)
    {
        writer.WritePropertyName("input_schema"u8);
        if (isStrict && model.TakesSchema && !schema.Given())
        {
            writer.WriteRawValue("""{"type":"object","properties":{},"additionalProperties":false}"""u8, skipInputValidation: true);
            writer.WriteBoolean("strict"u8, true);
            return;
        }

        if (isStrict && model.TakesSchema && AnthropicSchema.IsObject(schema) && !AnthropicSchema.IsOpen(schema))
        {
            AnthropicSchema.Write(schema, "tools.function.parameters", dropped, writer);
            writer.WriteBoolean("strict"u8, true);
            return;
        }

        WriteSchema(schema, writer);
        if (isStrict)
        {
            dropped.AddAdvice("tools.function.strict");
        }
    }

    /// <summary>Writes a schema of an object: Anthropic and Bedrock want the type stated and take no absent schema.</summary>
    public static void WriteSchema(JsonElement schema, Utf8JsonWriter writer)
    {
        if (schema.Field("type"u8).Given())
        {
            writer.WriteCopy(schema);
            return;
        }

        writer.WriteStartObject();
        writer.WriteString("type"u8, "object"u8);
        foreach (var member in schema.Fields())
        {
            writer.WriteCopy(member);
        }

        if (!schema.Field("properties"u8).Given())
        {
            writer.WriteStartObject("properties"u8);
            writer.WriteEndObject();
        }

        writer.WriteEndObject();
    }

    private void WriteJsonTool()
    {
        writer.WriteStartObject();
        writer.WriteString("name"u8, JsonReply.ToolName);
        writer.WriteRawValueMember("description"u8, JsonReply.Description(request));
        writer.WritePropertyName("input_schema"u8);
        JsonReply.WriteSchema(request, writer);
        writer.WriteEndObject();
    }

    private void WriteToolChoice(int ownTools)
    {
        var choice = ChatRequest.ToolChoiceOf(request);
        var oneAtATime = request.Field("parallel_tool_calls"u8).ValueKind == JsonValueKind.False;
        if (givesJson && mayForce)
        {
            choice = JsonReply.Force(choice, ownTools);
        }
        else if (givesJson && choice.Mode == "none")
        {
            choice = default;
        }
        else if (choice.Forces && !mayForce)
        {
            dropped.Add("tool_choice");
            choice = default;
        }

        if (choice.Mode is null && !oneAtATime)
        {
            return;
        }

        writer.WriteStartObject("tool_choice"u8);
        switch (choice.Mode)
        {
            case "none":
                writer.WriteString("type"u8, "none"u8);
                break;
            case "required" or "any":
                writer.WriteString("type"u8, "any"u8);
                break;
            case "named":
                writer.WriteString("type"u8, "tool"u8);
                writer.WriteString("name"u8, choice.Name);
                break;
            default:
                writer.WriteString("type"u8, "auto"u8);
                break;
        }

        if (oneAtATime && choice.Mode is not "none")
        {
            writer.WriteBoolean("disable_parallel_tool_use"u8, true);
        }

        writer.WriteEndObject();
    }
}
