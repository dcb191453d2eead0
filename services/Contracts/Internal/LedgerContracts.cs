using System.Text.Json.Serialization;

namespace Gateway.Contracts;

/// <summary>
/// Asks Ledger to put budget windows into Redis (<c>POST /internal/budgets/ensure</c>): an edge sends it for a window that Redis does not
/// know (first use, or Redis was lost) and for a definition that is newer than the one there.
/// </summary>
/// <param name="EdgeId">Who asks.</param>
/// <param name="Budgets">The budgets.</param>
public sealed record EnsureBudgets(string EdgeId, EnsureBudget[] Budgets);

/// <summary>One budget to be put into Redis.</summary>
/// <param name="Definition">Its definition, as the edge knows it.</param>
/// <param name="Window">The window to open.</param>
/// <param name="Granted">What this edge holds of it: everything granted so far less everything released. Zero at first use.</param>
public sealed record EnsureBudget(BudgetDefinition Definition, BudgetWindow Window, Money Granted);

/// <summary>Ledger's answer: one state for each budget asked for, in the same order.</summary>
/// <param name="Windows">The states.</param>
public sealed record EnsuredBudgets(WindowState[] Windows);

/// <summary>A window as Ledger put it into Redis.</summary>
/// <param name="WindowId">See <see cref="BudgetWindow.Id"/>.</param>
/// <param name="Limit">The limit in force.</param>
/// <param name="Spent">What the journal has booked.</param>
/// <param name="Leased">What edges hold.</param>
public sealed record WindowState(string WindowId, Money Limit, Money Spent, Money Leased);

/// <summary>What is booked on accounts (<c>POST /internal/accounts/spend</c>): asked by Auth for <c>/key/info</c>.</summary>
/// <param name="Accounts">Account names: <c>key/9f86…</c>, <c>user/team-alpha</c>.</param>
public sealed record AccountsQuery(string[] Accounts);

/// <summary>One account's booked spend since ever, and its windows.</summary>
/// <param name="Account">The account.</param>
/// <param name="Spent">All that was booked on it.</param>
/// <param name="Windows">The windows of the budget of the same name that are open now.</param>
public sealed record AccountSpend(string Account, Money Spent, WindowState[] Windows);

/// <summary>Answer to <see cref="AccountsQuery"/>, in the same order; an unknown account has spent nothing.</summary>
/// <param name="Accounts">The accounts.</param>
public sealed record AccountsSpend(AccountSpend[] Accounts);

/// <summary>
/// Sets what an account has spent (<c>POST /internal/accounts/reset</c>), with entries in the journal that say why: asked by Auth for
/// <c>/key/{key}/reset_spend</c> and its like. A repeat finds it done.
/// </summary>
/// <param name="Account">The account: <c>key/9f86…</c>.</param>
/// <param name="To">What it and its open windows will have spent; not more than they have.</param>
/// <param name="Author">Who asked for it.</param>
public sealed record ResetAccount(string Account, Money To, string Author);

/// <summary>What a reset did.</summary>
/// <param name="Before">What was spent before: the most in one of its open windows, or since ever without one.</param>
/// <param name="Windows">The open windows of its budgets after it.</param>
public sealed record AccountReset(Money Before, WindowState[] Windows);

/// <summary>Asks how the budgets stand that a key is under (<c>POST /internal/budgets/above</c>): asked by Auth for <c>/key/info</c>.</summary>
/// <param name="Own">Those of the key, its user, its team and its organization, as Auth knows them.</param>
/// <param name="Owners">The key, its user, its team and its organization, as <see cref="BudgetId"/> names them: Ledger adds what they share.</param>
/// <param name="Tags">The key's tags: Ledger adds the budgets on them, and the gateway's.</param>
public sealed record BudgetsAbove(BudgetDefinition[] Own, string[] Owners, string[] Tags);

/// <summary>How one budget stands in the window that is open now.</summary>
/// <param name="BudgetId">The budget.</param>
/// <param name="Period">Its period; null for none.</param>
/// <param name="Limit">What its window may spend.</param>
/// <param name="Spent">What the journal has booked in it.</param>
/// <param name="Leased">What edges hold of it.</param>
/// <param name="ResetsAt">When the window ends; null for never.</param>
public sealed record BudgetState(string BudgetId, string? Period, Money Limit, Money Spent, Money Leased, DateTimeOffset? ResetsAt);

/// <summary>
/// Tells Ledger that every record of an edge process was delivered and that it holds nothing any more
/// (<c>POST /internal/edges/{edgeId}/closed</c>): its leases go back at once instead of at the end of their time to live.
/// </summary>
/// <param name="EdgeId">The edge process, gone or going.</param>
public sealed record EdgeClosed(string EdgeId);

/// <summary>The JSON of everything that crosses a service: camelCase, enums as words, nulls left out.</summary>
[JsonSourceGenerationOptions(
    PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase,
    DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(UsageRecord))]
[JsonSerializable(typeof(UsageRecorded))]
[JsonSerializable(typeof(AccessSnapshot))]
[JsonSerializable(typeof(AccessChange))]
[JsonSerializable(typeof(ResolveKey))]
[JsonSerializable(typeof(EnsureBudgets))]
[JsonSerializable(typeof(EnsuredBudgets))]
[JsonSerializable(typeof(AccountsQuery))]
[JsonSerializable(typeof(AccountsSpend))]
[JsonSerializable(typeof(EdgeClosed))]
[JsonSerializable(typeof(BudgetsAbove))]
[JsonSerializable(typeof(ResetAccount))]
[JsonSerializable(typeof(AccountReset))]
[JsonSerializable(typeof(BudgetState[]))]
[JsonSerializable(typeof(BudgetDefinition[]))]
public sealed partial class ContractsJson : JsonSerializerContext;
