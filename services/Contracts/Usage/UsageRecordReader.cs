using System.Text;
using System.Text.Json;

namespace Gateway.Contracts;

/// <summary>
/// Reads the records of one batch, each as <see cref="ContractsJson"/> would, and what is not there as nothing instead of null: by hand,
/// because reading them is half of what Ledger and Metering do for a request. Records of a batch repeat almost every text, so equal texts
/// and lists are one object, and a line that differs from an earlier one in its numbers alone is read as that one with other numbers.
/// </summary>
internal sealed class UsageRecordReader(ReadOnlyMemory<byte> lines)
{
    private static readonly byte[][] s_names = NamesOf<Field>();
    private static readonly byte[][] s_tokenNames = NamesOf<TokenField>();

    private readonly Repeated<string> texts = new(lines);
    private readonly Repeated<string[]> lists = new(lines);
    private readonly Repeated<UsageRecord> records = new(lines);
    private int lineStart;
    private int tokensAt;
    private bool asWritten;

    // In the order in which they are written: see Next.
    private enum Field
    {
        RequestId, StartedAt, DurationMicroseconds, FirstByteMicroseconds, EdgeId, CallType, KeyId, KeyAlias, UserId, TeamId, OrganizationId,
        EndUser, Tags, Model, DeploymentId, Provider, ProviderModel, Credential, Status, Outcome, Streamed, Tokens, Estimated, Unpriced, Cost,
        Corrects, WrittenOff, Price, BudgetWindows, FailedAttempts,
    }

    private enum TokenField
    {
        Input, CachedInput, CacheWrite5m, CacheWrite1h, InputAudio, Output, Reasoning, OutputAudio, Images,
    }

    /// <summary>The record on the line that begins at <paramref name="start"/>.</summary>
    /// <exception cref="JsonException">It is no record.</exception>
    /// <exception cref="InvalidOperationException">A value is of another kind, or half of a surrogate pair.</exception>
    /// <exception cref="FormatException">A number, a time or an id is none.</exception>
    public UsageRecord Read(int start, int length)
    {
        var bytes = lines.Span.Slice(start, length);
        if (!UsageLine.TryTake(bytes, out var line))
        {
            return ReadWhole(start, length);
        }

        var circumstances = PlaceOf(line.Circumstances);
        ref var alike = ref records.Of(circumstances, PlaceOf(line.Rest));
        if (alike is not null)
        {
            return line.Of(alike);
        }

        var record = ReadWhole(start, length);
        alike = asWritten && tokensAt == circumstances.Start.Value + line.TokensAt ? record : null;
        return record;
    }

