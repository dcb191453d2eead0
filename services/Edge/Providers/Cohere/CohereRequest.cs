using System.Buffers;
using System.Text.Json;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Cohere;

/// <summary>Writes Cohere's <c>/v2/chat</c> request for a request in OpenAI's chat format. The two are close: most is a change of names.</summary>
internal sealed class CohereRequest
{
    private static readonly HashSet<string> Known = new(StringComparer.Ordinal)
    {
        "model", "messages", "stream", "stream_options", "max_tokens", "max_completion_tokens", "temperature", "top_p", "stop", "tools", "tool_choice",
        "response_format", "reasoning_effort", "n", "functions", "function_call", "seed", "frequency_penalty", "presence_penalty", "logprobs",
        "thinking", "top_k", "k", "documents", "citation_options", "safety_mode", "strict_tools", "priority",
    };

    // Cohere's own members, and those of one name and meaning in both.
    private static readonly string[] Copied = ["temperature", "seed", "logprobs", "documents", "citation_options", "safety_mode", "strict_tools", "priority"];

    private readonly JsonElement request;
    private readonly DroppedFields dropped;
    private readonly Utf8JsonWriter writer;

    private CohereRequest(JsonElement request, DroppedFields dropped, Utf8JsonWriter writer)
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
        new CohereRequest(document.RootElement, new DroppedFields(droppedNames, call.DropUnsupported, "Cohere"), writer).Write(call);
    }

    private void Write(in ChatCall call)
    {
        ChatRequest.RefuseSeveralChoices(request, "Cohere");
        ChatRequest.RefuseLegacyFunctions(request);
        dropped.AddUnknown(request, Known);

        writer.WriteStartObject();
        writer.WriteString("model"u8, call.ProviderModel);
        CohereMessages.Write(request.Field("messages"u8), writer, dropped);
        foreach (var name in Copied)
        {
            writer.WriteFieldAs(request, name, name);
        }

        writer.WriteFieldAs(request, "top_p", "p");
        writer.WriteFieldAs(request, "top_k", "k");
        writer.WriteFieldAs(request, "k", "k");
        WritePenalty("frequency_penalty");
        WritePenalty("presence_penalty");
        if (ChatRequest.MaxTokens(request) is { } maxTokens)
        {
            writer.WriteNumber("max_tokens"u8, maxTokens);
        }

        ChatRequest.WriteStops(request, writer, "stop_sequences"u8, dropped);
        new CohereTools(request, dropped, writer).Write();
        WriteResponseFormat();
        WriteThinking();
        if (call.Stream)
        {
            writer.WriteBoolean("stream"u8, true);
        }

        writer.WriteEndObject();
    }

    /// <summary>Cohere's penalties go from 0 to 1, OpenAI's from -2 to 2.</summary>
    private void WritePenalty(string name)
    {
        if (!request.TryGetProperty(name, out var value) || value.ValueKind != JsonValueKind.Number || !value.TryGetDouble(out var penalty) || penalty == 0)
        {
            return;
        }

        if (penalty is < 0 or > 1)
        {
            dropped.Add(name);
        }

        if (penalty > 0)
        {
            writer.WritePropertyName(name);
            writer.WriteNumberValue(Math.Min(penalty, 1));
        }
    }

    private void WriteResponseFormat()
    {
        var format = request.Field("response_format"u8);
        var schema = format.Field("json_schema"u8).Field("schema"u8);
        if (!format.Field("type"u8).Is("json_object"u8) && !format.Field("type"u8).Is("json_schema"u8))
        {
            return;
        }

        writer.WriteStartObject("response_format"u8);
        writer.WriteString("type"u8, "json_object"u8);
        if (schema.ValueKind == JsonValueKind.Object)
        {
            writer.WriteCopy("json_schema"u8, schema);
        }

        writer.WriteEndObject();
    }

    /// <summary>Cohere knows <c>enabled</c> with a <c>token_budget</c> and <c>disabled</c>; Anthropic's form has other words for the same, and more.</summary>
    private void WriteThinking()
    {
        var own = request.Field("thinking"u8);
        var effort = request.Field("reasoning_effort"u8).Text();
        if (effort is null && own.ValueKind != JsonValueKind.Object)
        {
            return;
        }

        var isOff = own.ValueKind == JsonValueKind.Object ? own.Field("type"u8).Is("disabled"u8) : effort == "none";
        var budget = own.Field("token_budget"u8).Int() ?? own.Field("budget_tokens"u8).Int() ?? effort switch
        {
            "minimal" or "low" => 1024,
            "medium" => 2048,
            _ => null,
        };
        foreach (var field in own.Fields())
        {
            if (field.Name is not ("type" or "token_budget" or "budget_tokens"))
            {
                dropped.AddGiven(field, isAdvice: true, "thinking.");
            }
        }

        writer.WriteStartObject("thinking"u8);
        writer.WriteString("type"u8, isOff ? "disabled"u8 : "enabled"u8);
        if (budget is { } tokens && !isOff)
        {
            writer.WriteNumber("token_budget"u8, tokens);
        }

        writer.WriteEndObject();
    }
}
