using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers.Gemini;

/// <summary>Reads Google's stream: each event is a reply with the next parts and the usage so far.</summary>
internal sealed class GeminiStream(ChatCall call) : IChatStream
{
    private readonly GeminiGrounding grounding = new();
    private readonly UrlCitations citations = new();
    private ChunkFrames? frames;
    private int images;

    /// <inheritdoc/>
    public TokenUsage? Usage { get; private set; }

    /// <inheritdoc/>
    public bool Ended { get; private set; }

    /// <inheritdoc/>
    public ProviderError? Error { get; private set; }

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, IBufferWriter<byte> output)
    {
        if (data.IsEmpty)
        {
            return;
        }

        using var document = JsonReading.ParseReply(data);
        var item = document.RootElement;
        if (item.Field("error"u8).Given())
        {
            Error = GeminiReply.ReadError(item.Field("error"u8).Field("code"u8).Int() ?? 500, data);
            return;
        }

        // The sum so far: the last one counts.
        Usage = GeminiReply.Usage(item.Field("usageMetadata"u8)) ?? Usage;
        frames ??= new ChunkFrames(call, item.Field("responseId"u8).RawText());
        var candidate = item.Field("candidates"u8).Items().FirstOrDefault();
        GeminiReply.AddLosses(item, call.Losses);
        grounding.NextEvent();
        foreach (var part in candidate.Field("content"u8).Field("parts"u8).Items())
        {
            ReadPart(part, frames, output);
            grounding.Say(part);
        }

        grounding.Cite(candidate.Field("groundingMetadata"u8), citations, call.Losses);
        frames.Annotations(output, citations.Take());

        var blocked = item.Field("promptFeedback"u8).Field("blockReason"u8).Given();
        var reason = candidate.Field("finishReason"u8);
        if (!Ended && (reason.ValueKind == JsonValueKind.String || blocked))
        {
            var finish = GeminiReply.FinishReason(reason, frames.ToolCalls > 0, blocked);
            if (GeminiReply.Refusal(item, candidate, finish) is { IsEmpty: false } refusal)
            {
                frames.Refusal(output, refusal);
            }

            grounding.End(call.Losses);
            frames.Finish(output, Encoding.ASCII.GetBytes(finish));
            Ended = true;
        }
    }

    private void ReadPart(JsonElement part, ChunkFrames to, IBufferWriter<byte> output)
    {
        var isThought = GeminiReply.IsThought(part);
        if (part.Field("text"u8).RawText() is { IsEmpty: false } text)
        {
            if (isThought)
            {
                to.Reasoning(output, text);
            }
            else
            {
                to.Content(output, text);
            }
        }

        var signature = part.Field("thoughtSignature"u8);
        var function = part.Field("functionCall"u8);
        if (function.ValueKind == JsonValueKind.Object)
        {
            ReadOnlySpan<byte> extra = signature.RawText().IsEmpty
                ? default
                : [.. ",\"provider_specific_fields\":{\"thought_signature\":\""u8, .. signature.RawText(), .. "\"}"u8];
            var index = to.ToolCall(output, SignedCallId.Join(GeminiReply.ToolCallId(function, call.Id, to.ToolCalls), signature.Text()), function.Field("name"u8).RawText(), extra);
            var arguments = function.Field("args"u8);
            to.Arguments(output, index, arguments.ValueKind == JsonValueKind.Object ? EscapedText.Escape(arguments.Raw()) : "{}"u8);
        }
        else if (!signature.RawText().IsEmpty && !isThought)
        {
            to.Delta(output, [.. "\"provider_specific_fields\":{\"thought_signatures\":[\""u8, .. signature.RawText(), .. "\"]}"u8]);
        }

        var picture = part.Field("inlineData"u8);
        if (!isThought && picture.Field("data"u8).ValueKind == JsonValueKind.String)
        {
            var index = Encoding.ASCII.GetBytes((images++).ToString(CultureInfo.InvariantCulture));
            to.Delta(
                output,
                [
                    .. "\"images\":[{\"type\":\"image_url\",\"index\":"u8, .. index, .. ",\"image_url\":{\"url\":\"data:"u8, .. picture.Field("mimeType"u8).RawText(), .. ";base64,"u8,
                    .. picture.Field("data"u8).RawText(), .. "\"}}]"u8,
                ]);
        }
    }
}
