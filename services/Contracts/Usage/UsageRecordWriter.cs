using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Encodings.Web;

namespace Gateway.Contracts;

/// <summary>
/// Writes a usage record as one object of JSON, without a line's end: camelCase, enums as words, and what is zero, false or null is left out and
/// reads as that. <see cref="ContractsJson"/> and <see cref="UsageBatch"/> read it. By hand, because every request waits for it: a serializer
/// needs twice as long.
/// </summary>
public static class UsageRecordWriter
{
    // Names, punctuation, numbers, two ids and a time, with room to spare.
    private const int BytesWithoutTexts = 1_200;

    // What a character may become, as \u0007 is. A quote on each side of a text and a comma come on top.
    private const int BytesOfCharacter = 6;
    private const int BytesAroundText = 3;
    private const int BytesAroundAttempt = 32;

    // What nobody would escape in JSON. A text with anything else goes through the encoder, which makes half of a surrogate pair U+FFFD.
    private static readonly SearchValues<char> s_plain = SearchValues.Create(
        [.. Enumerable.Range(' ', '~' - ' ' + 1).Select(static character => (char)character).Where(static character => character is not ('"' or '\\'))]);

    /// <summary>Appends the record.</summary>
    public static void Write(UsageRecord record, IBufferWriter<byte> output)
    {
        var line = new Line(output.GetSpan(BytesMax(record)));
        line.Raw("{\"requestId\":\""u8);
        line.Format(record.RequestId, "D");
        line.Raw("\",\"startedAt\":\""u8);
        line.Format(record.StartedAt, "O");
        line.Raw("\""u8);
        line.Number(",\"durationMicroseconds\":"u8, record.DurationMicroseconds);
        line.Number(",\"firstByteMicroseconds\":"u8, record.FirstByteMicroseconds);
        line.Text(",\"edgeId\":"u8, record.EdgeId);
        line.Text(",\"callType\":"u8, record.CallType);
        line.Text(",\"keyId\":"u8, record.KeyId);
        line.Text(",\"keyAlias\":"u8, record.KeyAlias);
        line.Text(",\"userId\":"u8, record.UserId);
        line.Text(",\"teamId\":"u8, record.TeamId);
        line.Text(",\"organizationId\":"u8, record.OrganizationId);
        line.Text(",\"endUser\":"u8, record.EndUser);
        line.Texts(",\"tags\":["u8, record.Tags);
        line.Text(",\"model\":"u8, record.Model);
        line.Text(",\"deploymentId\":"u8, record.DeploymentId);
        line.Text(",\"provider\":"u8, record.Provider);
        line.Text(",\"providerModel\":"u8, record.ProviderModel);
        line.Text(",\"credential\":"u8, record.Credential);
        line.Number(",\"status\":"u8, record.Status);
        if (record.Outcome != default)
        {
            line.Text(",\"outcome\":"u8, Enum.GetName(record.Outcome));
        }

        line.Flag(",\"streamed\":true"u8, record.Streamed);
        Write(record.Tokens, ref line);
        line.Flag(",\"estimated\":true"u8, record.Estimated);
        line.Flag(",\"unpriced\":true"u8, record.Unpriced);
        line.Number(",\"cost\":"u8, record.Cost.NanoDollars);
        if (record.Corrects is { } corrects)
        {
            line.Raw(",\"corrects\":\""u8);
            line.Format(corrects, "D");
            line.Raw("\""u8);
        }

        line.Number(",\"writtenOff\":"u8, record.WrittenOff.NanoDollars);
        line.Text(",\"price\":"u8, record.Price);
        line.Texts(",\"budgetWindows\":["u8, record.BudgetWindows);
        Write(record.FailedAttempts, ref line);
        line.Raw("}"u8);
        output.Advance(line.Length);
    }

