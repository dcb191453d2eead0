using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Completions;

/// <summary>
/// OpenAI's first surface, <c>/v1/completions</c>: a text that is to be gone on with. Servers that have the route are sent the bytes; for all
/// others the text is a user's message.
/// </summary>
internal sealed class CompletionsSurface : IChatSurface
{
    /// <summary>What chat says in the same words.</summary>
    private static readonly HashSet<string> SameInChat =
    [
        "temperature", "top_p", "n", "stream", "stream_options", "stop", "presence_penalty", "frequency_penalty", "seed", "user", "logit_bias",
    ];

    /// <summary>What is said in other words, or is the default of this surface and says nothing.</summary>
    private static readonly HashSet<string> Known = [.. SameInChat, "model", "prompt", "max_tokens", "logprobs", "best_of", "echo", "suffix", "metadata", "disable_fallbacks"];

    public string CallType => "text_completion";

    public SurfaceProtocol Protocol => SurfaceProtocol.Completions;

    public IPassedProtocol Passed => CompletionsPassed.Instance;

    public GatewayError? ReadHead(ReadOnlyMemory<byte> request, out RequestHead head)
    {
        // Its bound on the output and its n are chat's own. The model may stand in the path.
        if (RequestHead.TryRead(request.Span, out head, needsModel: false) is { } wrong)
        {
            return wrong;
        }

        // Several prompts are several answers, and best_of of them are written and billed though n are shown.
        using var document = JsonDocument.Parse(request);
        var root = document.RootElement;
        var prompts = root.Field("prompt"u8) is { ValueKind: JsonValueKind.Array } list && list.Items().Any(static item => item.ValueKind is JsonValueKind.String or JsonValueKind.Array)
            ? list.GetArrayLength()
            : 1;
        head.Choices = (int)Math.Min(int.MaxValue, (long)prompts * Math.Max(head.Choices, Math.Clamp(root.Field("best_of"u8).Int() ?? 1, 1, 128)));
        return null;
    }

    public void WriteRequest(ReadOnlyMemory<byte> request, IChatProvider provider, string providerModel, DroppedFields dropped, IBufferWriter<byte> output)
    {
        using var document = JsonDocument.Parse(request);
        var root = document.RootElement;
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        json.WriteStartObject();
        json.WriteString("model"u8, root.Field("model"u8).Text() ?? providerModel);
        json.WriteStartArray("messages"u8);
        json.WriteStartObject();
        json.WriteString("role"u8, "user"u8);
        json.WriteCopy("content"u8, PromptOf(root));
        json.WriteEndObject();
        json.WriteEndArray();
        if (root.Field("max_tokens"u8) is { ValueKind: JsonValueKind.Number } most)
        {
            json.WriteCopy(provider.SpeaksOpenAiChat && OpenAiModel.Reasons(providerModel) ? "max_completion_tokens"u8 : "max_tokens"u8, most);
        }

        if (root.Field("logprobs"u8).Int() is { } logprobs)
        {
            json.WriteBoolean("logprobs"u8, true);
            json.WriteNumber("top_logprobs"u8, logprobs);
        }

        json.WriteFieldsOf(root, SameInChat);

        json.WriteEndObject();
        DropRest(root, dropped);
    }

    public void WriteReply(RequestExchange exchange, ReadOnlyMemory<byte> completion, TokenUsage usage, IBufferWriter<byte> output)
    {
        using var document = ChatAnswer.Parse(completion.Span, exchange.Losses);
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        CompletionsStream.WriteOpening(json, exchange);
        json.WriteStartArray("choices"u8);
        foreach (var choice in document.RootElement.Field("choices"u8).Items())
        {
            CompletionsStream.WriteChoice(json, choice, choice.Field("message"u8), isWhole: true);
        }

        json.WriteEndArray();
        json.WritePropertyName("usage"u8);
        OpenAiUsage.Write(json, usage);
        json.WriteEndObject();
    }

    public ChatSurfaceStream OpenStream(RequestExchange exchange) => new CompletionsStream(exchange);

    public void WriteError(GatewayError error, IBufferWriter<byte> output) => output.Write(error.ToJson());

    private static JsonElement PromptOf(JsonElement root)
    {
        var prompt = root.Field("prompt"u8);
        if (prompt.ValueKind == JsonValueKind.Array && prompt.GetArrayLength() == 1)
        {
            prompt = prompt[0];
        }

        return prompt.ValueKind == JsonValueKind.String
            ? prompt
            : throw new UntranslatableRequestException("This model is asked by chat, which takes one prompt, as a string: send a request for each.", "prompt");
    }

    private static void DropRest(JsonElement root, DroppedFields dropped)
    {
        if (root.Field("best_of"u8).Int() > 1)
        {
            dropped.Add("best_of");
        }

        if (root.Field("echo"u8).ValueKind == JsonValueKind.True)
        {
            dropped.Add("echo");
        }

        if (root.Field("suffix"u8) is { ValueKind: JsonValueKind.String } suffix && !suffix.ValueEquals(""u8))
        {
            dropped.Add("suffix");
        }

        dropped.AddMetadataOf(root);
        dropped.AddUnknown(root, Known);
    }
}
