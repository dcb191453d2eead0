using System.Buffers;
using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Streaming;
using Gateway.Edge.Tests.Chat;

namespace Gateway.Edge.Tests.Providers;

/// <summary>The recorded cases of each provider: files under <c>Providers/X/Cases/{request,reply,stream,error}</c>.</summary>
public static class ProviderCases
{
    internal static readonly Guid RequestId = new("01890000-0000-7000-8000-000000000001");

    /// <summary>Every provider, found by itself: who adds one cannot forget its tests.</summary>
    internal static IReadOnlyList<IChatProvider> Providers { get; } =
        typeof(IChatProvider).Assembly.GetTypes()
            .Where(type => typeof(IChatProvider).IsAssignableFrom(type) && type is { IsAbstract: false, IsInterface: false })
            .OrderBy(type => type.Name, StringComparer.Ordinal)
            .Select(type => (IChatProvider)Activator.CreateInstance(type)!)
            .ToList();

    public static TheoryData<string> Protocols => new(Providers.Select(provider => provider.Protocol));

    internal static IChatProvider Provider(string protocol) => Providers.Single(provider => provider.Protocol == protocol);

    /// <summary>
    /// The folder's name is the provider's: <c>AnthropicProvider</c> has <c>Anthropic</c>. One that has no cases of a kind speaks there what its
    /// base speaks, and has its cases; null when nobody has any.
    /// </summary>
    internal static string? Folder(IChatProvider provider, string kind)
    {
        for (var type = provider.GetType(); type is not null && type != typeof(object); type = type.BaseType)
        {
            var cases = Path.Combine(AppContext.BaseDirectory, "Providers", type.Name[..^"Provider".Length], "Cases", kind);
            if (Directory.Exists(cases) && Directory.EnumerateFiles(cases).Any())
            {
                return cases;
            }
        }

        return null;
    }

    /// <summary>Whether the cases of a kind are the provider's own, and not its base's.</summary>
    internal static bool HasOwn(IChatProvider provider, string kind) =>
        Directory.Exists(Path.Combine(AppContext.BaseDirectory, "Providers", provider.GetType().Name[..^"Provider".Length], "Cases", kind));

    internal static IEnumerable<string> Files(IChatProvider provider, string kind) =>
        Folder(provider, kind) is { } folder ? Directory.EnumerateFiles(folder, "*.json").Order(StringComparer.Ordinal) : [];

    /// <summary>The cases that a protocol has no words for, as <c>Cases/none.json</c> says with the reason for each.</summary>
    internal static IReadOnlyList<string> Absent(IChatProvider provider)
    {
        var file = Path.Combine(Folder(provider, "reply")!, "..", "none.json");
        return File.Exists(file) ? [.. JsonNode.Parse(File.ReadAllText(file))!.AsObject().Where(item => ((string?)item.Value)?.Length > 0).Select(item => item.Key)] : [];
    }

    internal static TheoryData<string, string> All(string kind)
    {
        var data = new TheoryData<string, string>();
        foreach (var provider in Providers)
        {
            foreach (var file in Files(provider, kind))
            {
                data.Add(provider.Protocol, Path.GetFileNameWithoutExtension(file));
            }
        }

        return data;
    }

    internal static JsonNode Read(string protocol, string kind, string name) => JsonNode.Parse(File.ReadAllText(PathOf(protocol, kind, name + ".json")))!;

    internal static string PathOf(string protocol, string kind, string file) =>
        Path.Combine(Folder(Provider(protocol), kind)!, file);

    internal static ChatCall Call(JsonNode? settings = null, bool stream = false) => new(
        RequestId,
        "public-model",
        (string?)settings?["model"] ?? "provider-model",
        (bool?)settings?["stream"] ?? stream,
        1_700_000_000,
        (int?)settings?["max_output_tokens"],
        (bool?)settings?["drop_params"] ?? true) { BaseModel = (string?)settings?["base_model"] };

    internal static byte[] Bytes(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text)
        ? Encoding.UTF8.GetBytes(text)
        : JsonSerializer.SerializeToUtf8Bytes(node);

    internal static TokenUsage? Usage(JsonNode? node) => node is null ? null : new TokenUsage
    {
        Input = (long?)node["input"] ?? 0,
        CachedInput = (long?)node["cached"] ?? 0,
        CacheWrite5m = (long?)node["write_5m"] ?? 0,
        CacheWrite1h = (long?)node["write_1h"] ?? 0,
        InputAudio = (long?)node["input_audio"] ?? 0,
        Output = (long?)node["output"] ?? 0,
        Reasoning = (long?)node["reasoning"] ?? 0,
        OutputAudio = (long?)node["output_audio"] ?? 0,
    };

