using System.Text.Json;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Responses;

/// <summary>
/// Says <c>instructions</c> and <c>input</c> as messages. Here every turn, call and result is an item of its own; in chat an answer's text, its
/// reasoning and its calls are one message, so what the model said in a row is gathered. A result may stand anywhere after its call here; in chat
/// it follows at once.
/// </summary>
internal sealed class ResponsesInput(SurfaceTarget target, ResponseToolNames names, DroppedFields dropped, Utf8JsonWriter json)
{
    private readonly List<JsonElement> said = [];
    private readonly List<JsonElement> calls = [];
    private readonly List<JsonElement> thinking = [];

    /// <summary>The results of each id that are not written yet: some servers begin their ids anew with each answer, so the first is the first call's.</summary>
    private Dictionary<CallId, Queue<(int Place, JsonElement Item)>> results = [];

    /// <summary>Gemini's signature of what the model said, which a reasoning item before or behind it carries.</summary>
    private string? textSignature;

    /// <summary>Writes the member <c>messages</c>.</summary>
    public void Write(JsonElement request)
    {
        json.WriteStartArray("messages"u8);
        if (request.Field("instructions"u8) is { ValueKind: JsonValueKind.String } instructions && !instructions.ValueEquals(""u8))
        {
            WriteText("system", instructions);
        }

        var input = request.Field("input"u8);
        if (input.ValueKind == JsonValueKind.String)
        {
            WriteText("user", input);
        }
        else if (input.ValueKind == JsonValueKind.Array)
        {
            results = input.EnumerateArray().Index().Where(static one => IsResult(one.Item)).GroupBy(static one => CallOf(one.Item))
                .ToDictionary(static id => id.Key, static id => new Queue<(int, JsonElement)>(id));
            foreach (var (place, item) in input.EnumerateArray().Index())
            {
                Take(item, place);
            }

            WriteAssistant();
        }
        else
        {
            throw new UntranslatableRequestException("The field input must be a text or a list of items.", "input");
        }

        json.WriteEndArray();
    }

    private void Take(JsonElement item, int place)
    {
        switch (item.Field("type"u8).Text() ?? "message")
        {
            case "message" when item.Field("role"u8).Is("assistant"u8):
                if (calls.Count > 0)
                {
                    // Words after calls are another answer.
                    WriteAssistant();
                }

                if (item.Field("content"u8).Items().Any(static part => part.Field("annotations"u8).Items().Any()))
                {
                    dropped.AddAdvice("input.content.annotations");
                }

                said.Add(item);
                break;

            case "message":
                WriteAssistant();
                WriteMessage(item);
                break;

            case "reasoning" when target.Provider.TakesGeminiSignatures && TextSignature.Of(item.Field("encrypted_content"u8).Text()) is { Length: > 0 } signature:
                textSignature = signature;
                break;

            case "reasoning":
                if (said.Count > 0 || calls.Count > 0)
                {
                    WriteAssistant();
                }

                TakeReasoning(item);
                break;

            case "function_call" or "custom_tool_call":
                calls.Add(item);
                break;

            case "function_call_output" or "custom_tool_call_output":
                WriteAssistant();
                if (results[CallOf(item)] is var left && left.TryPeek(out var next) && next.Place == place)
                {
                    // No call has taken it.
                    WriteResults([left.Dequeue().Item]);
                }

                break;

            case "additional_tools":
                // They stand among the tools.
                break;

            case "item_reference" when item.Field("id"u8).Text()?.StartsWith("rs_", StringComparison.Ordinal) == true:
                // Clients that take everything for stored send reasoning back by its name: without it the model thinks anew.
                dropped.AddAdvice("input.item_reference");
                break;

            case "item_reference":
                throw new UntranslatableRequestException(
                    "An item_reference leans on what OpenAI stores, and this model's provider stores nothing: send the item itself.", "input");

            case var other:
                throw new UntranslatableRequestException($"An input item of type {other} is OpenAI's own, and this model's provider is another: leave it out.", "input");
        }
    }

