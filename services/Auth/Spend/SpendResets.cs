using Gateway.Auth.Access;
using Gateway.Auth.Audit;
using Gateway.Auth.Requests;
using Gateway.Contracts;
using Npgsql;

namespace Gateway.Auth.Spend;

/// <summary>Answer of <c>POST /key/{key}/reset_spend</c>, and of <c>/user</c>, <c>/team</c> and <c>/organization</c> in the same form. Amounts are dollars.</summary>
/// <param name="Account">Whose spending: <c>key/9f86…</c>, <c>team/payments</c>.</param>
/// <param name="Spend">What it is now, in every window that is open.</param>
/// <param name="PreviousSpend">What it was before.</param>
internal sealed record SpendWasReset(string Account, decimal Spend, decimal PreviousSpend);

/// <summary>Takes off what a key, user, team or organization has spent (LiteLLM's <c>reset_spend</c>): Ledger books it, and the audit has a line.</summary>
internal sealed class SpendResets(NpgsqlDataSource database, LedgerSpend ledger, TimeProvider clock)
{
    public async Task<Outcome<SpendWasReset>> ResetAsync(string scope, string owner, RequestBody body, Actor actor, CancellationToken cancellation)
    {
        var to = body.Dollars("reset_to") ?? Money.Zero;
        if (body.Refusal is { } refusal)
        {
            return refusal;
        }

        var account = BudgetId.Of(scope, owner);
        if (await ledger.ResetAsync(account, to, actor.Name, cancellation) is not { } done)
        {
            return new Refusal(503, "temporarily_unavailable", "Ledger does not answer, and it keeps what was spent. Try again in a moment: a repeat does no harm.");
        }

        var view = new SpendWasReset(account, Money.Min(done.Before, to).ToDollars(), done.Before.ToDollars());
        await using var transaction = await AccessTransaction.BeginAsync(database, actor, clock, cancellation);
        transaction.Audit(
            "spend_reset", scope, owner,
            System.Text.Json.JsonSerializer.Serialize(view with { Spend = view.PreviousSpend }, AuthJson.Default.SpendWasReset), System.Text.Json.JsonSerializer.Serialize(view, AuthJson.Default.SpendWasReset));
        await transaction.CommitAsync(cancellation);
        return view;
    }
}
