using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Contracts;
using Gateway.Ledger.Accounts;
using Gateway.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;
using StackExchange.Redis;

namespace Gateway.Ledger.Budgets;

/// <summary>The body of <c>/budget/new</c> and <c>/budget/update</c>: LiteLLM's names, amounts in dollars.</summary>
internal sealed record BudgetBody
{
    /// <summary>Which budget: <c>scope/owner</c>, such as <c>provider/openai</c>, <c>tag/env=dev</c>, <c>end_user/u-17</c>, <c>gateway/all</c>.</summary>
    [JsonPropertyName("budget_id")]
    public string? BudgetId { get; init; }

    [JsonPropertyName("max_budget")]
    public decimal? MaxBudget { get; init; }

    /// <summary>Dollars; a null that is said takes it away.</summary>
    [JsonPropertyName("soft_budget")]
    public JsonElement SoftBudget { get; init; }

    [JsonPropertyName("budget_duration")]
    public string? BudgetDuration { get; init; }

    [JsonPropertyName("time_zone")]
    public string? TimeZone { get; init; }

    /// <summary>Dollars more until <see cref="TempBudgetExpiry"/>; a null that is said takes it away.</summary>
    [JsonPropertyName("temp_budget_increase")]
    public JsonElement TempBudgetIncrease { get; init; }

    [JsonPropertyName("temp_budget_expiry")]
    public DateTimeOffset? TempBudgetExpiry { get; init; }

    /// <summary>Whose requests a shared budget counts.</summary>
    [JsonPropertyName("applies_to")]
    public AppliesTo? AppliesTo { get; init; }

    /// <summary>What LiteLLM has beside (<c>tpm_limit</c>, <c>rpm_limit</c>, …): kept and shown.</summary>
    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Others { get; init; }
}

internal sealed record BudgetsBody([property: JsonPropertyName("budgets")] string[]? Budgets);

internal sealed record BudgetNamed([property: JsonPropertyName("id")] string? Id);

/// <summary>A budget as administrators see it.</summary>
internal sealed record BudgetView
{
    [JsonPropertyName("budget_id")]
    public required string BudgetId { get; init; }

    [JsonPropertyName("max_budget")]
    public required decimal MaxBudget { get; init; }

    [JsonPropertyName("soft_budget")]
    public decimal? SoftBudget { get; init; }

    [JsonPropertyName("budget_duration")]
    public string? BudgetDuration { get; init; }