    private void TakeReasoning(JsonElement item)
    {
        if (target.KnowsAnthropic && ThinkingSeal.Open(item.Field("encrypted_content"u8).Text()) is { } blocks)
        {
            thinking.AddRange(blocks.EnumerateArray());
        }
        else
        {
            dropped.AddAdvice("input.reasoning");
        }
    }

    private void WriteText(string role, JsonElement text)
    {
        json.WriteStartObject();
        json.WriteString("role"u8, role);
        json.WriteCopy("content"u8, text);
        json.WriteEndObject();
    }

    private void WriteMessage(JsonElement item)
    {
        var role = item.Field("role"u8).Text();
        if (role is not ("user" or "system" or "developer"))
        {
            throw new UntranslatableRequestException("A message's role must be user, assistant, system or developer.", "input");
        }

        json.WriteStartObject();
        // Compatible servers know system alone, and to OpenAI both are the same.
        json.WriteString("role"u8, role == "developer" ? "system" : role);
        WriteContent(item.Field("content"u8));
        json.WriteEndObject();
    }

    private void WriteAssistant()
    {
        if (said.Count == 0 && calls.Count == 0)
        {
            thinking.Clear();
            ForgetSignature();
            return;
        }

        json.WriteStartObject();
        json.WriteString("role"u8, "assistant"u8);
        if (thinking.Count > 0)
        {
            json.WriteStartArray("thinking_blocks"u8);
            foreach (var block in thinking)
            {
                json.WriteCopy(block);
            }

            json.WriteEndArray();
        }

        if (said.Count == 0)
        {
            json.WriteNull("content"u8);
        }
        else
        {
            if (textSignature is not null)
            {
                TextSignature.Write(json, textSignature);
                textSignature = null;
            }

            json.WriteString("content"u8, string.Concat(said.Select(static item => TextOf(item.Field("content"u8)))));
        }

        if (calls.Count > 0)
        {
            json.WriteStartArray("tool_calls"u8);
            foreach (var call in calls)
            {
                WriteCall(call);
            }

            json.WriteEndArray();
        }

        json.WriteEndObject();
        WriteResults([.. calls.Select(call => results.GetValueOrDefault(CallOf(call))).OfType<Queue<(int, JsonElement Item)>>().Where(static left => left.Count > 0).Select(static left => left.Dequeue().Item)]);
        said.Clear();
        calls.Clear();
        thinking.Clear();
        ForgetSignature();
    }

    /// <summary>A text's signature is no other text's: Gemini would refuse it there.</summary>
    private void ForgetSignature()
    {
        if (textSignature is not null)
        {
            dropped.AddAdvice("input.reasoning");
            textSignature = null;
        }
    }

    private void WriteCall(JsonElement call)
    {
        json.WriteStartObject();
        json.WriteString("id"u8, CallOf(call).Text);
        json.WriteString("type"u8, "function"u8);
        json.WriteStartObject("function"u8);
        json.WriteString("name"u8, names.Of(call.Field("namespace"u8).Text(), call.Field("name"u8).Text()));
        if (call.Field("type"u8).Is("custom_tool_call"u8))
        {
            json.WriteString("arguments"u8, ResponsesTools.CustomArgumentsOf(call.Field("input"u8).Text() ?? ""));
        }
        else if (call.Field("arguments"u8) is { ValueKind: JsonValueKind.String } arguments)
        {
            json.WriteCopy("arguments"u8, arguments);
        }
        else
        {
            json.WriteString("arguments"u8, "{}"u8);
        }

        json.WriteEndObject();
        json.WriteEndObject();
    }

    private void WriteResults(JsonElement[] answers)
    {
        var pictures = new List<JsonElement>();
        foreach (var result in answers)
        {
            WriteResult(result, pictures);
        }

        if (pictures.Count > 0)
        {
            json.WriteStartObject();
            json.WriteString("role"u8, "user"u8);
            json.WriteStartArray("content"u8);
            pictures.ForEach(WritePart);
            json.WriteEndArray();
            json.WriteEndObject();
        }
    }

