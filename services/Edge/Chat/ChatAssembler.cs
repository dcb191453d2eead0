using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Chat;

/// <summary>
/// Makes one <c>chat.completion</c> of the chunks of a stream: for a request that does not stream and was streamed upstream because it runs
/// guarded. Not on the warm path, so it may build a tree: whatever fields a chunk has, the answer has too.
/// </summary>
/// <param name="madeIds">What the ids begin with that are made for calls without one.</param>
internal sealed class ChatAssembler(string madeIds)
{
    private readonly SortedDictionary<int, Choice> choices = [];
    private JsonObject? envelope;

    /// <summary>Adds the chunks of whole frames (<c>data: {…}</c> and a blank line each).</summary>
    public void AddFrames(ReadOnlySpan<byte> frames)
    {
        while (frames.IndexOf("data: "u8) is >= 0 and var at)
        {
            frames = frames[(at + 6)..];
            var end = frames.IndexOf("\n\n"u8);
            var data = end < 0 ? frames : frames[..end];
            if (!data.SequenceEqual("[DONE]"u8))
            {
                Add(data);
            }

            frames = end < 0 ? default : frames[(end + 2)..];
        }
    }

    /// <summary>Adds one chunk.</summary>
    /// <exception cref="MalformedReplyException">It is none.</exception>
    public void Add(ReadOnlySpan<byte> chunk)
    {
        try
        {
            Add(JsonNode.Parse(chunk) as JsonObject ?? throw new JsonException());
        }
        catch (Exception odd) when (JsonReading.IsOfBrokenJson(odd))
        {
            throw new MalformedReplyException("A frame of the stream is no chunk of OpenAI's chat.");
        }
    }

    private void Add(JsonObject root)
    {
        var parts = root["choices"] as JsonArray;
        root.Remove("choices");
        root.Remove("usage");
        root.Remove("object");
        TakeEnvelope(root);
        foreach (var part in parts?.OfType<JsonObject>() ?? [])
        {
            var index = part["index"]?.GetValue<int>() ?? 0;
            if (!choices.TryGetValue(index, out var choice))
            {
                choices[index] = choice = new Choice(madeIds);
            }

            choice.Add(part);
        }
    }

    /// <summary>What stands around the choices: as the first chunk says it, and what that leaves out or empty, as Azure's does, as a later one says it.</summary>
    private void TakeEnvelope(JsonObject chunk)
    {
        if (envelope is null)
        {
            envelope = chunk;
            return;
        }

        foreach (var (name, value) in chunk)
        {
            if (SaysNothing(envelope[name]))
            {
                envelope[name] = value?.DeepClone();
            }
        }
    }

    private static bool SaysNothing(JsonNode? member) => member is null
        || (member is JsonValue said && ((said.TryGetValue<string>(out var text) && text.Length == 0) || (said.TryGetValue<long>(out var number) && number == 0)));

    /// <summary>The whole answer.</summary>
    public ReadOnlyMemory<byte> ToJson(TokenUsage usage)
    {
        var output = new ArrayBufferWriter<byte>(2048);
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        json.WriteStartObject();
        json.WriteString("object", "chat.completion");
        foreach (var (name, value) in envelope ?? [])
        {
            if (value is not null)
            {
                json.WritePropertyName(name);
                value.WriteTo(json);
            }
        }

        json.WriteStartArray("choices");
        foreach (var (index, choice) in choices)
        {
            choice.Write(json, index);
        }

        json.WriteEndArray();
        json.WritePropertyName("usage");
        OpenAiUsage.Write(json, usage);
        json.WriteEndObject();
        json.Flush();
        return output.WrittenMemory;
    }

    private sealed class Choice(string madeIds)
    {
        private readonly JsonObject message = new() { ["role"] = "assistant", ["content"] = null, ["refusal"] = null };
        private readonly Dictionary<string, StringBuilder> texts = [];
        private readonly StreamedCalls calls = new(madeIds);
        private readonly List<JsonObject> callObjects = [];
        private JsonNode? finishReason;
        private JsonObject? logprobs;

