using System.Buffers;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Mistral;

/// <summary>
/// A chat request in the words that Mistral takes: it answers 422 (<c>extra_forbidden</c>) to any field that it does not know, also in a message.
/// What OpenAI calls by another name is renamed; what Mistral does not have is left out and named; everything else stays as it came.
/// </summary>
internal sealed partial class MistralRequest
{
    // Fields of OpenAI's, and one of Anthropic's, that Mistral does not have. Any other passes: Mistral adds fields of its own from time to time.
    private static readonly HashSet<string> Unknown = new(StringComparer.Ordinal)
    {
        "audio", "functions", "function_call", "logit_bias", "logprobs", "modalities", "prompt_cache_key", "prompt_cache_retention", "safety_identifier",
        "service_tier", "store", "thinking", "top_logprobs", "user", "verbosity", "web_search_options",
    };

    // Those of them that only advise.
    private static readonly HashSet<string> Advice = new(StringComparer.Ordinal) { "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "thinking", "user" };

    private static readonly HashSet<string> KnownOfMessages = new(StringComparer.Ordinal) { "role", "content", "tool_calls", "tool_call_id", "prefix" };

    private static readonly HashSet<string> KnownOfCalls = new(StringComparer.Ordinal) { "id", "type", "function", "index" };

    private readonly JsonElement request;
    private readonly DroppedFields dropped;
    private readonly bool takesThoughts;
    private readonly Utf8JsonWriter writer;

    private MistralRequest(JsonElement request, DroppedFields dropped, bool takesThoughts, Utf8JsonWriter writer)
    {
        this.request = request;
        this.dropped = dropped;
        this.takesThoughts = takesThoughts;
        this.writer = writer;
    }

    /// <summary>Writes the request.</summary>
    /// <exception cref="UntranslatableRequestException">It cannot be said.</exception>
    public static void Write(ReadOnlyMemory<byte> body, in ChatCall call, IBufferWriter<byte> output, List<string> droppedNames)
    {
        using var document = ChatRequest.Parse(body);
        using var writer = new Utf8JsonWriter(output, Completion.Writing);
        new MistralRequest(document.RootElement, new DroppedFields(droppedNames, call.DropUnsupported, "Mistral"), Reasons(call.KnownModel), writer).Write();
    }

    private void Write()
    {
        ChatRequest.RefuseLegacyFunctions(request);
        writer.WriteStartObject();
        foreach (var field in request.EnumerateObject())
        {
            switch (field.Name)
            {
                case "messages" when field.Value.ValueKind == JsonValueKind.Array:
                    writer.WriteStartArray("messages"u8);
                    var left = field.Value.GetArrayLength();
                    foreach (var message in field.Value.EnumerateArray())
                    {
                        WriteMessage(message, isLast: --left == 0);
                    }

                    writer.WriteEndArray();
                    break;

                case "tools" when field.Value.ValueKind == JsonValueKind.Array:
                    WriteUnmarked("tools"u8, field.Value);
                    break;

                case "max_completion_tokens":
                    WriteAs("max_tokens", field.Value);
                    break;

                case "max_tokens" when request.Field("max_completion_tokens"u8).Given():
                    break;

                case "seed":
                    WriteAs("random_seed", field.Value);
                    break;

                case "stream_options":
                    // The usage of a stream is reported unasked.
                    break;

                case "metadata":
                    dropped.AddMetadataOf(request);
                    break;

                case var name when Unknown.Contains(name):
                    dropped.AddGiven(field, isAdvice: Advice.Contains(name));
                    break;

                default:
                    writer.WriteCopy(field);
                    break;
            }
        }

        writer.WriteEndObject();
    }

    private void WriteMessage(JsonElement message, bool isLast)
    {
        if (message.ValueKind != JsonValueKind.Object)
        {
            writer.WriteCopy(message);
            return;
        }

        var thoughts = ChatRequest.ThoughtsOf(message) is var text && !text.RawText().IsEmpty ? text : default;
        var thinks = takesThoughts && thoughts.Given();
        var content = ChatRequest.ContentOf(message);
        var isRefused = content.Given() && content.Raw() == message.Field("refusal"u8).Raw();

        // What stands twice is written once, at its first place.
        var written = false;
        writer.WriteStartObject();
        foreach (var field in message.EnumerateObject())
        {
            switch (field.Name)
            {
                case "role" when field.Value.Is("developer"u8):
                    writer.WriteString("role"u8, "system"u8);
                    break;

                case "content" when thinks || isRefused:
                    break;

                case "refusal" when isRefused:
                    if (!thinks && !written)
                    {
                        written = true;
                        writer.WriteCopy("content"u8, content);
                    }

                    break;

                case "content" when field.Value.ValueKind == JsonValueKind.Array:
                    writer.WriteStartArray("content"u8);
                    WriteParts(field.Value);
                    writer.WriteEndArray();
                    break;

                case "name" when message.Field("role"u8).Is("tool"u8):
                    writer.WriteCopy(field);
                    break;

                case "tool_calls" when field.Value.ValueKind == JsonValueKind.Array:
                    WriteCalls(field.Value);
                    break;

                case "tool_call_id" when field.Value.ValueKind == JsonValueKind.String:
                    writer.WriteString("tool_call_id"u8, MistralCallId.Of(field.Value.Text() ?? ""));
                    break;

                case "reasoning_content" or "reasoning" when thinks:
                    if (!written)
                    {
                        written = true;
                        WriteThoughts(thoughts, content);
                    }

                    break;

                case var name when KnownOfMessages.Contains(name):
                    writer.WriteCopy(field);
                    break;

                default:
                    dropped.AddGiven(field, isAdvice: true, "messages.");
                    break;
            }
        }

        if (isLast && message.Field("role"u8).Is("assistant"u8) && !message.Field("tool_calls"u8).Items().Any() && message.Field("prefix"u8).ValueKind == JsonValueKind.Undefined)
        {
            // Mistral goes on with the beginning of an answer only when it is told that it is one.
            writer.WriteBoolean("prefix"u8, true);
        }

        writer.WriteEndObject();
    }

    private void WriteParts(JsonElement parts)
    {
        foreach (var part in parts.EnumerateArray())
        {
            var file = part.Field("file"u8);
            var sound = part.Field("input_audio"u8).Field("data"u8);
            if (file.ValueKind != JsonValueKind.Object && sound.ValueKind != JsonValueKind.String)
            {
                WriteUnmarked(part);
                continue;
            }

            NameMarkOf(part);
            writer.WriteStartObject();
            if (sound.ValueKind == JsonValueKind.String)
            {
                writer.WriteString("type"u8, "input_audio"u8);
                writer.WriteCopy("input_audio"u8, sound);
            }
            else
            {
                WriteFile(file);
            }

            writer.WriteEndObject();
        }
    }

    /// <summary>A file that is sent along is a document at an address; one of Mistral's own has its id beside its type.</summary>
    private void WriteFile(JsonElement file)
    {
        if (file.Field("file_data"u8).Text() is not { } data)
        {
            if (file.Field("file_id"u8) is not { ValueKind: JsonValueKind.String } id)
            {
                throw new UntranslatableRequestException("A file needs file_data or file_id.", "messages.content");
            }

            writer.WriteString("type"u8, "file"u8);
            writer.WriteCopy("file_id"u8, id);
            return;
        }

        writer.WriteString("type"u8, "document_url"u8);
        writer.WriteString("document_url"u8, data.Contains(':', StringComparison.Ordinal) ? data : "data:application/pdf;base64," + data);
        if (file.Field("filename"u8) is { ValueKind: JsonValueKind.String } name)
        {
            writer.WriteCopy("document_name"u8, name);
        }
    }

    /// <summary>What the model thought stands in the content, before what it said: the way in which Mistral gave it (<see cref="ListedContent"/>).</summary>
    private void WriteThoughts(JsonElement thoughts, JsonElement content)
    {
        writer.WriteStartArray("content"u8);
        writer.WriteStartObject();
        writer.WriteString("type"u8, "thinking"u8);
        writer.WriteStartArray("thinking"u8);
        WriteText(thoughts);
        writer.WriteEndArray();
        writer.WriteEndObject();
        if (!content.RawText().IsEmpty)
        {
            WriteText(content);
        }

        if (content.ValueKind == JsonValueKind.Array)
        {
            WriteParts(content);
        }

        writer.WriteEndArray();
    }

    private void WriteUnmarked(ReadOnlySpan<byte> name, JsonElement list)
    {
        writer.WriteStartArray(name);
        foreach (var one in list.EnumerateArray())
        {
            WriteUnmarked(one);
        }

        writer.WriteEndArray();
    }

    /// <summary>Writes a part or a tool without its cache mark.</summary>
    private void WriteUnmarked(JsonElement one)
    {
        if (one.Field("cache_control"u8).ValueKind == JsonValueKind.Undefined)
        {
            writer.WriteCopy(one);
            return;
        }

        NameMarkOf(one);
        writer.WriteStartObject();
        foreach (var field in one.EnumerateObject().Where(static field => !field.NameEquals("cache_control"u8)))
        {
            writer.WriteCopy(field);
        }

        writer.WriteEndObject();
    }

    private void NameMarkOf(JsonElement one)
    {
        if (one.Field("cache_control"u8).Given())
        {
            dropped.AddAdvice("cache_control");
        }
    }

    private void WriteText(JsonElement text)
    {
        writer.WriteStartObject();
        writer.WriteString("type"u8, "text"u8);
        writer.WriteCopy("text"u8, text);
        writer.WriteEndObject();
    }

    private void WriteCalls(JsonElement calls)
    {
        writer.WriteStartArray("tool_calls"u8);
        foreach (var call in calls.EnumerateArray())
        {
            writer.WriteStartObject();
            foreach (var field in call.Fields())
            {
                if (field.NameEquals("id"u8) && field.Value.Text() is { } id)
                {
                    writer.WriteString("id"u8, MistralCallId.Of(id));
                }
                else if (KnownOfCalls.Contains(field.Name))
                {
                    writer.WriteCopy(field);
                }
                else
                {
                    dropped.AddGiven(field, isAdvice: true, "messages.tool_calls.");
                }
            }

            writer.WriteEndObject();
        }

        writer.WriteEndArray();
    }

    private void WriteAs(string name, JsonElement value)
    {
        if (value.Given())
        {
            writer.WritePropertyName(name);
            writer.WriteCopy(value);
        }
    }

    /// <summary>Whether a model takes thoughts back: one that has none refuses them.</summary>
    private static bool Reasons(string model) => ReasoningName().IsMatch(model);

    [GeneratedRegex(@"magistral|mistral-(small|medium)-(latest|2[6-9]\d\d|3[-.]5|[4-9])", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ReasoningName();
}