    private void WriteResult(JsonElement item, List<JsonElement> picturesOfTools)
    {
        var output = item.Field("output"u8);
        var pictures = output.Items().Where(static part => part.Field("type"u8).Text() is "input_image" or "input_file").ToArray();
        json.WriteStartObject();
        json.WriteString("role"u8, "tool"u8);
        json.WriteString("tool_call_id"u8, CallOf(item).Text);
        if (target.TakesPicturesOfTools || pictures.Length == 0)
        {
            WriteContent(output);
        }
        else
        {
            // Chat's tools answer in text alone: their pictures are shown by the user, right after.
            json.WriteString("content"u8, TextOf(output));
            picturesOfTools.AddRange(pictures);
        }

        json.WriteEndObject();
    }

    private void WriteContent(JsonElement content)
    {
        if (content.ValueKind == JsonValueKind.String)
        {
            json.WriteCopy("content"u8, content);
        }
        else if (content.Items().All(static part => part.Field("text"u8).ValueKind == JsonValueKind.String))
        {
            json.WriteString("content"u8, TextOf(content));
        }
        else
        {
            json.WriteStartArray("content"u8);
            foreach (var part in content.Items())
            {
                WritePart(part);
            }

            json.WriteEndArray();
        }
    }

    private void WritePart(JsonElement part)
    {
        json.WriteStartObject();
        switch (part.Field("type"u8).Text())
        {
            case "input_text" or "output_text" or "text":
                json.WriteString("type"u8, "text"u8);
                json.WriteString("text"u8, part.Field("text"u8).Text() ?? "");
                break;

            case "input_image" when part.Field("image_url"u8) is { ValueKind: JsonValueKind.String } address:
                json.WriteString("type"u8, "image_url"u8);
                json.WriteStartObject("image_url"u8);
                json.WriteCopy("url"u8, address);
                if (part.Field("detail"u8) is { ValueKind: JsonValueKind.String } detail && !detail.Is("auto"u8))
                {
                    json.WriteCopy("detail"u8, detail);
                }

                json.WriteEndObject();
                break;

            case "input_file":
                WriteFile(part);
                break;

            case "input_audio" when part.Field("input_audio"u8).ValueKind == JsonValueKind.Object:
                json.WriteString("type"u8, "input_audio"u8);
                json.WriteCopy("input_audio"u8, part.Field("input_audio"u8));
                break;

            case "input_image":
                throw new UntranslatableRequestException("A file_id names a file that OpenAI stores, and this model's provider is another: send image_url.", "input");

            case var other:
                throw new UntranslatableRequestException($"Content of type '{other}' is not known here.", "input");
        }

        json.WriteEndObject();
    }

    private void WriteFile(JsonElement part)
    {
        json.WriteString("type"u8, "file"u8);
        json.WriteStartObject("file"u8);
        if (part.Field("filename"u8) is { ValueKind: JsonValueKind.String } name)
        {
            json.WriteCopy("filename"u8, name);
        }

        if (part.Field("file_data"u8) is { ValueKind: JsonValueKind.String } data)
        {
            json.WriteCopy("file_data"u8, data);
        }
        else if (part.Field("file_url"u8) is { ValueKind: JsonValueKind.String } address && !target.PassesHub)
        {
            json.WriteCopy("file_data"u8, address);
        }
        else if (part.Field("file_id"u8) is { ValueKind: JsonValueKind.String } id)
        {
            json.WriteCopy("file_id"u8, id);
        }
        else
        {
            throw new UntranslatableRequestException("This model's provider takes no file by its address: send file_data.", "input");
        }

        json.WriteEndObject();
    }

    private static bool IsResult(JsonElement item) => item.Field("type"u8).Text() is "function_call_output" or "custom_tool_call_output";

    private static CallId CallOf(JsonElement item) => new(item.Field("call_id"u8).Text());

    private static string TextOf(JsonElement content) => content.Text()
        ?? string.Concat(content.Items().Select(static part => part.Field("text"u8).Text() ?? part.Field("refusal"u8).Text()));

    /// <summary>The id that joins a call and its result; those that have none are joined, too.</summary>
    private readonly record struct CallId(string? Text);
}