    internal static void AssertSame(JsonNode? expected, JsonNode? actual)
    {
        if (!JsonNode.DeepEquals(expected, actual))
        {
            Assert.Equal(expected?.ToJsonString(), actual?.ToJsonString());
        }
    }

    /// <summary>Reads a recorded stream in pieces of the given sizes: by its translator, or, where it passes, by the relay itself.</summary>
    internal static StreamResult ReadStream(IChatProvider provider, byte[] bytes, Func<int> pieceLength, ChatCall? call = null)
    {
        if (provider.SpeaksOpenAiChat)
        {
            using var relay = RelayedStream.Open(provider, call);
            RelayedStream.Read(relay, bytes, pieceLength);
            return new StreamResult(Encoding.UTF8.GetString(relay.Output.WrittenSpan), relay.Usage, relay.Complete, relay.Error);
        }

        var stream = provider.OpenStream(call ?? Call(stream: true));
        var output = new ArrayBufferWriter<byte>();
        using var reader = provider.OpenFrames();
        for (var at = 0; at < bytes.Length;)
        {
            var length = Math.Min(pieceLength(), bytes.Length - at);
            reader.Append(bytes.AsSpan(at, length));
            at += length;
            while (reader.TryRead(out var frame))
            {
                Take(frame);
            }
        }

        if (reader.TryReadLast(out var last))
        {
            Take(last);
        }

        return new StreamResult(Encoding.UTF8.GetString(output.WrittenSpan), stream.Usage, stream.Ended, stream.Error);

        void Take(SseEvent frame)
        {
            // The relay reads no further than the end that a translator tells: what comes behind it is lost.
            if (frame.HasData && !stream.Ended)
            {
                stream.Read(frame.Name, frame.Data, output);
            }
        }
    }
}

/// <summary>What came out of a stream.</summary>
internal sealed record StreamResult(string Frames, TokenUsage? Usage, bool Ended, ProviderError? Error)
{
    /// <summary>The chunks put together as a client does it.</summary>
    public JsonObject Assemble()
    {
        var message = new JsonObject { ["content"] = "", ["tool_calls"] = new JsonArray() };
        string? finish = null;
        foreach (var frame in Frames.Split("\n\n", StringSplitOptions.RemoveEmptyEntries))
        {
            Assert.StartsWith("data: ", frame, StringComparison.Ordinal);
            if (frame == "data: [DONE]")
            {
                continue;
            }

            var chunk = JsonNode.Parse(frame[6..])!;
            if (chunk["choices"] is not JsonArray { Count: > 0 } choices)
            {
                continue;
            }

            Assert.Equal("chat.completion.chunk", (string?)chunk["object"]);
            finish ??= (string?)choices[0]!["finish_reason"];
            var delta = choices[0]!["delta"]!;
            message["content"] = (string?)message["content"] + (string?)delta["content"];
            foreach (var name in (string[])["reasoning_content", "refusal"])
            {
                if (delta[name] is { } piece)
                {
                    message[name] = (string?)message[name] + (string?)piece;
                }
            }

            foreach (var block in delta["thinking_blocks"]?.AsArray() ?? [])
            {
                AddThinking(message, block!);
            }

            foreach (var annotation in delta["annotations"]?.AsArray() ?? [])
            {
                (message["annotations"] ??= new JsonArray()).AsArray().Add(annotation!.DeepClone());
            }

            foreach (var call in delta["tool_calls"]?.AsArray() ?? [])
            {
                AddToolCall(message["tool_calls"]!.AsArray(), call!);
            }
        }

        if (message["tool_calls"]!.AsArray().Count == 0)
        {
            message.Remove("tool_calls");
        }

        return new JsonObject { ["message"] = message, ["finish_reason"] = finish };
    }

    private static void AddThinking(JsonObject message, JsonNode block)
    {
        var blocks = (message["thinking_blocks"] ??= new JsonArray()).AsArray();
        if ((string?)block["type"] == "redacted_thinking" || blocks.Count == 0 || blocks[^1]!["signature"] is not null)
        {
            blocks.Add(block.DeepClone());
            return;
        }

        var last = blocks[^1]!;
        last["thinking"] = (string?)last["thinking"] + (string?)block["thinking"];
        if (block["signature"] is { } signature)
        {
            last["signature"] = signature.DeepClone();
        }
    }

    private static void AddToolCall(JsonArray calls, JsonNode piece)
    {
        var index = (int)piece["index"]!;
        if (index == calls.Count)
        {
            var call = piece.DeepClone().AsObject();
            call.Remove("index");
            calls.Add(call);
            return;
        }

        var function = calls[index]!["function"]!;
        function["arguments"] = (string?)function["arguments"] + (string?)piece["function"]!["arguments"];
    }
}
