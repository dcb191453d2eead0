using Gateway.Contracts;
using Gateway.Edge.Flow;
using Gateway.Edge.Routing;
using Gateway.Pricing;

namespace Gateway.Edge.Metering;

/// <summary>
/// The end of a request: its one usage record is written to the spool, the money that it held is replaced by what it cost, and its slots
/// are free again. Settling ignores the request's cancellation: a client that hangs up still owes for what was produced.
/// </summary>
internal sealed class Settlement(Spool spool, EdgeIdentity identity, EdgeMetrics metrics, TimeProvider time)
{
    /// <summary>What a request used and what that costs at its target's price.</summary>
    public static Money Cost(RequestExchange exchange, TokenUsage tokens) =>
        exchange.Target?.Price is { } price ? CostCalculator.Cost(tokens, price, exchange.Units) : Money.Zero;

    /// <summary>
    /// Records a request that a provider answered, wholly or in part. Called before the last byte leaves. What it cost more than was held for it
    /// is taken first, as far as the budgets have it: never over, and what they have no more for is written off in the record.
    /// </summary>
    /// <returns>What was charged.</returns>
    public async ValueTask<Money> CompleteAsync(RequestExchange exchange, TokenUsage tokens, bool estimated, UsageOutcome outcome, int status, bool streamed)
    {
        var produced = Cost(exchange, tokens);
        var cost = await CoverAsync(exchange, produced);
        try
        {
            Record(exchange, tokens, estimated, cost, outcome, status, streamed, produced - cost);
        }
        finally
        {
            GiveBack(exchange, cost, tokens.PromptTokens + tokens.CompletionTokens, count: true);
        }

        if (!estimated && outcome == UsageOutcome.Completed)
        {
            exchange.Grant.Expectation.Learn(exchange.Body.Memory.Length, tokens.PromptTokens, tokens.CompletionTokens);
        }

        return cost;
    }

    /// <summary>Takes what a finished answer cost more than was held for it, as far as the budgets have it.</summary>
    /// <returns>What may be charged: no more than is held then.</returns>
    public static ValueTask<Money> CoverAsync(RequestExchange exchange, Money produced) =>
        produced <= Held(exchange) ? new(produced) : ExtendAsync(exchange, produced);

    /// <summary>A request that got no answer: recorded when it reached a provider, at no cost.</summary>
    public void Refuse(RequestExchange exchange, GatewayError error)
    {
        exchange.Refusal = error.Code;
        End(exchange, UsageOutcome.Failed, error.Status);
    }

    /// <summary>The client left before an answer began.</summary>
    public void Abandon(RequestExchange exchange) => End(exchange, UsageOutcome.ClientClosed, 499);

    /// <summary>The record of a batch that is about to be submitted, charged its estimate: what it uses is known when it is over.</summary>
    /// <param name="exchange">The submission.</param>
    /// <param name="target">Who will be asked.</param>
    /// <param name="targetWindows">The windows of the target's own budgets.</param>
    /// <param name="estimate">What it may cost.</param>
    public UsageRecord Submission(RequestExchange exchange, Deployment target, string[] targetWindows, Money estimate) =>
        Of(exchange, target, targetWindows, ServiceTier.Batch, TokenUsage.None, true, estimate, UsageOutcome.Completed, 200, false, Money.Zero);

    /// <summary>Records a batch that a provider has taken, or may have: its estimate is charged.</summary>
    public void Submit(RequestExchange exchange, UsageRecord submission)
    {
        try
        {
            Append(exchange, submission);
        }
        finally
        {
            GiveBack(exchange, submission.Cost, 0, count: true);
        }
    }

    private static async ValueTask<Money> ExtendAsync(RequestExchange exchange, Money produced)
    {
        await exchange.Ticket.CoverAsFarAsItGoesAsync(produced.NanoDollars);
        await exchange.TargetTicket.CoverAsFarAsItGoesAsync(produced.NanoDollars);
        return Money.Min(produced, Held(exchange));
    }

    private static Money Held(RequestExchange exchange) => Money.Min(exchange.Ticket.Held, exchange.TargetTicket.Held);

    private void End(RequestExchange exchange, UsageOutcome outcome, int status)
    {
        try
        {
            if (exchange.Record is null && exchange.Target is not null)
            {
                Record(exchange, TokenUsage.None, false, Money.Zero, outcome, status, exchange.Head.Stream);
            }
        }
        finally
        {
            GiveBack(exchange, Money.Zero, 0, count: exchange.Target is not null);
        }
    }

    private void Record(
        RequestExchange exchange, TokenUsage tokens, bool estimated, Money cost, UsageOutcome outcome, int status, bool streamed, Money writtenOff = default) =>
        Append(exchange, Of(
            exchange, exchange.Target!, exchange.TargetTicket.Windows(), exchange.Units.Service, tokens, estimated, cost, outcome, status, streamed, writtenOff));

    private void Append(RequestExchange exchange, UsageRecord record)
    {
        exchange.Record = record;
        spool.Append(record);
        metrics.Used(record);
    }

    // Made whole at once: it is the largest object of a request.
    private UsageRecord Of(
        RequestExchange exchange, Deployment target, string[] targetWindows, ServiceTier tier, TokenUsage tokens, bool estimated, Money cost, UsageOutcome outcome, int status,
        bool streamed, Money writtenOff)
    {
        var snapshot = exchange.Caller.Snapshot;
        var windows = exchange.Ticket.Windows();
        return new UsageRecord
        {
            RequestId = exchange.Id,
            StartedAt = exchange.StartedAt,
            DurationMicroseconds = exchange.ElapsedMicroseconds(time),
            FirstByteMicroseconds = exchange.FirstByteMicroseconds,
            EdgeId = identity.EdgeId,
            CallType = exchange.Surface?.CallType ?? exchange.Operation.CallType,
            KeyId = snapshot.KeyId,
            KeyAlias = snapshot.KeyAlias,
            UserId = snapshot.UserId,
            TeamId = snapshot.TeamId,
            OrganizationId = snapshot.OrganizationId,
            EndUser = exchange.EndUser,
            Tags = exchange.Tags,
            Model = exchange.Grant.Group.Name,
            DeploymentId = target.Id,
            Provider = target.Provider,
            ProviderModel = target.ProviderModel,
            Credential = target.CredentialName,
            Status = status,
            Outcome = outcome,
            Streamed = streamed,
            Tokens = tokens,
            Estimated = estimated,
            Unpriced = target.Price is null,
            Cost = cost,
            WrittenOff = writtenOff,
            Price = target.Price?.Describe(tier, tokens.PromptTokens),
            BudgetWindows = targetWindows.Length == 0 ? windows : [.. windows, .. targetWindows],
            FailedAttempts = exchange.FailedAttempts?.ToArray(),
        };
    }

    private static void GiveBack(RequestExchange exchange, Money cost, long tokens, bool count)
    {
        exchange.Ticket.Settle(cost);
        exchange.TargetTicket.Settle(cost);
        foreach (var (gate, amount, entry) in exchange.Entered)
        {
            gate.Leave(amount, tokens, count, entry);
        }

        exchange.Entered.Clear();
    }
}