    private static void Write(TokenUsage tokens, ref Line line)
    {
        line.Raw(",\"tokens\":{"u8);
        var before = line.Length;
        line.Number(",\"input\":"u8, tokens.Input);
        line.Number(",\"cachedInput\":"u8, tokens.CachedInput);
        line.Number(",\"cacheWrite5m\":"u8, tokens.CacheWrite5m);
        line.Number(",\"cacheWrite1h\":"u8, tokens.CacheWrite1h);
        line.Number(",\"inputAudio\":"u8, tokens.InputAudio);
        line.Number(",\"output\":"u8, tokens.Output);
        line.Number(",\"reasoning\":"u8, tokens.Reasoning);
        line.Number(",\"outputAudio\":"u8, tokens.OutputAudio);
        line.Number(",\"images\":"u8, tokens.Images);
        line.DropComma(before);
        line.Raw("}"u8);
    }

    private static void Write(FailedAttempt[]? attempts, ref Line line)
    {
        if (attempts is null)
        {
            return;
        }

        line.Raw(",\"failedAttempts\":["u8);
        var before = line.Length;
        foreach (var attempt in attempts)
        {
            line.Raw(",{"u8);
            var members = line.Length;
            line.Text(",\"deploymentId\":"u8, attempt.DeploymentId);
            line.Text(",\"failure\":"u8, attempt.Failure);
            line.DropComma(members);
            line.Raw("}"u8);
        }

        line.DropComma(before);
        line.Raw("]"u8);
    }

    private static int BytesMax(UsageRecord record)
    {
        var characters = Length(record.EdgeId) + Length(record.CallType) + Length(record.KeyId) + Length(record.KeyAlias) + Length(record.UserId) + Length(record.TeamId)
            + Length(record.OrganizationId) + Length(record.EndUser) + Length(record.Model) + Length(record.DeploymentId) + Length(record.Provider)
            + Length(record.ProviderModel) + Length(record.Credential) + Length(record.Price);
        var around = 0;
        foreach (var tag in record.Tags)
        {
            characters += Length(tag);
            around += BytesAroundText;
        }

        foreach (var window in record.BudgetWindows)
        {
            characters += Length(window);
            around += BytesAroundText;
        }

        foreach (var attempt in record.FailedAttempts ?? [])
        {
            characters += Length(attempt.DeploymentId) + Length(attempt.Failure);
            around += BytesAroundAttempt + (2 * BytesAroundText);
        }

        return checked(BytesWithoutTexts + around + (characters * BytesOfCharacter));

        static int Length(string? text) => text?.Length ?? 0;
    }

    /// <summary>Bytes that are written one after the other where there is room enough.</summary>
    private ref struct Line(Span<byte> bytes)
    {
        private readonly Span<byte> bytes = bytes;

        public int Length { get; private set; }

        public void Raw(ReadOnlySpan<byte> text)
        {
            text.CopyTo(bytes[Length..]);
            Length += text.Length;
        }

        public void Format<T>(T value, ReadOnlySpan<char> format)
            where T : IUtf8SpanFormattable
        {
            value.TryFormat(bytes[Length..], out var written, format, CultureInfo.InvariantCulture);
            Length += written;
        }

        public void Number(ReadOnlySpan<byte> name, long value)
        {
            if (value != 0)
            {
                Raw(name);
                Format(value, default);
            }
        }

        public void Flag(ReadOnlySpan<byte> text, bool value)
        {
            if (value)
            {
                Raw(text);
            }
        }

        public void Text(ReadOnlySpan<byte> name, string? value)
        {
            if (value is not null)
            {
                Raw(name);
                Text(value);
            }
        }

        public void Texts(ReadOnlySpan<byte> name, string[] values)
        {
            Raw(name);
            for (var i = 0; i < values.Length; i++)
            {
                if (i > 0)
                {
                    Raw(","u8);
                }

                Text(values[i]);
            }

            Raw("]"u8);
        }

        /// <summary>Members and elements bring the comma before them: the first of an object or a list loses it.</summary>
        public void DropComma(int first)
        {
            if (Length > first)
            {
                bytes[(first + 1)..Length].CopyTo(bytes[first..]);
                Length--;
            }
        }

        private void Text(string value)
        {
            Raw("\""u8);
            var escaped = value.AsSpan().ContainsAnyExcept(s_plain) ? JavaScriptEncoder.Default.Encode(value) : value;
            Length += Encoding.UTF8.GetBytes(escaped, bytes[Length..]);
            Raw("\""u8);
        }
    }
}