    private UsageRecord ReadWhole(int start, int length)
    {
        lineStart = start;
        (asWritten, tokensAt) = (true, -1);
        var reader = new Utf8JsonReader(lines.Span.Slice(start, length));
        reader.Read();
        ExpectObject(ref reader);
        (Guid? requestId, DateTimeOffset? startedAt, Guid? corrects) = (null, null, null);
        (long duration, long firstByte, long cost, long writtenOff, int status) = (0, 0, 0, 0, 0);
        (string? edgeId, string? callType, string? keyId, string? keyAlias, string? userId, string? teamId) = (null, null, null, null, null, null);
        (string? organizationId, string? endUser, string? model, string? deploymentId, string? provider) = (null, null, null, null, null);
        (string? providerModel, string? credential, string? price) = (null, null, null);
        (string[]? tags, string[]? budgetWindows, FailedAttempt[]? failedAttempts) = (null, null, null);
        (bool streamed, bool estimated, bool unpriced, var outcome) = (false, false, false, UsageOutcome.Completed);
        TokenUsage? tokens = null;
        for (var last = -1; Next(ref reader, s_names, ref last) is { } field;)
        {
            switch ((Field)field)
            {
                case Field.RequestId: requestId = reader.GetGuid(); break;
                case Field.StartedAt: startedAt = reader.GetDateTimeOffset(); break;
                case Field.DurationMicroseconds: duration = reader.GetInt64(); break;
                case Field.FirstByteMicroseconds: firstByte = reader.GetInt64(); break;
                case Field.EdgeId: edgeId = TextOf(ref reader); break;
                case Field.CallType: callType = TextOf(ref reader); break;
                case Field.KeyId: keyId = TextOf(ref reader); break;
                case Field.KeyAlias: keyAlias = TextOf(ref reader); break;
                case Field.UserId: userId = TextOf(ref reader); break;
                case Field.TeamId: teamId = TextOf(ref reader); break;
                case Field.OrganizationId: organizationId = TextOf(ref reader); break;
                case Field.EndUser: endUser = TextOf(ref reader); break;
                case Field.Tags: tags = TextsOf(ref reader); break;
                case Field.Model: model = TextOf(ref reader); break;
                case Field.DeploymentId: deploymentId = TextOf(ref reader); break;
                case Field.Provider: provider = TextOf(ref reader); break;
                case Field.ProviderModel: providerModel = TextOf(ref reader); break;
                case Field.Credential: credential = TextOf(ref reader); break;
                case Field.Status: status = reader.GetInt32(); break;
                case Field.Outcome: outcome = OutcomeOf(ref reader); break;
                case Field.Streamed: streamed = reader.GetBoolean(); break;
                case Field.Tokens: (tokensAt, tokens) = (lineStart + (int)reader.TokenStartIndex, TokensOf(ref reader)); break;
                case Field.Estimated: estimated = reader.GetBoolean(); break;
                case Field.Unpriced: unpriced = reader.GetBoolean(); break;
                case Field.Cost: cost = reader.GetInt64(); break;
                case Field.Corrects: corrects = reader.TokenType == JsonTokenType.Null ? null : reader.GetGuid(); break;
                case Field.WrittenOff: writtenOff = reader.GetInt64(); break;
                case Field.Price: price = TextOf(ref reader); break;
                case Field.BudgetWindows: budgetWindows = TextsOf(ref reader); break;
                case Field.FailedAttempts: failedAttempts = AttemptsOf(ref reader); break;
                default: reader.Skip(); break;
            }
        }

        // Whatever stands behind the object is an error of the reader's.
        reader.Read();
        return new()
        {
            RequestId = requestId ?? throw Missing(Field.RequestId),
            StartedAt = startedAt ?? throw Missing(Field.StartedAt),
            DurationMicroseconds = duration,
            FirstByteMicroseconds = firstByte,
            EdgeId = edgeId ?? throw Missing(Field.EdgeId),
            CallType = callType ?? throw Missing(Field.CallType),
            KeyId = keyId ?? throw Missing(Field.KeyId),
            KeyAlias = keyAlias,
            UserId = userId,
            TeamId = teamId,
            OrganizationId = organizationId,
            EndUser = endUser,
            Tags = tags ?? [],
            Model = model ?? throw Missing(Field.Model),
            DeploymentId = deploymentId ?? throw Missing(Field.DeploymentId),
            Provider = provider ?? throw Missing(Field.Provider),
            ProviderModel = providerModel ?? throw Missing(Field.ProviderModel),
            Credential = credential,
            Status = status,
            Outcome = outcome,
            Streamed = streamed,
            Tokens = tokens ?? TokenUsage.None,
            Estimated = estimated,
            Unpriced = unpriced,
            Cost = new(cost),
            Corrects = corrects,
            WrittenOff = new(writtenOff),
            Price = price,
            BudgetWindows = budgetWindows ?? [],
            FailedAttempts = failedAttempts,
        };
    }

    private static UsageOutcome OutcomeOf(ref Utf8JsonReader reader) =>
        JsonSerializer.Deserialize(ref reader, ContractsJson.Default.UsageOutcome) is var outcome && Enum.IsDefined(outcome)
            ? outcome
            : throw new JsonException("A usage record ended in a way that is not known here.");

    private static FailedAttempt[]? AttemptsOf(ref Utf8JsonReader reader)
    {
        var attempts = JsonSerializer.Deserialize(ref reader, ContractsJson.Default.FailedAttemptArray);
        return attempts?.Contains(null) == true ? throw new JsonException("A failed attempt is an object.") : attempts;
    }

