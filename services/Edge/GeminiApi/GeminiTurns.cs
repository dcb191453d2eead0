using System.Text.Json;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.Gemini;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.GeminiApi;

/// <summary>
/// Says <c>systemInstruction</c> and <c>contents</c> in OpenAI's words. Google knows two speakers, and a tool's result is a part of what the user
/// says; a client that streams keeps each piece of an answer as a content of its own, so those of one speaker in a row are one turn.
/// </summary>
internal sealed class GeminiTurns(SurfaceTarget target, DroppedFields dropped, Utf8JsonWriter json)
{
    private readonly OpenCalls open = new();
    private readonly GeminiParts parts = new(dropped, json);

    /// <summary>Writes the member <c>messages</c>.</summary>
    public void Write(JsonElement request)
    {
        var contents = request.Field("contents"u8);
        JsonElement[] turns = contents.ValueKind == JsonValueKind.Object ? [contents] : [.. contents.Items()];
        if (turns.Length == 0)
        {
            throw new UntranslatableRequestException("The field contents must be a list with at least one content.", "contents");
        }

        json.WriteStartArray("messages"u8);
        WriteSystem(request.Named("systemInstruction"));
        for (var at = 0; at < turns.Length;)
        {
            var isModel = IsModels(turns[at]);
            var said = new List<JsonElement>();
            for (; at < turns.Length && IsModels(turns[at]) == isModel; at++)
            {
                said.AddRange(GeminiParts.Of(turns[at]));
            }

            if (isModel)
            {
                WriteModel(said);
            }
            else
            {
                WriteUser(said);
            }
        }

        json.WriteEndArray();
    }

    private static bool IsModels(JsonElement content) => content.Field("role"u8).Text() switch
    {
        "model" => true,
        null or "" or "user" or "function" => false,
        var other => throw new UntranslatableRequestException($"A content's role must be user or model, and not '{other}'.", "contents.role"),
    };

    private void WriteSystem(JsonElement system)
    {
        if (!system.Given())
        {
            return;
        }

        var said = system.ValueKind == JsonValueKind.String ? [] : GeminiParts.Of(system).ToList();
        if (said.Exists(static part => !GeminiParts.IsText(part)))
        {
            throw new UntranslatableRequestException("The system's instruction must be text.", "systemInstruction");
        }

        json.WriteStartObject();
        json.WriteString("role"u8, "system"u8);
        if (system.ValueKind == JsonValueKind.String)
        {
            json.WriteCopy("content"u8, system);
        }
        else
        {
            GeminiParts.Joined(said, "\\n"u8).Write(json, "content"u8);
        }

        json.WriteEndObject();
    }

    private void WriteUser(List<JsonElement> said)
    {
        var shown = new List<JsonElement>();
        foreach (var part in said)
        {
            if (part.Named("functionResponse") is { ValueKind: JsonValueKind.Object } result)
            {
                WriteResult(result, shown);
            }
        }

        shown.InsertRange(0, said.Where(static part => !part.Named("functionResponse").Given()));
        if (shown.Count > 0)
        {
            json.WriteStartObject();
            json.WriteString("role"u8, "user"u8);
            parts.WriteContent(shown);
            json.WriteEndObject();
        }
    }

    /// <summary>The result's object is told as it stands. What it shows besides stands in the result, or where tools answer in text alone is shown by the user, right after.</summary>
    private void WriteResult(JsonElement result, List<JsonElement> shown)
    {
        var name = result.Field("name"u8).Text();
        var id = open.Answered(result.Field("id"u8).Text(), name) ?? throw new UntranslatableRequestException($"The result of '{name}' must follow the call that it answers.", "contents.parts.functionResponse");
        var pictures = result.Field("parts"u8).Items().ToList();
        var response = result.Field("response"u8) is { ValueKind: JsonValueKind.Object } given ? given.Raw() : "{}"u8;
        json.WriteStartObject();
        json.WriteString("role"u8, "tool"u8);
        json.WriteString("tool_call_id"u8, id);
        if (pictures.Count > 0 && target.TakesPicturesOfTools)
        {
            json.WriteStartArray("content"u8);
            json.WriteStartObject();
            json.WriteString("type"u8, "text"u8);
            json.WriteString("text"u8, response);
            json.WriteEndObject();
            pictures.ForEach(parts.Write);
            json.WriteEndArray();
        }
        else
        {
            json.WriteString("content"u8, response);
            shown.AddRange(pictures);
        }

        json.WriteEndObject();
        foreach (var field in result.Fields().Where(static field => field.Value.Given() && field.Name is not ("id" or "name" or "response" or "parts")))
        {
            dropped.AddAdvice("contents.parts.functionResponse." + field.Name);
        }
    }

