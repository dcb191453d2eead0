using System.Text.Json;
using Gateway.Edge.Providers.Anthropic;

namespace Gateway.Edge.Providers.Bedrock;

/// <summary>The tools of a request in Converse's words, and which of them the model may or must call.</summary>
/// <param name="request">The request in OpenAI's words.</param>
/// <param name="thinking">How the model thinks; null where it is not Claude.</param>
/// <param name="givesJson">Whether the answer is given through <see cref="JsonReply.ToolName"/>.</param>
/// <param name="dropped">Takes what cannot be said.</param>
/// <param name="writer">Takes the member.</param>
internal sealed class BedrockTools(JsonElement request, AnthropicThinking? thinking, bool givesJson, DroppedFields dropped, Utf8JsonWriter writer)
{
    /// <summary>Writes <c>toolConfig</c>, when there is something to say.</summary>
    /// <exception cref="UntranslatableRequestException">A tool cannot be said.</exception>
    public void Write()
    {
        var choice = ChatRequest.ToolChoiceOf(request);
        var allowed = ChatRequest.AllowedTools(request);
        var tools = request.Field("tools"u8).Items().Where(tool => allowed?.Contains(tool.Field("function"u8).Field("name"u8).Text() ?? "") ?? true).ToList();
        var called = ChatRequest.CalledTools(request.Field("messages"u8)).ToList();

        if (givesJson && choice.Mode == "none" && thinking is not { MayForce: true } && tools.Count > 0)
        {
            // As Anthropic's: nothing but the tool for JSON, which cannot be forced.
            dropped.AddAdvice("tools");
            tools.Clear();
        }

        // Converse has no choice of none: then nothing is offered.
        if (!givesJson && called.Count == 0 && (tools.Count == 0 || choice.Mode == "none"))
        {
            return;
        }

        writer.WriteStartObject("toolConfig"u8);
        writer.WriteStartArray("tools"u8);
        foreach (var tool in tools)
        {
            WriteTool(tool, tool.Field("function"u8));
        }

        if (givesJson)
        {
            BeginSpec([(byte)'"', .. JsonReply.ToolName, (byte)'"'], JsonReply.Description(request));
            JsonReply.WriteSchema(request, writer);
            EndSpec();
        }
        else if (tools.Count == 0)
        {
            // Converse refuses a conversation with calls and without tools ("toolConfig field must be defined"): those that were called are declared.
            foreach (var name in called)
            {
                BeginSpec(name.Raw(), default);
                AnthropicTools.WriteSchema(default, writer);
                EndSpec();
            }
        }

        writer.WriteEndArray();
        if (givesJson && thinking is { MayForce: true })
        {
            WriteToolChoice(JsonReply.Force(choice, tools.Count));
        }
        else if (tools.Count > 0)
        {
            WriteToolChoice(choice);
        }

        writer.WriteEndObject();
    }

    private void WriteToolChoice(ToolChoice choice)
    {
        if (choice.Mode is "none" || (choice.Forces && thinking is { MayForce: false }))
        {
            // The conversation has calls, which want the tools stated; and a model that thinks, or is new, takes no force.
            dropped.Add("tool_choice");
        }
        else if (choice.Mode == "named")
        {
            writer.WriteStartObject("toolChoice"u8);
            writer.WriteStartObject("tool"u8);
            writer.WriteString("name"u8, choice.Name);
            writer.WriteEndObject();
            writer.WriteEndObject();
        }
        else if (choice.Forces || choice.Mode is "auto")
        {
            writer.WriteRawValueMember("toolChoice"u8, choice.Forces ? """{"any":{}}"""u8 : """{"auto":{}}"""u8);
        }
    }

    private void WriteTool(JsonElement tool, JsonElement function)
    {
        if (function.Field("name"u8).ValueKind != JsonValueKind.String)
        {
            throw new UntranslatableRequestException("Bedrock takes functions only: each tool needs a function with a name.", "tools");
        }

        dropped.AddStrictOf(function);
        BeginSpec(function.Field("name"u8).Raw(), function.Field("description"u8) is { ValueKind: JsonValueKind.String } description ? description.Raw() : default);
        AnthropicTools.WriteSchema(function.Field("parameters"u8), writer);
        EndSpec();
        if (tool.Field("cache_control"u8) is not { ValueKind: JsonValueKind.Object } cache)
        {
            return;
        }

        if (thinking is null)
        {
            // Models of others take a mark in messages, and refuse it here ("extraneous key").
            dropped.AddAdvice("cache_control");
        }
        else
        {
            BedrockMessages.WriteCachePoint(writer, cache);
        }
    }

    /// <summary>Begins a tool up to its schema.</summary>
    /// <param name="name">Its name, as JSON.</param>
    /// <param name="description">Its description, as JSON; nothing when there is none.</param>
    private void BeginSpec(ReadOnlySpan<byte> name, ReadOnlySpan<byte> description)
    {
        writer.WriteStartObject();
        writer.WriteStartObject("toolSpec"u8);
        writer.WriteRawValueMember("name"u8, name);
        if (description.Length > 2)
        {
            writer.WriteRawValueMember("description"u8, description);
        }

        writer.WriteStartObject("inputSchema"u8);
        writer.WritePropertyName("json"u8);
    }

    private void EndSpec()
    {
        writer.WriteEndObject();
        writer.WriteEndObject();
        writer.WriteEndObject();
    }
}
