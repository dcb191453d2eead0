using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;

namespace Gateway.Edge.Providers.OpenAi;

/// <summary>
/// Watches a stream that is OpenAI's already: the relay passes each frame on as it came, and this notes its usage, its end and its error. It
/// writes nothing and never fails: what it cannot read is the client's to judge.
/// </summary>
internal sealed class OpenAiStream : IChatStream
{
    private int finished;
    private bool severalChoices;

    /// <inheritdoc/>
    public TokenUsage? Usage { get; private set; }

    /// <inheritdoc/>
    public bool Ended { get; private set; }

    /// <inheritdoc/>
    public ProviderError? Error { get; private set; }

    /// <inheritdoc/>
    public void Read(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data, IBufferWriter<byte> output) => Watch(name, data);

    /// <summary>Notes what one frame says.</summary>
    public void Watch(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        if (data.SequenceEqual("[DONE]"u8) || data.Trim((byte)' ').SequenceEqual("[DONE]"u8))
        {
            Ended = true;
            return;
        }

        if (OpenAiUsage.TryRead(data, out var usage))
        {
            Usage = usage;
        }

        // A quote inside a text is escaped, so "error" with both its quotes can only be a member's name or a whole value.
        if (name.SequenceEqual("error"u8) || data.IndexOf("\"error\""u8) >= 0)
        {
            ReadError(name, data);
        }

        // Not every compatible server ends with [DONE]; a reason to finish for every choice is an end too.
        if (!Ended && data.IndexOf("\"finish_reason\""u8) >= 0)
        {
            ReadFinish(data);
        }
    }

    private void ReadError(ReadOnlySpan<byte> name, ReadOnlySpan<byte> data)
    {
        try
        {
            var reader = new Utf8JsonReader(data);
            using var document = JsonDocument.ParseValue(ref reader);
            if (document.RootElement.Field("error"u8).Given() || name.SequenceEqual("error"u8))
            {
                Error = OpenAiError.FromFrame(data);
            }
        }
        catch (JsonException)
        {
            if (name.SequenceEqual("error"u8))
            {
                Error = OpenAiError.FromFrame(data);
            }
        }
    }

    private void ReadFinish(ReadOnlySpan<byte> data)
    {
        var reader = new Utf8JsonReader(data);
        try
        {
            while (reader.Read())
            {
                if (reader.TokenType != JsonTokenType.PropertyName || reader.CurrentDepth != 3)
                {
                    continue;
                }

                if (reader.ValueTextEquals("finish_reason"u8))
                {
                    reader.Read();
                    finished += reader.TokenType == JsonTokenType.String && reader.ValueSpan.Length > 0 ? 1 : 0;
                }
                else if (reader.ValueTextEquals("index"u8))
                {
                    reader.Read();
                    severalChoices |= reader.TokenType == JsonTokenType.Number && !reader.ValueSpan.SequenceEqual("0"u8);
                }
            }
        }
        catch (Exception broken) when (broken is JsonException or InvalidOperationException)
        {
            return;
        }

        // With several choices only [DONE] says that the last one has ended.
        Ended |= finished > 0 && !severalChoices;
    }
}