    private void WriteModel(List<JsonElement> said)
    {
        var thoughts = said.FindAll(static part => part.Field("thought"u8).ValueKind == JsonValueKind.True);
        var texts = said.FindAll(static part => part.Field("thought"u8).ValueKind != JsonValueKind.True && !part.Field("text"u8).RawText().IsEmpty);
        var calls = said.FindAll(static part => part.Named("functionCall").ValueKind == JsonValueKind.Object);
        foreach (var other in said.Where(static part => !GeminiParts.IsText(part) && !part.Named("functionCall").Given()))
        {
            // What the model showed or ran: OpenAI's models say text and calls of tools.
            dropped.Add("contents.parts." + GeminiParts.KindOf(other));
        }

        NameSignatures(said.Except(thoughts));
        if (texts.Count == 0 && calls.Count == 0)
        {
            NameThoughts(thoughts);
            return;
        }

        json.WriteStartObject();
        json.WriteString("role"u8, "assistant"u8);
        if (texts.Count > 0)
        {
            GeminiParts.Joined(texts, default).Write(json, "content"u8);
        }
        else
        {
            json.WriteNull("content"u8);
        }

        WriteThoughts(thoughts);
        WriteCalls(calls);
        json.WriteEndObject();
    }

    private void WriteThoughts(List<JsonElement> thoughts)
    {
        var blocks = target.KnowsAnthropic ? thoughts.SelectMany(GeminiThoughts.Blocks).ToList() : [];
        if (blocks.Count > 0)
        {
            json.WriteStartArray("thinking_blocks"u8);
            blocks.ForEach(json.WriteCopy);
            json.WriteEndArray();
        }
        else if (target.TakesThoughts && thoughts.Count > 0)
        {
            GeminiParts.Joined(thoughts, default).Write(json, "reasoning_content"u8);
        }
        else
        {
            NameThoughts(thoughts);
        }
    }

    private void NameThoughts(List<JsonElement> thoughts)
    {
        if (thoughts.Count > 0)
        {
            dropped.AddAdvice("contents.parts.thought");
        }
    }

    /// <summary>Google's signatures are for Google's models: others are not sent any.</summary>
    private void NameSignatures(IEnumerable<JsonElement> said)
    {
        if (!TakesSignatures && said.Any(static part => part.Named("thoughtSignature").Text() is { Length: > 0 } and not GeminiContents.NoSignature))
        {
            dropped.AddAdvice("contents.parts.thoughtSignature");
        }
    }

    private bool TakesSignatures => target.Provider.Protocol is "gemini" or "vertex";

    private void WriteCalls(List<JsonElement> calls)
    {
        if (calls.Count == 0)
        {
            return;
        }

        open.Begin();
        json.WriteStartArray("tool_calls"u8);
        foreach (var part in calls)
        {
            var call = part.Named("functionCall");
            var name = call.Field("name"u8).Text() ?? throw new UntranslatableRequestException("Each call of a function needs its name.", "contents.parts.functionCall");
            json.WriteStartObject();
            json.WriteString("id"u8, open.Add(call.Field("id"u8).Text(), name));
            json.WriteString("type"u8, "function"u8);
            json.WriteStartObject("function"u8);
            json.WriteString("name"u8, ToolNames.Fit(name));
            json.WriteString("arguments"u8, call.Field("args"u8) is { ValueKind: JsonValueKind.Object } arguments ? arguments.Raw() : "{}"u8);
            json.WriteEndObject();
            if (TakesSignatures && part.Named("thoughtSignature") is { ValueKind: JsonValueKind.String } signature)
            {
                json.WriteStartObject("provider_specific_fields"u8);
                json.WriteCopy("thought_signature"u8, signature);
                json.WriteEndObject();
            }

            json.WriteEndObject();
        }

        json.WriteEndArray();
    }
}
