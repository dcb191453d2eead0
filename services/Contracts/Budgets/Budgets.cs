using System.Globalization;
using System.Text.Json.Serialization;

namespace Gateway.Contracts;

/// <summary>
/// Names of budgets and of the accounts that stand behind them: <c>scope/owner</c>, such as <c>key/9f86…</c>,
/// <c>user/team-alpha</c>, <c>team/payments</c>, <c>organization/acme</c>, <c>end_user/u-17</c>, <c>tag/env=dev</c>,
/// <c>provider/openai</c>, <c>deployment/d-1</c>, <c>gateway/all</c>. The scope is what a refused caller is told.
/// </summary>
public static class BudgetId
{
    /// <summary>The scope of one key.</summary>
    public const string KeyScope = "key";

    /// <summary>The scope of one user.</summary>
    public const string UserScope = "user";

    /// <summary>The scope of one team.</summary>
    public const string TeamScope = "team";

    /// <summary>The scope of one organization.</summary>
    public const string OrganizationScope = "organization";

    /// <summary>The scope of one end user of a team's application.</summary>
    public const string EndUserScope = "end_user";

    /// <summary>The scope of one tag.</summary>
    public const string TagScope = "tag";

    /// <summary>The scope of one model.</summary>
    public const string ModelScope = "model";

    /// <summary>The scope of a budget that several share.</summary>
    public const string SharedScope = "shared";

    /// <summary>What makes an owner's scope that of its budget for one model: <c>team_model/payments:gpt-4</c>.</summary>
    public const string ModelScopeSuffix = "_model";

    /// <summary>The scope of one provider.</summary>
    public const string ProviderScope = "provider";

    /// <summary>The scope of one deployment.</summary>
    public const string DeploymentScope = "deployment";

    /// <summary>The budget of the whole gateway.</summary>
    public const string Gateway = "gateway/all";

    /// <summary>The id of <paramref name="owner"/> in <paramref name="scope"/>.</summary>
    public static string Of(string scope, string owner) => $"{scope}/{owner}";

    /// <summary>The scope part of an id.</summary>
    public static string ScopeOf(string budgetId) => budgetId[..Math.Max(0, budgetId.IndexOf('/', StringComparison.Ordinal))];

    /// <summary>The owner part of an id.</summary>
    public static string OwnerOf(string budgetId) => budgetId[(budgetId.IndexOf('/', StringComparison.Ordinal) + 1)..];
}

/// <summary>A limit on spending, once or in each period.</summary>
public sealed record BudgetDefinition
{
    /// <summary>Which budget: see <see cref="BudgetId"/>. Several definitions may have one owner when their periods differ.</summary>
    public required string Id { get; init; }

    /// <summary>What may be spent in one window.</summary>
    public required Money Limit { get; init; }

    /// <summary>The period (<see cref="BudgetPeriod"/>); null for a budget that never starts again.</summary>
    public string? Period { get; init; }

    /// <summary>The IANA time zone of the period's calendar.</summary>
    public string TimeZone { get; init; } = "UTC";

    /// <summary>Spending above this only alerts; null for none.</summary>
    public Money? SoftLimit { get; init; }

    /// <summary>What the limit is higher by until <see cref="IncreaseUntil"/>; null for nothing.</summary>
    public Money? Increase { get; init; }

    /// <summary>When the increase ends; not null with <see cref="Increase"/>.</summary>
    public DateTimeOffset? IncreaseUntil { get; init; }

    /// <summary>Whose requests a shared budget counts; null for a budget whose id says it.</summary>
    public BudgetShare? Share { get; init; }

    /// <summary>Rises with every change of the definition: an older one never replaces a newer one.</summary>
    public long Revision { get; init; }

    /// <summary>What one window may spend at an instant: the limit, raised while an increase is in force.</summary>
    public Money LimitAt(DateTimeOffset instant) => Increase is { } more && instant < IncreaseUntil
        ? new Money(more.NanoDollars > long.MaxValue - Limit.NanoDollars ? long.MaxValue : Limit.NanoDollars + more.NanoDollars)
        : Limit;

    /// <summary>The window that <paramref name="instant"/> falls in.</summary>
    public BudgetWindow WindowAt(DateTimeOffset instant)
    {
        if (Period is null)
        {
            return new BudgetWindow(Id, null, null, null);
        }

        if (!BudgetPeriod.TryParse(Period, out var period))
        {
            throw new InvalidOperationException($"Budget {Id} has the period '{Period}', which is none of 30s 30m 24h 7d 30d 1mo.");
        }

        var (start, end) = period!.WindowAt(instant, TimeZoneInfo.FindSystemTimeZoneById(TimeZone));
        return new BudgetWindow(Id, Period, start, end);
    }
}

/// <summary>One window of a budget: what is counted, leased and spent together. A reset is simply the next window.</summary>
/// <param name="BudgetId">The budget.</param>
/// <param name="Period">Its period; null for a budget without one.</param>
/// <param name="Start">The first instant; null for a budget without a period.</param>
/// <param name="End">The first instant after it: the reset; null for a budget without a period.</param>
public sealed record BudgetWindow(string BudgetId, string? Period, DateTimeOffset? Start, DateTimeOffset? End)
{
    /// <summary>The window's name, the same on every edge and in Ledger: <c>user/team-alpha</c> or <c>user/team-alpha@1d@1764547200</c>.</summary>
    [JsonIgnore]
    public string Id { get; } = Start is { } start
        ? string.Create(CultureInfo.InvariantCulture, $"{BudgetId}@{Period}@{start.ToUnixTimeSeconds()}")
        : BudgetId;
}
