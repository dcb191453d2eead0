using Gateway.Auth.Access;
using Gateway.Contracts;

namespace Gateway.Auth.Requests;

/// <summary>The fields that every owner's request has: models, budgets, limits.</summary>
internal static class AllowanceFields
{
    private const int BudgetLimitsMax = 8;

    /// <summary>What holds after a request: its fields over what held before.</summary>
    public static Allowance Apply(RequestBody body, Allowance before)
    {
        var after = before with
        {
            Models = body.Texts("models", before.Models) ?? [],
            MaxBudget = body.Dollars("max_budget", before.MaxBudget),
            SoftBudget = body.Dollars("soft_budget", before.SoftBudget),
            BudgetDuration = body.Period("budget_duration", before.BudgetDuration),
            BudgetLimits = Limits(body, before.BudgetLimits),
            ModelMaxBudget = ModelBudgets.Apply(body, before.ModelMaxBudget),
            Credentials = OwnCredentials.Apply(body, before.Credentials),
            TempBudgetIncrease = body.Dollars("temp_budget_increase", before.TempBudgetIncrease),
            TempBudgetExpiry = body.Instant("temp_budget_expiry", before.TempBudgetExpiry),
            RpmLimit = body.Count("rpm_limit", before.RpmLimit),
            TpmLimit = body.Count("tpm_limit", before.TpmLimit),
            MaxParallelRequests = body.Count("max_parallel_requests", before.MaxParallelRequests),
        };

        if (after.TempBudgetIncrease is null != after.TempBudgetExpiry is null)
        {
            body.Problem("temp_budget_increase", "goes together with temp_budget_expiry: how much more, and until when.");
        }
        else if (body.Has("temp_budget_increase") && after is { TempBudgetIncrease: not null, MaxBudget: null })
        {
            body.Problem("temp_budget_increase", "raises max_budget, and there is none.");
        }

        // Two budgets of one owner and one period would share a window, and one limit would silently win.
        var periods = after.BudgetLimits.Select(limit => limit.BudgetDuration);
        if (after.MaxBudget is not null || after.SoftBudget is not null)
        {
            periods = periods.Append(after.BudgetDuration);
        }

        if (periods.GroupBy(period => period).FirstOrDefault(same => same.Count() > 1) is { } twice)
        {
            body.Problem("budget_limits", $"names the period {twice.Key ?? "(none)"} twice. Give each budget of one owner a period of its own.");
        }

        return after;
    }

    private static BudgetLimit[] Limits(RequestBody body, BudgetLimit[] before)
    {
        if (!body.Has("budget_limits"))
        {
            return before;
        }

        var limits = new List<BudgetLimit>();
        foreach (var item in body.Objects("budget_limits") ?? [])
        {
            var limit = new BudgetLimit(item.Period("budget_duration"), item.Dollars("max_budget") ?? Money.MaxValue);
            if (limit.MaxBudget == Money.MaxValue && item.Refusal is null)
            {
                item.Problem("max_budget", "is missing: the dollars that may be spent in each budget_duration.");
            }

            body.Adopt("budget_limits", item);
            limits.Add(limit);
        }

        if (limits.Count > BudgetLimitsMax)
        {
            body.Problem("budget_limits", $"has more than {BudgetLimitsMax} budgets.");
        }

        return [.. limits];
    }
}
