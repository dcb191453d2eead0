using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Auth.Spend;
using Gateway.Contracts;

namespace Gateway.Auth.Access;

/// <summary>A further budget, in dollars.</summary>
internal sealed record BudgetLimitView(string? BudgetDuration, decimal MaxBudget);

/// <summary>What the answers about keys, users, teams and organizations have in common. Amounts are dollars, as exact decimals.</summary>
internal abstract record AllowanceView
{
    public string[] Models { get; init; } = [];

    public decimal? MaxBudget { get; init; }

    public decimal? SoftBudget { get; init; }

    public string? BudgetDuration { get; init; }

    public BudgetLimitView[] BudgetLimits { get; init; } = [];

    /// <summary>Budgets for single models, as they were sent.</summary>
    public JsonElement ModelMaxBudget { get; init; } = JsonElement.Parse("{}");

    /// <summary>Which credentials its calls use: names, never values.</summary>
    public JsonElement Credentials { get; init; } = JsonElement.Parse("{}");

    /// <summary>What <see cref="MaxBudget"/> is higher by until <see cref="TempBudgetExpiry"/>.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public decimal? TempBudgetIncrease { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public DateTimeOffset? TempBudgetExpiry { get; init; }

    /// <summary>When <see cref="BudgetDuration"/> starts again.</summary>
    public DateTimeOffset? BudgetResetAt { get; init; }

    public long? TpmLimit { get; init; }

    public long? RpmLimit { get; init; }

    public long? MaxParallelRequests { get; init; }

    /// <summary>Dollars booked in the window of <see cref="BudgetDuration"/>, or ever without one; null while Ledger does not answer.</summary>
    public decimal? Spend { get; init; }

    /// <summary>Dollars booked since ever, whatever the windows.</summary>
    public decimal? TotalSpend { get; init; }

    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? SpendError { get; init; }

    public JsonElement Metadata { get; init; }

    public bool Blocked { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public string CreatedBy { get; init; } = "";

    public DateTimeOffset UpdatedAt { get; init; }

    public string UpdatedBy { get; init; } = "";

    /// <summary>Fields of the request that had no effect.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string[]? Warnings { get; init; }
}

/// <summary>Fills in what the views have in common.</summary>
internal static class AllowanceViews
{
    public static T Fill<T>(this T view, Allowance allowance, Stamp stamp, string metadata, DateTimeOffset now, string timeZone)
        where T : AllowanceView =>
        view with
        {
            Models = allowance.Models,
            MaxBudget = allowance.MaxBudget?.ToDollars(),
            SoftBudget = allowance.SoftBudget?.ToDollars(),
            BudgetDuration = allowance.BudgetDuration,
            BudgetLimits = [.. allowance.BudgetLimits.Select(limit => new BudgetLimitView(limit.BudgetDuration, limit.MaxBudget.ToDollars()))],
            ModelMaxBudget = JsonElement.Parse(allowance.ModelMaxBudget),
            Credentials = JsonElement.Parse(allowance.Credentials),
            TempBudgetIncrease = allowance.TempBudgetIncrease?.ToDollars(),
            TempBudgetExpiry = allowance.TempBudgetExpiry,
            BudgetResetAt = BudgetPeriod.TryParse(allowance.BudgetDuration, out var period)
                ? period!.WindowAt(now, TimeZoneInfo.FindSystemTimeZoneById(timeZone)).End.ToUniversalTime()
                : null,
            TpmLimit = allowance.TpmLimit,
            RpmLimit = allowance.RpmLimit,
            MaxParallelRequests = allowance.MaxParallelRequests,
            Metadata = JsonElement.Parse(metadata),
            CreatedAt = stamp.CreatedAt,
            CreatedBy = stamp.CreatedBy,
            UpdatedAt = stamp.UpdatedAt,
            UpdatedBy = stamp.UpdatedBy,
        };

    /// <summary>Adds what is booked on <paramref name="account"/>.</summary>
    public static T WithSpend<T>(this T view, SpendAnswer spend, string account, DateTimeOffset now, string timeZone)
        where T : AllowanceView =>
        spend.Of(account) is not { } booked
            ? view with { SpendError = spend.Error }
            : view with
            {
                TotalSpend = booked.Spent.ToDollars(),
                Spend = (view.BudgetDuration is null ? booked.Spent : InWindow(booked, view.BudgetDuration, now, timeZone)).ToDollars(),
            };

    private static Money InWindow(AccountSpend booked, string period, DateTimeOffset now, string timeZone)
    {
        var window = new BudgetDefinition { Id = booked.Account, Limit = Money.Zero, Period = period, TimeZone = timeZone }.WindowAt(now).Id;
        // A window that Ledger does not know has seen no request.
        return booked.Windows.FirstOrDefault(one => one.WindowId == window)?.Spent ?? Money.Zero;
    }
}
