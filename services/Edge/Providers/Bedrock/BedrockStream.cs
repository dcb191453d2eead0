using System.Buffers;
using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Providers.Anthropic;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Bedrock;

/// <summary>Reads Converse's event stream. The usage comes after the message's end, in the last event: only that ends the stream.</summary>
internal sealed class BedrockStream(ChatCall call) : IChatStream
{
    private static readonly string[] Known = ["text", "citation", "reasoningContent", "toolUse"];

    private readonly ChunkFrames frames = new(call, default);
    private readonly Dictionary<int, ToolBlock> toolBlocks = [];
    private readonly UrlCitations citations = new();
    private string? finishReason;
    private bool answeredInJson;

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
                if (tool.Field("name"u8).Is(JsonReply.ToolName))
                {
                    answeredInJson = true;
                    toolBlocks[index] = new ToolBlock(-1);
                }
                else if (tool.ValueKind == JsonValueKind.Object)
                {
                    toolBlocks[index] = new ToolBlock(frames.ToolCall(output, tool.Field("toolUseId"u8).RawText(), tool.Field("name"u8).RawText()));
                }

                call.Losses?.AddOthers(item.Field("start"u8), Known);
                break;
            case "contentBlockDelta":
                Delta(index, item.Field("delta"u8), output);
                break;
            case "contentBlockStop" when toolBlocks.Remove(index, out var block):
                if (!block.HasArguments)
                {
                    WriteArguments(block, "{}"u8, output);
                }

                break;
            case "contentBlockStop":
                citations.CloseBlock();
                frames.Annotations(output, citations.Take());
                break;
            case "messageStop" when BedrockReply.SaysMalformed(item.Field("stopReason"u8)):
                Error = new ProviderError(ProviderErrorKind.Failed, "Bedrock says that what the model wrote is no reply: call it again.", item.Field("stopReason"u8).Text());
                break;
            case "messageStop":
                finishReason = BedrockReply.FinishReason(item.Field("stopReason"u8), frames.ToolCalls > 0, answeredInJson);
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
        call.Losses?.AddOthers(delta, Known);
        if (delta.Field("text"u8).RawText() is { IsEmpty: false } text)
        {
            citations.Say(text);
            frames.Content(output, text);
        }

        if (delta.Field("citation"u8) is { ValueKind: JsonValueKind.Object } citation)
        {
            BedrockReply.Cite(citation, citations, call.Losses);
        }

        if (delta.Field("toolUse"u8).Field("input"u8).RawText() is { IsEmpty: false } json && toolBlocks.TryGetValue(index, out var block))
        {
            block.HasArguments = true;
            WriteArguments(block, json, output);
        }

        var reasoning = delta.Field("reasoningContent"u8);
        if (reasoning.Field("text"u8).RawText() is { IsEmpty: false } thought)
        {
            frames.Thinking(output, thought);
        }
        else if (reasoning.Field("signature"u8).RawText() is { IsEmpty: false } signature)
        {
            frames.Signature(output, signature);
        }
        else if (reasoning.Field("redactedContent"u8).RawText() is { IsEmpty: false } redacted)
        {
            frames.RedactedThinking(output, redacted);
        }
    }

    private void WriteArguments(ToolBlock block, ReadOnlySpan<byte> escaped, IBufferWriter<byte> output)
    {
        if (block.Call < 0)
        {
            frames.Content(output, escaped);
        }
        else
        {
            frames.Arguments(output, block.Call, escaped);
        }
    }

    /// <summary>A tool call under way; <c>Call</c> is its index, -1 for the JSON tool.</summary>
    private sealed class ToolBlock(int call)
    {
        public int Call { get; } = call;

        public bool HasArguments { get; set; }
    }
}
