using System.Buffers;
using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Pricing;

namespace Gateway.Edge.Providers.Anthropic;

/// <summary>Reads Anthropic's event stream.</summary>
internal sealed class AnthropicStream(ChatCall call) : IChatStream
{
    private readonly AnthropicUsage usage = new();
    private readonly Dictionary<int, Block> toolBlocks = [];
    private readonly UrlCitations citations = new();
    private ChunkFrames? frames;
    private bool answeredInJson;
    private JsonElement reason;
    private byte[] refusal = [];

    /// <inheritdoc/>
    public TokenUsage? Usage => usage.Tokens;

    /// <inheritdoc/>
    public ServiceTier? Tier => usage.Tier;

    /// <inheritdoc/>
    public bool Ended { get; private set; }

    /// <inheritdoc/>
    public ProviderError? Error { get; private set; }

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, IBufferWriter<byte> output)
    {
        if (data.IsEmpty || name.SequenceEqual("ping"u8))
        {
            return;
        }

        using var document = JsonReading.ParseReply(data);
        var item = document.RootElement;
        switch (item.Field("type"u8).Text())
        {
            case "message_start":
                Begin(item.Field("message"u8), output);
                break;
            case "content_block_start":
                Start(IndexOf(item), item.Field("content_block"u8), output);
                break;
            case "content_block_delta":
                Delta(IndexOf(item), item.Field("delta"u8), output);
                break;
            case "content_block_stop":
                Stop(IndexOf(item), output);
                break;
            case "message_delta":
                usage.Take(item.Field("usage"u8));
                TakeReason(item.Field("delta"u8));
                break;
            case "message_stop" when !Ended:
                // Only now: a stream that is cut before its end must not look finished.
                Ended = true;
                if (refusal.Length > 0)
                {
                    Frames.Refusal(output, refusal);
                }

                Frames.Finish(output, Encoding.ASCII.GetBytes(AnthropicReply.FinishReason(reason, Frames.ToolCalls > 0, answeredInJson)));
                break;
            case "error":
                Error = AnthropicReply.ReadStreamError(data);
                break;
        }

        // ping, and events that are new: nothing for the caller.
    }

    private ChunkFrames Frames => frames ??= new ChunkFrames(call, default);

    private static int IndexOf(JsonElement item) => item.Field("index"u8).Int() ?? 0;

    /// <summary>Begins the message. One that goes on from a tool that Anthropic runs has blocks already, and may have no others.</summary>
    private void Begin(JsonElement message, IBufferWriter<byte> output)
    {
        usage.Take(message.Field("usage"u8));
        if (frames is not null)
        {
            return;
        }

        frames = new ChunkFrames(call, message.Field("id"u8).RawText());
        frames.Role(output);
        TakeReason(message);
        var index = 0;
        foreach (var block in message.Field("content"u8).Items())
        {
            Start(index, block, output);
            Stop(index++, output);
        }
    }

    private void TakeReason(JsonElement stopped)
    {
        if (stopped.Field("stop_reason"u8) is { ValueKind: JsonValueKind.String } given)
        {
            reason = given.Clone();
            refusal = AnthropicReply.Explanation(stopped).ToArray();
        }
    }

    private void Start(int index, JsonElement block, IBufferWriter<byte> output)
    {
        switch (block.Field("type"u8).Text())
        {
            case "text":
                WriteText(block.Field("text"u8).RawText(), output);
                foreach (var citation in block.Field("citations"u8).Items())
                {
                    AnthropicReply.Cite(citation, citations, call.Losses);
                }

                break;
            case "thinking":
                WriteThinking(block, output);
                WriteSignature(block, output);
                break;
            case "redacted_thinking":
                Frames.RedactedThinking(output, block.Field("data"u8).RawText());
                break;
            case "tool_use":
                var isJsonReply = block.Field("name"u8).Is(JsonReply.ToolName);
                answeredInJson |= isJsonReply;
                var tool = isJsonReply ? -1 : Frames.ToolCall(output, block.Field("id"u8).RawText(), block.Field("name"u8).RawText());
                var input = block.Field("input"u8);
                toolBlocks[index] = new Block(tool) { Input = input.Given() ? input.Raw().ToArray() : "{}"u8.ToArray() };
                break;
            case { } other:
                call.Losses?.Add(other);
                break;
        }
    }

    private void Delta(int index, JsonElement delta, IBufferWriter<byte> output)
    {
        switch (delta.Field("type"u8).Text())
        {
            case "text_delta":
                WriteText(delta.Field("text"u8).RawText(), output);
                break;
            case "citations_delta":
                AnthropicReply.Cite(delta.Field("citation"u8), citations, call.Losses);
                break;
            case "thinking_delta":
                WriteThinking(delta, output);
                break;
            case "signature_delta":
                WriteSignature(delta, output);
                break;
            case "input_json_delta":
                if (!toolBlocks.TryGetValue(index, out var block))
                {
                    // A tool that Anthropic runs itself, such as its web search.
                    return;
                }

                // The first piece is always empty; without any other the arguments are the ones that the block began with.
                var json = delta.Field("partial_json"u8).RawText();
                if (!json.IsEmpty)
                {
                    block.HasArguments = true;
                    WriteArguments(block, json, output);
                }

                break;
        }
    }

    private void Stop(int index, IBufferWriter<byte> output)
    {
        // What a block cites may come before its text: where that ends is known now.
        citations.CloseBlock();
        Frames.Annotations(output, citations.Take());
        if (toolBlocks.Remove(index, out var block) && !block.HasArguments)
        {
            WriteArguments(block, EscapedText.Escape(block.Input), output);
        }
    }

    private void WriteText(ReadOnlySpan<byte> escaped, IBufferWriter<byte> output)
    {
        if (!escaped.IsEmpty)
        {
            citations.Say(escaped);
            Frames.Content(output, escaped);
        }
    }

    private void WriteArguments(Block block, ReadOnlySpan<byte> escaped, IBufferWriter<byte> output)
    {
        if (block.Call < 0)
        {
            Frames.Content(output, escaped);
        }
        else
        {
            Frames.Arguments(output, block.Call, escaped);
        }
    }

    private void WriteThinking(JsonElement holder, IBufferWriter<byte> output)
    {
        if (holder.Field("thinking"u8).RawText() is { IsEmpty: false } thought)
        {
            Frames.Thinking(output, thought);
        }
    }

    private void WriteSignature(JsonElement holder, IBufferWriter<byte> output)
    {
        if (holder.Field("signature"u8).RawText() is { IsEmpty: false } signature)
        {
            Frames.Signature(output, signature);
        }
    }

    /// <summary>A tool call under way; <c>Call</c> is its index, -1 for the JSON tool.</summary>
    private sealed class Block(int call)
    {
        public int Call { get; } = call;

        public bool HasArguments { get; set; }

        public byte[] Input { get; init; } = [];
    }
}
