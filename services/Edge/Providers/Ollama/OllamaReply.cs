using System.Buffers;
using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Ollama;

/// <summary>Reads Ollama's whole replies.</summary>
internal static class OllamaReply
{
    /// <summary>Writes OpenAI's reply for Ollama's.</summary>
    public static ReplyUsage Read(ReadOnlyMemory<byte> reply, in ChatCall call, IBufferWriter<byte> output)
    {
        using var document = JsonReading.ParseReply(reply.Span);
        var root = document.RootElement;
        var message = root.Field("message"u8);
        if (message.ValueKind != JsonValueKind.Object)
        {
            throw new MalformedReplyException("Ollama's reply has no message.");
        }

        var completion = new Completion { Usage = Usage(root) };
        completion.Content.Add(message.Field("content"u8).RawText());
        completion.Reasoning.Add(message.Field("thinking"u8).RawText());
        foreach (var toolCall in message.Field("tool_calls"u8).Items())
        {
            var function = toolCall.Field("function"u8);
            completion.AddToolCall(ToolCallId(toolCall, call.Id, completion.ToolCallCount), function.Field("name"u8).RawText(), Arguments(function));
        }

        AddLosses(root, call.Losses);
        completion.FinishReason = FinishReason(root.Field("done_reason"u8), completion.ToolCallCount > 0);
        completion.Write(call, output);
        return new ReplyUsage(completion.Usage);
    }

    /// <summary>Names what was asked for and is not said on.</summary>
    public static void AddLosses(JsonElement root, ReplyLosses? losses)
    {
        if (root.Field("logprobs"u8).Items().Any())
        {
            losses?.Add("logprobs");
        }
    }

    /// <summary>OpenAI's word for Ollama's reason to stop: it has none for tools.</summary>
    public static string FinishReason(JsonElement reason, bool hasToolCalls) => hasToolCalls ? "tool_calls" : reason.Is("length"u8) ? "length" : "stop";

    /// <summary>The counts; a prompt that was cached whole has none.</summary>
    public static TokenUsage? Usage(JsonElement root)
    {
        var input = root.Field("prompt_eval_count"u8);
        var output = root.Field("eval_count"u8);
        return input.Given() || output.Given() ? new TokenUsage { Input = input.Count(), Output = output.Count() } : null;
    }

    /// <summary>Ollama's id of a tool call, escaped; made of the request's where it gives none.</summary>
    public static ReadOnlySpan<byte> ToolCallId(JsonElement toolCall, Guid request, int index) =>
        toolCall.Field("id"u8).RawText() is { IsEmpty: false } id ? id : Encoding.ASCII.GetBytes(CompletionIds.ForToolCall(request, index));

    /// <summary>The arguments, byte for byte; a text of them, as servers that imitate Ollama send, is what it says.</summary>
    public static ReadOnlySpan<byte> Arguments(JsonElement function) => function.Field("arguments"u8) switch
    {
        { ValueKind: JsonValueKind.Object } arguments => arguments.Raw(),
        { ValueKind: JsonValueKind.String } text => Encoding.UTF8.GetBytes(text.Text() ?? ""),
        _ => default,
    };
}
