using System.Buffers;
using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Cohere;

/// <summary>Reads Cohere's v2 event stream.</summary>
internal sealed class CohereStream(ChatCall call) : IChatStream
{
    // Cohere's index of a tool call, and ours: the same as far as is known, but nothing says that they must be.
    private readonly Dictionary<int, Call> toolCalls = [];
    private ChunkFrames? frames;

    /// <inheritdoc/>
    public TokenUsage? Usage { get; private set; }

    /// <inheritdoc/>
    public bool Ended { get; private set; }

    /// <inheritdoc/>
    public ProviderError? Error { get; private set; }

    private ChunkFrames Frames => frames ??= new ChunkFrames(call, default);

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, IBufferWriter<byte> output)
    {
        if (data.IsEmpty || data.SequenceEqual("[DONE]"u8))
        {
            return;
        }

        using var document = JsonReading.ParseReply(data);
        var item = document.RootElement;
        var index = item.Field("index"u8).Int() ?? 0;
        var message = item.Field("delta"u8).Field("message"u8);
        switch (item.Field("type"u8).Text())
        {
            case "message-start":
                frames ??= new ChunkFrames(call, item.Field("id"u8).RawText());
                frames.Role(output);
                break;
            case "content-start" or "content-delta":
                WriteContent(message.Field("content"u8), output);
                if (item.Field("logprobs"u8).Given())
                {
                    call.Losses?.Add("logprobs");
                }

                break;
            case "citation-start":
                call.Losses?.Add("citations");
                break;
            case "tool-plan-delta" when message.Field("tool_plan"u8).RawText() is { IsEmpty: false } plan:
                Frames.Reasoning(output, plan);
                break;
            case "tool-call-start":
                var start = message.Field("tool_calls"u8);
                var function = start.Field("function"u8);
                toolCalls[index] = new Call(Frames.ToolCall(output, start.Field("id"u8).RawText(), function.Field("name"u8).RawText()));
                WriteArguments(index, function, output);
                break;
            case "tool-call-delta":
                WriteArguments(index, message.Field("tool_calls"u8).Field("function"u8), output);
                break;
            case "tool-call-end" when toolCalls.TryGetValue(index, out var ended) && !ended.HasArguments:
                Frames.Arguments(output, ended.Index, "{}"u8);
                break;
            case "message-end":
                End(item.Field("delta"u8), output);
                break;
        }

        if (!item.Field("type"u8).Given() && item.Field("message"u8).ValueKind == JsonValueKind.String)
        {
            Error = CohereReply.ReadError(500, data);
        }
    }

    private void WriteContent(JsonElement content, IBufferWriter<byte> output)
    {
        if (content.Field("text"u8).RawText() is { IsEmpty: false } text)
        {
            Frames.Content(output, text);
        }

        if (content.Field("thinking"u8).RawText() is { IsEmpty: false } thought)
        {
            Frames.Reasoning(output, thought);
        }
    }

    private void WriteArguments(int index, JsonElement function, IBufferWriter<byte> output)
    {
        var json = function.Field("arguments"u8).RawText();
        if (!json.IsEmpty && toolCalls.TryGetValue(index, out var toolCall))
        {
            toolCall.HasArguments = true;
            Frames.Arguments(output, toolCall.Index, json);
        }
    }

    private void End(JsonElement delta, IBufferWriter<byte> output)
    {
        Usage = CohereReply.Usage(delta.Field("usage"u8)) ?? Usage;
        Error = CohereReply.ReadStreamError(delta);
        if (Error is null)
        {
            Frames.Finish(output, Encoding.ASCII.GetBytes(CohereReply.FinishReason(delta.Field("finish_reason"u8))));
            Ended = true;
        }
    }

    private sealed class Call(int index)
    {
        public int Index { get; } = index;

        public bool HasArguments { get; set; }
    }
}
