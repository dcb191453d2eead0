using System.Buffers;
using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Bedrock;

/// <summary>Reads Converse's event stream. The usage comes after the message's end, in the last event: only that ends the stream.</summary>
internal sealed class BedrockStream(ChatCall call) : IChatStream
{
    private readonly ChunkFrames frames = new(call, default);
    private readonly Dictionary<int, ToolBlock> toolBlocks = [];
    private string? finishReason;

    /// <inheritdoc/>
    public TokenUsage? Usage { get; private set; }

    /// <inheritdoc/>
    public bool Ended { get; private set; }

    /// <inheritdoc/>
    public ProviderError? Error { get; private set; }

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, IBufferWriter<byte> output)
    {
        if (name.EndsWith("Exception"u8) || name.EndsWith("Error"u8) || name.SequenceEqual("error"u8))
        {
            Error = BedrockReply.ReadStreamError(Encoding.UTF8.GetString(name), data);
            return;
        }

        using var document = JsonReading.ParseReply(data);
        var item = document.RootElement;
        var index = item.Field("contentBlockIndex"u8).Int() ?? 0;
        switch (Encoding.UTF8.GetString(name))
        {
            case "messageStart":
                frames.Role(output);
                break;
            case "contentBlockStart":
                var tool = item.Field("start"u8).Field("toolUse"u8);
                if (tool.ValueKind == JsonValueKind.Object)
                {
                    toolBlocks[index] = new ToolBlock(frames.ToolCall(output, tool.Field("toolUseId"u8).RawText(), tool.Field("name"u8).RawText()));
                }

                break;
            case "contentBlockDelta":
                Delta(index, item.Field("delta"u8), output);
                break;
            case "contentBlockStop" when toolBlocks.Remove(index, out var block) && !block.HasArguments:
                frames.Arguments(output, block.Call, "{}"u8);
                break;
            case "messageStop":
                finishReason = BedrockReply.FinishReason(item.Field("stopReason"u8));
                break;
            case "metadata" when finishReason is not null && !Ended:
                Usage = BedrockReply.Usage(item.Field("usage"u8)) ?? Usage;
                Ended = true;
                frames.Finish(output, Encoding.ASCII.GetBytes(finishReason));
                break;
        }
    }

    private void Delta(int index, JsonElement delta, IBufferWriter<byte> output)
    {
        if (delta.Field("text"u8).RawText() is { IsEmpty: false } text)
        {
            frames.Content(output, text);
        }

        if (delta.Field("toolUse"u8).Field("input"u8).RawText() is { IsEmpty: false } json && toolBlocks.TryGetValue(index, out var block))
        {
            block.HasArguments = true;
            frames.Arguments(output, block.Call, json);
        }

        var reasoning = delta.Field("reasoningContent"u8);
        if (reasoning.Field("text"u8).RawText() is { IsEmpty: false } thought)
        {
            frames.Delta(output, [.. "\"reasoning_content\":\""u8, .. thought, .. "\",\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\""u8, .. thought, .. "\"}]"u8]);
        }
        else if (reasoning.Field("signature"u8).RawText() is { IsEmpty: false } signature)
        {
            frames.Delta(output, [.. "\"thinking_blocks\":[{\"type\":\"thinking\",\"thinking\":\"\",\"signature\":\""u8, .. signature, .. "\"}]"u8]);
        }
        else if (reasoning.Field("redactedContent"u8).RawText() is { IsEmpty: false } redacted)
        {
            frames.Delta(output, [.. "\"thinking_blocks\":[{\"type\":\"redacted_thinking\",\"data\":\""u8, .. redacted, .. "\"}]"u8]);
        }
    }

    private sealed class ToolBlock(int call)
    {
        public int Call { get; } = call;

        public bool HasArguments { get; set; }
    }
}
