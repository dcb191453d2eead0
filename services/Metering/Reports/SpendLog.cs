using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Contracts;
using Gateway.Metering.Ingest;
using Npgsql;

namespace Gateway.Metering.Reports;

/// <summary>One request, in LiteLLM's shape.</summary>
internal sealed record SpendLog
{
    /// <summary>
    /// The rows of a query on <c>usage_records</c> (which must deliver all columns, ordered and limited) with their names. The names are joined
    /// after the limit: a page costs a page's worth of look-ups, however long the table is.
    /// </summary>
    public static string Select(string records) => $"""
        select r.request_id, r.started_at, r.duration_us, r.first_byte_us, r.cost::numeric, r.input, coalesce(r.cached_input, 0), coalesce(r.cache_write_5m, 0),
            coalesce(r.cache_write_1h, 0), coalesce(r.input_audio, 0), r.output, coalesce(r.reasoning, 0), coalesce(r.output_audio, 0),
            coalesce(r.images, 0), r.status, r.outcome, r.streamed, r.estimated, r.unpriced, r.failed_attempts::text,
            key.name, alias.name, usr.name, team.name, organization.name, end_user.name, model.name, deployment.name, provider.name,
            provider_model.name, call_type.name, price.name,
            case when r.tags_no is null then null else array(select n.name from unnest(r.tags_no) with ordinality as t(no, i) join names n using (no) order by t.i) end,
            credential.name, r.corrects, coalesce(r.written_off, 0)::numeric
        from ({records}) r
        left join names key on key.no = r.key_no left join names alias on alias.no = r.alias_no left join names usr on usr.no = r.user_no
        left join names team on team.no = r.team_no left join names organization on organization.no = r.organization_no
        left join names end_user on end_user.no = r.end_user_no left join names model on model.no = r.model_no
        left join names deployment on deployment.no = r.deployment_no left join names provider on provider.no = r.provider_no
        left join names provider_model on provider_model.no = r.provider_model_no left join names call_type on call_type.no = r.call_type_no
        left join names price on price.no = r.price_no left join names credential on credential.no = r.credential_no
        order by r.started_at desc, r.request_id desc
        """;

    public required string RequestId { get; init; }

    public required string CallType { get; init; }

    /// <summary>The key's id, never the key.</summary>
    public required string ApiKey { get; init; }

    /// <summary>Dollars, exactly.</summary>
    public required decimal Spend { get; init; }

    public required long TotalTokens { get; init; }

    public required long PromptTokens { get; init; }

    public required long CompletionTokens { get; init; }

    [JsonPropertyName("startTime")]
    public required DateTime StartTime { get; init; }

    [JsonPropertyName("endTime")]
    public required DateTime EndTime { get; init; }

    [JsonPropertyName("completionStartTime")]
    public DateTime? CompletionStartTime { get; init; }

    /// <summary>The provider's name of the model.</summary>
    public required string Model { get; init; }

    public required string ModelId { get; init; }

    /// <summary>The public name that was asked for.</summary>
    public required string ModelGroup { get; init; }

    public required string CustomLlmProvider { get; init; }

    /// <summary>Always empty: an address of the organization's network is nobody's business here.</summary>
    public string ApiBase { get; init; } = "";

    public required string User { get; init; }

    public string? TeamId { get; init; }

    public string? OrganizationId { get; init; }

    public required string EndUser { get; init; }

    public required string[] RequestTags { get; init; }

    public string CacheHit { get; init; } = "False";

    public required string Status { get; init; }

    public required SpendLogDetails Metadata { get; init; }