    private TokenUsage? TokensOf(ref Utf8JsonReader reader)
    {
        if (reader.TokenType == JsonTokenType.Null)
        {
            return null;
        }

        ExpectObject(ref reader);
        (long input, long cachedInput, long cacheWrite5m, long cacheWrite1h, long inputAudio) = (0, 0, 0, 0, 0);
        (long output, long reasoning, long outputAudio, long images) = (0, 0, 0, 0);
        for (var last = -1; Next(ref reader, s_tokenNames, ref last) is { } field;)
        {
            switch ((TokenField)field)
            {
                case TokenField.Input: input = reader.GetInt64(); break;
                case TokenField.CachedInput: cachedInput = reader.GetInt64(); break;
                case TokenField.CacheWrite5m: cacheWrite5m = reader.GetInt64(); break;
                case TokenField.CacheWrite1h: cacheWrite1h = reader.GetInt64(); break;
                case TokenField.InputAudio: inputAudio = reader.GetInt64(); break;
                case TokenField.Output: output = reader.GetInt64(); break;
                case TokenField.Reasoning: reasoning = reader.GetInt64(); break;
                case TokenField.OutputAudio: outputAudio = reader.GetInt64(); break;
                case TokenField.Images: images = reader.GetInt64(); break;
                default: reader.Skip(); break;
            }
        }

        return new()
        {
            Input = input,
            CachedInput = cachedInput,
            CacheWrite5m = cacheWrite5m,
            CacheWrite1h = cacheWrite1h,
            InputAudio = inputAudio,
            Output = output,
            Reasoning = reasoning,
            OutputAudio = outputAudio,
            Images = images,
        };
    }

    private static void ExpectObject(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartObject)
        {
            throw new JsonException("A usage record and its tokens are objects.");
        }
    }

    // Goes on to the next member's value and says which of the names it has: -1 for none of them, null at the object's end. A writer keeps
    // its order, so the search begins behind the last name.
    private int? Next(ref Utf8JsonReader reader, byte[][] names, ref int last)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.EndObject)
        {
            return null;
        }

        var found = -1;
        for (var tried = 1; tried <= names.Length && found < 0; tried++)
        {
            var index = (last + tried) % names.Length;
            if (reader.ValueTextEquals(names[index]))
            {
                asWritten &= index > last;
                found = last = index;
            }
        }

        asWritten &= found >= 0;

        reader.Read();
        return found;
    }

    private static byte[][] NamesOf<TField>()
        where TField : struct, Enum =>
        [.. Enum.GetNames<TField>().Select(static name => Encoding.UTF8.GetBytes(JsonNamingPolicy.CamelCase.ConvertName(name)))];

    private static JsonException Missing(Field field) => new($"A usage record has no {field}.");

    private string? TextOf(ref Utf8JsonReader reader) => reader.TokenType == JsonTokenType.String
        ? texts.Of(PlaceOf(reader.ValueSpan)) ??= reader.GetString()
        : reader.GetString();

    private string[]? TextsOf(ref Utf8JsonReader reader)
    {
        if (reader.TokenType != JsonTokenType.StartArray)
        {
            return JsonSerializer.Deserialize(ref reader, ContractsJson.Default.StringArray);
        }

        var start = lineStart + (int)reader.TokenStartIndex;
        reader.Skip();
        var list = start..(lineStart + (int)reader.BytesConsumed);
        return lists.Of(list) ??= JsonSerializer.Deserialize(lines.Span[list], ContractsJson.Default.StringArray);
    }

    private Range PlaceOf(ReadOnlySpan<byte> piece)
    {
        lines.Span.Overlaps(piece, out var start);
        return start..(start + piece.Length);
    }

    /// <summary>What bytes were read as before, where they stand in the batch.</summary>
    private sealed class Repeated<T>(ReadOnlyMemory<byte> lines)
        where T : class
    {
        // A batch has some tens of different texts. Two that share a slot are read again each time.
        private readonly (Range Bytes, Range More, T? Value)[] slots = new (Range, Range, T?)[256];
        private int last;

        public ref T? Of(Range bytes, Range more = default)
        {
            if (!IsOf(last, bytes, more))
            {
                var hash = default(HashCode);
                hash.AddBytes(lines.Span[bytes]);
                hash.AddBytes(lines.Span[more]);
                last = hash.ToHashCode() & (slots.Length - 1);
                if (!IsOf(last, bytes, more))
                {
                    slots[last] = (bytes, more, null);
                }
            }

            return ref slots[last].Value;
        }

        private bool IsOf(int slot, Range bytes, Range more) => slots[slot].Value is not null
            && lines.Span[slots[slot].Bytes].SequenceEqual(lines.Span[bytes]) && lines.Span[slots[slot].More].SequenceEqual(lines.Span[more]);
    }
}