    [JsonPropertyName("temp_budget_increase")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public decimal? TempBudgetIncrease { get; init; }

    [JsonPropertyName("temp_budget_expiry")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? TempBudgetExpiry { get; init; }

    [JsonPropertyName("time_zone")]
    public required string TimeZone { get; init; }

    [JsonPropertyName("applies_to")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public AppliesTo? AppliesTo { get; init; }

    [JsonPropertyName("budget_reset_at")]
    public DateTimeOffset? BudgetResetAt { get; init; }

    /// <summary>Booked in the window that is open now.</summary>
    [JsonPropertyName("spend")]
    public decimal Spend { get; init; }

    /// <summary>Held by edges for requests in flight and to come.</summary>
    [JsonPropertyName("leased")]
    public decimal Leased { get; init; }

    /// <summary><c>auth</c>: belongs to a key, user, team or organization and is changed there. <c>admin</c>: made here.</summary>
    [JsonPropertyName("source")]
    public required string Source { get; init; }

    [JsonPropertyName("created_at")]
    public DateTimeOffset CreatedAt { get; init; }

    [JsonPropertyName("created_by")]
    public string? CreatedBy { get; init; }

    [JsonPropertyName("updated_at")]
    public DateTimeOffset UpdatedAt { get; init; }

    [JsonPropertyName("updated_by")]
    public string? UpdatedBy { get; init; }

    /// <summary>What it will not do, and how to mend that.</summary>
    [JsonPropertyName("warnings")]
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string[]? Warnings { get; init; }

    [JsonExtensionData]
    public Dictionary<string, JsonElement>? Others { get; init; }
}

/// <summary><c>/budget/*</c>, in LiteLLM's shapes where it has them.</summary>
internal static class BudgetAdmin
{
    private const decimal DollarsMax = 9_000_000_000m;

    // Budgets that belong to somebody at Auth, and where they are changed.
    private static readonly Dictionary<string, string> AuthRoutes = new(StringComparer.Ordinal)
    {
        [BudgetId.KeyScope] = "/key/update", [BudgetId.UserScope] = "/user/update", [BudgetId.TeamScope] = "/team/update", [BudgetId.OrganizationScope] = "/organization/update",
        ["team_member"] = "/team/member_update",
        [BudgetId.KeyScope + BudgetId.ModelScopeSuffix] = "model_max_budget of /key/update", [BudgetId.UserScope + BudgetId.ModelScopeSuffix] = "model_max_budget of /user/update",
        [BudgetId.TeamScope + BudgetId.ModelScopeSuffix] = "model_max_budget of /team/update",
        [BudgetId.OrganizationScope + BudgetId.ModelScopeSuffix] = "model_max_budget of /organization/update",
    };

    public static WebApplication MapBudgetAdmin(this WebApplication app)
    {
        var budgets = app.MapGroup("/budget").RequireAdmin();
        budgets.MapPost("/new", (BudgetBody body, HttpContext context, BudgetTable table, WindowInstaller installer, AccountTable accounts, TimeProvider clock, CancellationToken cancellation) =>
            SaveAsync(body, isNew: true, context, table, installer, accounts, clock, cancellation));
        budgets.MapPost("/update", (BudgetBody body, HttpContext context, BudgetTable table, WindowInstaller installer, AccountTable accounts, TimeProvider clock, CancellationToken cancellation) =>
            SaveAsync(body, isNew: false, context, table, installer, accounts, clock, cancellation));
        budgets.MapPost("/info", async (BudgetsBody body, BudgetTable table, AccountTable accounts, CancellationToken cancellation) =>
            body.Budgets is { Length: > 0 and <= AccountTable.AccountsMax } ids
                ? TypedResults.Ok(await ViewsAsync(await table.OfAsync(ids, cancellation), accounts, cancellation))
                : Problems.Result(422, "invalid_request", "Name 1 to 1000 budgets.", "budgets") as IResult);
        budgets.MapGet("/list", async (BudgetTable table, AccountTable accounts, int? limit, int? offset, CancellationToken cancellation) =>
            TypedResults.Ok(await ViewsAsync(
                await table.ListAsync(Math.Clamp(limit ?? 500, 1, 1_000), Math.Max(0, offset ?? 0), cancellation), accounts, cancellation)));
        budgets.MapGet("/settings", SettingsAsync);
        budgets.MapPost("/delete", DeleteAsync);
        return app;
    }

    private static async Task<IResult> SaveAsync(
        BudgetBody body, bool isNew, HttpContext context, BudgetTable table, WindowInstaller installer, AccountTable accounts, TimeProvider clock, CancellationToken cancellation)
    {
        var id = body.BudgetId ?? (isNew ? $"shared/{Guid.CreateVersion7():N}" : null);
        if (Refusal(id, body) is { } refusal)
        {
            return refusal;
        }

        if (isNew && await table.CountAsync(cancellation) >= BudgetTable.AdministratorsMax)
        {
            return Problems.Result(
                422, "invalid_request", $"There are {BudgetTable.AdministratorsMax} budgets already, and edges keep no more. Delete some, or give end_user/* one for all end users.", "budget_id");
        }

        // Fields that are not named stay as they are. A duration names one of several budgets of this id; it changes the only one.
        var rows = isNew ? [] : await table.OfAsync([id!], cancellation);
        var known = rows.FirstOrDefault(row => body.BudgetDuration is null || row.Definition.Period == body.BudgetDuration) ?? (rows is [{ FromAuth: false } only] ? only : null);
        if (!isNew && known is null)
        {
            return Problems.Result(
                404, "not_found", rows.Count == 0 ? $"There is no budget '{id}'."
                : $"Budget '{id}' has the durations {string.Join(", ", rows.Select(row => row.Definition.Period ?? "none"))}, and none is '{body.BudgetDuration}': name one of them, or add one with /budget/new.", "budget_id");
        }

        if (known is null && body.MaxBudget is null)
        {
            return Problems.Result(422, "invalid_request", "max_budget is missing: dollars, such as 100.0.", "max_budget");
        }

        var definition = new BudgetDefinition
        {
            Id = id!,
            Limit = body.MaxBudget is { } dollars ? Money.FromDollars(dollars) : known!.Definition.Limit,
            Period = body.BudgetDuration ?? known?.Definition.Period,
            TimeZone = body.TimeZone ?? known?.Definition.TimeZone ?? "UTC",
            SoftLimit = Dollars(body.SoftBudget, known?.Definition.SoftLimit),
            Increase = Dollars(body.TempBudgetIncrease, known?.Definition.Increase),
            IncreaseUntil = body.TempBudgetIncrease.ValueKind == JsonValueKind.Null ? null : body.TempBudgetExpiry ?? known?.Definition.IncreaseUntil,
        };
        if (definition.Increase is null != definition.IncreaseUntil is null)
        {
            return Problems.Result(422, "invalid_request", "temp_budget_increase goes together with temp_budget_expiry: how much more, and until when.", "temp_budget_increase");
        }

        var replaces = known is not null && known.Definition.Period != definition.Period ? known.Definition.Period ?? "" : null;
        var settings = body.Others is { Count: > 0 } others ? JsonSerializer.Serialize(others) : known?.Settings.GetRawText() ?? "{}";
        if (!await table.SaveAsync(definition, body.AppliesTo ?? known?.AppliesTo, settings, AuthorOf(context), isNew, replaces, cancellation))
        {
            return isNew
                ? Problems.Result(409, "already_exists", $"Budget '{id}' is there already: change it with /budget/update.", "budget_id")
                : Problems.Result(422, "invalid_request", $"Budget '{id}' belongs to a key, user, team or organization: change it there.", "budget_id");
        }

        var saved = (await table.OfAsync([id!], cancellation)).First(row => row.Definition.Period == definition.Period);
        try
        {
            // Edges that hold the window feel the new limit with their next question, not with their next window.
            await installer.EnsureAsync(new("ledger", [new(saved.Definition, saved.Definition.WindowAt(clock.GetUtcNow()), Money.Zero)]), "admin", cancellation);
        }
        catch (Exception error) when (error is RedisException or TimeoutException or NpgsqlException)
        {
            return Problems.Result(503, "temporarily_unavailable", "The budget is saved, but Redis does not answer: edges apply it when it does.");
        }

        return TypedResults.Ok((await ViewsAsync([saved], accounts, cancellation))[0]);
    }

    private static JsonHttpResult<ErrorEnvelope>? Refusal(string? id, BudgetBody body)
    {
        if (id is not { Length: > 2 and <= 512 } || id.IndexOf('/', StringComparison.Ordinal) is <= 0 || id.EndsWith('/') || id.AsSpan().ContainsAny('\0', '\n'))
        {
            return Problems.Result(422, "invalid_request", "budget_id must be scope/owner, such as provider/openai, tag/env=dev, end_user/u-17 or gateway/all.", "budget_id");
        }

        var scope = BudgetId.ScopeOf(id);
        if (AuthRoutes.TryGetValue(scope, out var route))
        {
            return Problems.Result(422, "invalid_request", $"The budget of a {scope.Replace('_', ' ')} is changed with {route}.", "budget_id");
        }

        if (body.AppliesTo is { } appliesTo && (scope == BudgetId.SharedScope ? appliesTo.Refusal() : "applies_to belongs to a shared budget: name it shared/…, such as shared/dev.") is { } unfit)
        {
            return Problems.Result(422, "invalid_request", unfit, "applies_to");
        }

        if (body.MaxBudget is < 0 or > DollarsMax || !IsDollars(body.SoftBudget) || !IsDollars(body.TempBudgetIncrease))
        {
            return Problems.Result(422, "invalid_request", "max_budget, soft_budget and temp_budget_increase are dollars from 0 to 9,000,000,000.", "max_budget");
        }

        if (body.BudgetDuration is { } duration && !BudgetPeriod.TryParse(duration, out _))
        {
            return Problems.Result(422, "invalid_request", $"budget_duration '{duration}' is none of 30s 30m 24h 7d 30d 1mo.", "budget_duration");
        }

        return body.TimeZone is { } zone && !TimeZoneInfo.TryFindSystemTimeZoneById(zone, out _)
            ? Problems.Result(422, "invalid_request", $"time_zone '{zone}' is no IANA time zone, such as Europe/Berlin.", "time_zone")
            : null;
    }

    // Not said, null, or an amount.
    private static bool IsDollars(JsonElement said) =>
        said.ValueKind is JsonValueKind.Undefined or JsonValueKind.Null || (said.ValueKind == JsonValueKind.Number && said.TryGetDecimal(out var dollars) && dollars is >= 0 and <= DollarsMax);

    private static Money? Dollars(JsonElement said, Money? before) => said.ValueKind switch
    {
        JsonValueKind.Undefined => before,
        JsonValueKind.Null => null,
        _ => Money.FromDollars(said.GetDecimal()),
    };

    private static async Task<IResult> SettingsAsync(string budget_id, BudgetTable table, CancellationToken cancellation)
    {
        var row = (await table.OfAsync([budget_id], cancellation)).FirstOrDefault();
        (string Name, string Type, string Description, object? Value)[] fields =
        [
            ("max_budget", "Float", "Dollars that one window may spend.", row?.Definition.Limit.ToDollars()),
            ("soft_budget", "Float", "Dollars above which an alert is raised; requests go on.", row?.Definition.SoftLimit?.ToDollars()),
            ("budget_duration", "String", "How often it starts again: 30s 30m 24h 7d 30d 1mo; none for never.", row?.Definition.Period),
            ("time_zone", "String", "The IANA time zone whose calendar the windows follow.", row?.Definition.TimeZone),
        ];
        return row is null
            ? Problems.Result(404, "not_found", $"There is no budget '{budget_id}'.", "budget_id")
            : TypedResults.Ok(fields.Select(field => new { field_name = field.Name, field_type = field.Type, field_description = field.Description, field_value = field.Value, stored_in_db = true }));
    }

    private static async Task<IResult> DeleteAsync(BudgetNamed body, BudgetTable table, CancellationToken cancellation) =>
        body.Id is { Length: > 0 } id && await table.DeleteAsync(id, cancellation) is > 0 and var deleted
            ? TypedResults.Ok(new { budget_id = id, deleted })
            : Problems.Result(404, "not_found", $"There is no budget '{body.Id}' that was made here.", "id");

    private static async Task<List<BudgetView>> ViewsAsync(List<BudgetRow> rows, AccountTable accounts, CancellationToken cancellation)
    {
        var open = await accounts.OpenWindowsAsync([.. rows.Select(row => row.Definition.Id).Distinct(StringComparer.Ordinal)], cancellation);
        return [.. rows.Select(row =>
        {
            var (_, window, state) = open.FirstOrDefault(item => item.BudgetId == row.Definition.Id && item.Window.Period == row.Definition.Period);
            return new BudgetView
            {
                BudgetId = row.Definition.Id,
                MaxBudget = row.Definition.Limit.ToDollars(),
                SoftBudget = row.Definition.SoftLimit?.ToDollars(),
                BudgetDuration = row.Definition.Period,
                TempBudgetIncrease = row.Definition.Increase?.ToDollars(),
                TempBudgetExpiry = row.Definition.IncreaseUntil,
                TimeZone = row.Definition.TimeZone,
                AppliesTo = row.AppliesTo,
                Warnings = BudgetId.ScopeOf(row.Definition.Id) == BudgetId.SharedScope && row.AppliesTo is null
                    ? ["Nobody is under this budget: say in applies_to whose requests it counts, such as {\"teams\": [\"a\", \"b\"], \"tags\": [\"env=dev\"]}."]
                    : null,
                BudgetResetAt = window?.End,
                Spend = state?.Spent.ToDollars() ?? 0,
                Leased = state?.Leased.ToDollars() ?? 0,
                Source = row.FromAuth ? "auth" : "admin",
                CreatedAt = row.CreatedAt,
                CreatedBy = row.CreatedBy,
                UpdatedAt = row.UpdatedAt,
                UpdatedBy = row.UpdatedBy,
                Others = row.Settings.Deserialize<Dictionary<string, JsonElement>>(),
            };
        })];
    }

    internal static string AuthorOf(HttpContext context) =>
        CallerIdentity.From(context) is { } caller ? caller.UserId ?? caller.KeyAlias ?? caller.KeyId : "unknown";
}