    public static SpendLog Read(NpgsqlDataReader reader)
    {
        var started = reader.GetDateTime(1);
        var firstByte = reader.GetInt64(3);
        var tokens = new TokenUsage
        {
            Input = reader.GetInt64(5),
            CachedInput = reader.GetInt64(6),
            CacheWrite5m = reader.GetInt64(7),
            CacheWrite1h = reader.GetInt64(8),
            InputAudio = reader.GetInt64(9),
            Output = reader.GetInt64(10),
            Reasoning = reader.GetInt64(11),
            OutputAudio = reader.GetInt64(12),
            Images = reader.GetInt64(13),
        };
        var status = reader.GetInt16(14);
        var outcome = (UsageOutcome)reader.GetInt16(15);
        var deployment = reader.GetString(27);
        var attempts = reader.IsDBNull(19) ? [] : JsonSerializer.Deserialize(reader.GetString(19), AttemptsJson.Default.FailedAttemptArray) ?? [];
        var succeeded = outcome == UsageOutcome.Completed && status < 400 ? "success" : "failure";
        return new SpendLog
        {
            RequestId = reader.GetGuid(0).ToString(),
            CallType = reader.GetString(30),
            ApiKey = reader.GetString(20),
            Spend = ReportDatabase.Dollars(reader, 4),
            TotalTokens = tokens.PromptTokens + tokens.CompletionTokens,
            PromptTokens = tokens.PromptTokens,
            CompletionTokens = tokens.CompletionTokens,
            StartTime = started,
            EndTime = started.AddTicks(reader.GetInt64(2) * TimeSpan.TicksPerMicrosecond),
            CompletionStartTime = firstByte > 0 ? started.AddTicks(firstByte * TimeSpan.TicksPerMicrosecond) : null,
            Model = reader.GetString(29),
            ModelId = deployment,
            ModelGroup = reader.GetString(26),
            CustomLlmProvider = reader.GetString(28),
            User = reader.GetString(22),
            TeamId = ReportDatabase.NameOrNull(reader, 23),
            OrganizationId = ReportDatabase.NameOrNull(reader, 24),
            EndUser = reader.GetString(25),
            RequestTags = reader.IsDBNull(32) ? [] : reader.GetFieldValue<string[]>(32),
            Status = succeeded,
            Metadata = new SpendLogDetails
            {
                Status = succeeded,
                HttpStatus = status,
                GatewayOutcome = outcome.ToString(),
                KeyAlias = ReportDatabase.NameOrNull(reader, 21),
                AttemptedRetries = attempts.Length,
                AttemptedFallbacks = attempts.Select(attempt => attempt.DeploymentId).Where(id => id != deployment).Distinct(StringComparer.Ordinal).Count(),
                FailedAttempts = attempts,
                OriginalModelGroup = reader.GetString(26),
                Stream = reader.GetBoolean(16),
                UsageEstimated = reader.GetBoolean(17),
                Unpriced = reader.GetBoolean(18),
                Price = ReportDatabase.NameOrNull(reader, 31),
                Credential = ReportDatabase.NameOrNull(reader, 33),
                Corrects = reader.IsDBNull(34) ? null : reader.GetGuid(34),
                WrittenOff = ReportDatabase.Dollars(reader, 35),
                Usage = tokens,
            },
        };
    }
}

/// <summary>What LiteLLM keeps in a row's <c>metadata</c>, and what only this gateway knows.</summary>
internal sealed record SpendLogDetails
{
    public required string Status { get; init; }

    public required int HttpStatus { get; init; }

    /// <summary>A <see cref="UsageOutcome"/>: why a partial answer was charged.</summary>
    public required string GatewayOutcome { get; init; }

    public string? KeyAlias { get; init; }

    /// <summary>Attempts that failed before the one that is charged.</summary>
    public required int AttemptedRetries { get; init; }

    /// <summary>Other deployments among them.</summary>
    public required int AttemptedFallbacks { get; init; }

    public required FailedAttempt[] FailedAttempts { get; init; }

    public required string OriginalModelGroup { get; init; }

    public required bool Stream { get; init; }

    public required bool UsageEstimated { get; init; }

    public required bool Unpriced { get; init; }

    public string? Price { get; init; }

    /// <summary>The credential that it was served with, by name.</summary>
    public string? Credential { get; init; }

    /// <summary>The row whose cost this one corrects: a batch's estimate.</summary>
    public Guid? Corrects { get; init; }

    /// <summary>Dollars, exactly, that the provider's answer cost beyond the end of a budget: no part of the spend, and nobody's.</summary>
    public required decimal WrittenOff { get; init; }

    /// <summary>Each class of tokens; none is counted in two.</summary>
    public required TokenUsage Usage { get; init; }
}
