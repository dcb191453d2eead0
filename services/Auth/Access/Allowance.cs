using Gateway.Contracts;

namespace Gateway.Auth.Access;

/// <summary>A further budget of an owner that has several windows at once.</summary>
internal sealed record BudgetLimit(string? BudgetDuration, Money MaxBudget);

/// <summary>What a key, user, team or organization may use. A limit that is null does not exist; it is not 0.</summary>
internal sealed record Allowance
{
    /// <summary>Public model names, patterns and LiteLLM's words (<see cref="ModelGrants"/>); empty: whatever the owner above grants.</summary>
    public string[] Models { get; init; } = [];

    public Money? MaxBudget { get; init; }

    public Money? SoftBudget { get; init; }

    public string? BudgetDuration { get; init; }

    public BudgetLimit[] BudgetLimits { get; init; } = [];

    /// <summary>JSON, as it was sent (<see cref="ModelBudgets"/>).</summary>
    public string ModelMaxBudget { get; init; } = "{}";

    /// <summary>JSON: which credential of the configuration's list its calls use, by deployment, public model name or provider.</summary>
    public string Credentials { get; init; } = "{}";

    /// <summary>What <see cref="MaxBudget"/> is higher by until <see cref="TempBudgetExpiry"/>.</summary>
    public Money? TempBudgetIncrease { get; init; }

    public DateTimeOffset? TempBudgetExpiry { get; init; }

    public long? RpmLimit { get; init; }

    public long? TpmLimit { get; init; }

    public long? MaxParallelRequests { get; init; }

    /// <summary>Whether both grant the same: records with arrays are never equal by themselves.</summary>
    public bool Grants(Allowance other) =>
        Models.SequenceEqual(other.Models)
        && BudgetLimits.SequenceEqual(other.BudgetLimits)
        && (this with { Models = other.Models, BudgetLimits = other.BudgetLimits }) == other;

    /// <summary>The budgets as edges know them.</summary>
    public IEnumerable<BudgetDefinition> BudgetsOf(string owner, string timeZone, long revision)
    {
        // A soft limit without a hard one still alerts: the hard one is then the largest amount there is.
        if (MaxBudget is not null || SoftBudget is not null)
        {
            yield return new BudgetDefinition
            {
                Id = owner, Limit = MaxBudget ?? Money.MaxValue, SoftLimit = SoftBudget, Period = BudgetDuration, TimeZone = timeZone, Revision = revision,
                Increase = TempBudgetIncrease, IncreaseUntil = TempBudgetExpiry,
            };
        }

        foreach (var limit in BudgetLimits)
        {
            yield return new BudgetDefinition
            {
                Id = owner, Limit = limit.MaxBudget, Period = limit.BudgetDuration, TimeZone = timeZone, Revision = revision,
            };
        }
    }

    /// <summary>The budgets for single models as edges know them.</summary>
    public IEnumerable<ModelBudget> ModelBudgetsOf(string owner, string timeZone, long revision) => ModelBudgets.Of(ModelMaxBudget).Select(limit => new ModelBudget(
        limit.Model,
        new BudgetDefinition
        {
            Id = ModelBudgets.IdOf(owner, limit.Model), Limit = limit.MaxBudget, Period = limit.BudgetDuration, TimeZone = timeZone, Revision = revision,
        }));

    /// <summary>The rate limits as edges know them.</summary>
    public IEnumerable<LimitDefinition> LimitsOf(string owner)
    {
        if (RpmLimit is { } requests)
        {
            yield return new LimitDefinition(owner, LimitKind.RequestsPerMinute, requests);
        }

        if (TpmLimit is { } tokens)
        {
            yield return new LimitDefinition(owner, LimitKind.TokensPerMinute, tokens);
        }

        if (MaxParallelRequests is { } parallel)
        {
            yield return new LimitDefinition(owner, LimitKind.ParallelRequests, parallel);
        }
    }
}
