using System.Buffers;
using System.Text;
using Gateway.Contracts;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Ollama;

/// <summary>Reads Ollama's stream: one JSON object a line, each a piece of the message.</summary>
internal sealed class OllamaStream(ChatCall call) : IChatStream
{
    private readonly ChunkFrames frames = new(call, default);

    /// <inheritdoc/>
    public TokenUsage? Usage { get; private set; }

    /// <inheritdoc/>
    public bool Ended { get; private set; }

    /// <inheritdoc/>
    public ProviderError? Error { get; private set; }

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, IBufferWriter<byte> output)
    {
        using var document = JsonReading.ParseReply(data);
        var item = document.RootElement;
        if (item.Field("error"u8).Given())
        {
            Error = OpenAiError.FromFrame(data);
            return;
        }

        OllamaReply.AddLosses(item, call.Losses);
        var message = item.Field("message"u8);
        if (message.Field("thinking"u8).RawText() is { IsEmpty: false } thought)
        {
            frames.Reasoning(output, thought);
        }

        if (message.Field("content"u8).RawText() is { IsEmpty: false } text)
        {
            frames.Content(output, text);
        }

        foreach (var toolCall in message.Field("tool_calls"u8).Items())
        {
            var function = toolCall.Field("function"u8);
            var index = frames.ToolCall(output, OllamaReply.ToolCallId(toolCall, call.Id, frames.ToolCalls), function.Field("name"u8).RawText());
            var arguments = OllamaReply.Arguments(function);
            frames.Arguments(output, index, arguments.IsEmpty ? "{}"u8 : EscapedText.Escape(arguments));
        }

        if (item.Field("done"u8).ValueKind == System.Text.Json.JsonValueKind.True)
        {
            Usage = OllamaReply.Usage(item);
            frames.Finish(output, Encoding.ASCII.GetBytes(OllamaReply.FinishReason(item.Field("done_reason"u8), frames.ToolCalls > 0)));
            Ended = true;
        }
    }
}