        public void Add(JsonObject part)
        {
            // Some servers send an empty reason until there is one.
            finishReason = part["finish_reason"] is { } reason && !IsEmptyText(reason) ? reason.DeepClone() : finishReason;
            if (part["logprobs"] is JsonObject more)
            {
                AddLogprobs(more);
            }

            foreach (var (name, value) in part["delta"] as JsonObject ?? [])
            {
                if (name == "tool_calls" && value is JsonArray deltas)
                {
                    AddCalls(deltas);
                }
                else if (name != "role" && value is JsonValue text && text.TryGetValue<string>(out var piece))
                {
                    (texts.TryGetValue(name, out var known) ? known : texts[name] = new StringBuilder()).Append(piece);
                }
                else if (value is JsonArray items)
                {
                    AddItems(name, items);
                }
                else if (value is not null)
                {
                    message[name] = value.DeepClone();
                }
            }
        }

        public void Write(Utf8JsonWriter json, int index)
        {
            foreach (var (name, text) in texts)
            {
                message[name] = text.ToString();
            }

            if (callObjects.Count > 0)
            {
                message["tool_calls"] = new JsonArray([.. callObjects.Zip(calls.All, static (call, pieces) =>
                {
                    (call["function"] as JsonObject)!["arguments"] = pieces.Arguments.ToString();
                    return call;
                })]);
            }

            json.WriteStartObject();
            json.WriteNumber("index", index);
            json.WritePropertyName("message");
            message.WriteTo(json);
            json.WritePropertyName("logprobs");
            if (logprobs is null)
            {
                json.WriteNullValue();
            }
            else
            {
                logprobs.WriteTo(json);
            }

            json.WritePropertyName("finish_reason");
            // A whole answer has a reason, also where its server has said that it is whole, and not why.
            (finishReason ?? ChatAnswer.FinishReason(null, callObjects.Count > 0) ?? "stop").WriteTo(json);
            json.WriteEndObject();
        }

        /// <summary>Further items of a list. Thinking comes in pieces: a block grows until its signature.</summary>
        private void AddItems(string name, JsonArray items)
        {
            var known = message[name] as JsonArray;
            message[name] = known ??= [];
            foreach (var item in items)
            {
                if (name == "thinking_blocks" && item?["type"]?.ToString() == "thinking" && known is [.., JsonObject open] && open["type"]?.ToString() == "thinking" && open["signature"] is null)
                {
                    open["thinking"] = $"{open["thinking"]}{item["thinking"]}";
                    open["signature"] = item["signature"]?.DeepClone();
                }
                else
                {
                    known.Add(item?.DeepClone());
                }
            }
        }

        private void AddCalls(JsonArray deltas)
        {
            foreach (var delta in deltas.OfType<JsonObject>())
            {
                var function = delta["function"] as JsonObject;
                var known = calls.Of(delta["index"]?.GetValue<int>(), TextOf(delta["id"]), TextOf(function?["name"]), out var begins);
                if (begins)
                {
                    callObjects.Add(new JsonObject { ["id"] = known.Id, ["type"] = "function", ["function"] = new JsonObject { ["name"] = known.Name } });
                }

                known.Arguments.Append(function?["arguments"]?.GetValue<string>());
                var call = callObjects[known.Index];
                if (TextOf(function?["name"]) is { Length: > 0 } name)
                {
                    (call["function"] as JsonObject)!["name"] = name;
                }

                foreach (var (field, value) in delta)
                {
                    if (field is not ("index" or "function") && value is not null && !IsEmptyText(value))
                    {
                        call[field] = value.DeepClone();
                    }
                }
            }
        }

        private static string TextOf(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) ? text : "";

        private static bool IsEmptyText(JsonNode node) => node is JsonValue value && value.TryGetValue<string>(out var text) && text.Length == 0;

        private void AddLogprobs(JsonObject more)
        {
            logprobs ??= [];
            foreach (var (name, value) in more)
            {
                if (value is JsonArray entries && logprobs[name] is JsonArray known)
                {
                    foreach (var entry in entries)
                    {
                        known.Add(entry?.DeepClone());
                    }
                }
                else if (value is not null || !logprobs.ContainsKey(name))
                {
                    logprobs[name] = value?.DeepClone();
                }
            }
        }
    }
}
