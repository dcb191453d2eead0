using Gateway.Contracts;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>
/// Says on an answer what is left of the tightest budget that its request was under, and LiteLLM's two headers of the key's own. From what
/// this edge holds: nobody is asked. What is reserved for requests under way is not left.
/// </summary>
internal static class BudgetHeaders
{
    public static void Set(BudgetSlot[] slots, IHeaderDictionary headers)
    {
        BudgetLease? tightest = null;
        BudgetLease? ofKey = null;
        var least = Money.MaxValue;
        foreach (var slot in slots)
        {
            var lease = slot.Current();
            if (lease.Limit == Money.MaxValue)
            {
                // A soft limit alone: it alerts, and there is nothing that could end.
                continue;
            }

            var left = lease.Remaining;
            if (tightest is null || left < least)
            {
                (tightest, least) = (lease, left);
            }

            if (ofKey is null && slot.IsOfKey)
            {
                ofKey = lease;
            }
        }

        if (tightest is null)
        {
            return;
        }

        headers["x-gateway-budget"] = tightest.Window.BudgetId;
        headers["x-gateway-budget-left"] = least.ToDollarText();
        if (tightest.ResetsAt is { } reset)
        {
            headers["x-gateway-budget-reset"] = reset;
        }

        if (ofKey is not null)
        {
            headers["x-litellm-key-max-budget"] = ofKey.Limit.ToDollarText();
            headers["x-litellm-key-spend"] = Money.Max(Money.Zero, ofKey.Limit - ofKey.Remaining).ToDollarText();
        }
    }
}
