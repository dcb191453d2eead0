using Gateway.Contracts;
using Gateway.Edge.Admission.Budgets;

namespace Gateway.Edge.Tests.Admission;

/// <summary>Which requests a shared budget counts.</summary>
public sealed class SharedBudgetTests
{
    private static readonly string[] OfTeamA = ["key/k", "user/ann", "team/a"];
    private static readonly string[] OfTeamC = ["key/l", "team/c"];

    [Fact]
    public void One_of_the_owners_and_all_of_the_tags()
    {
        var budget = Shared(new BudgetShare { Owners = ["team/a", "team/b"], Tags = ["env=dev", "cheap"] });

        Assert.True(budget.Counts(OfTeamA, null, ["cheap", "x", "env=dev"], "gpt-4"));
        Assert.False(budget.Counts(OfTeamA, null, ["env=dev"], "gpt-4"));
        Assert.False(budget.Counts(OfTeamC, null, ["env=dev", "cheap"], "gpt-4"));
        Assert.False(budget.MayCount(OfTeamC));
    }

    [Fact]
    public void Tags_alone_count_whoever_has_them() =>
        Assert.True(Shared(new BudgetShare { Tags = ["env=dev"] }).Counts(OfTeamC, null, ["env=dev"], "gpt-4"));

    [Fact]
    public void Models_are_names_or_patterns()
    {
        var budget = Shared(new BudgetShare { Models = ["gpt-4", "anthropic/*"] });

        Assert.True(budget.Counts(OfTeamA, null, [], "gpt-4") && budget.Counts(OfTeamC, null, [], "anthropic/claude"));
        Assert.False(budget.Counts(OfTeamA, null, [], "gpt-4o"));
    }

    [Fact]
    public void An_end_user_counts_whosever_key_it_comes_with()
    {
        var budget = Shared(new BudgetShare { Owners = ["end_user/u-1", "team/a"] });

        Assert.True(budget.MayCount(OfTeamC) && budget.Counts(OfTeamC, "u-1", [], "gpt-4") && budget.Counts(OfTeamA, null, [], "gpt-4"));
        Assert.False(budget.Counts(OfTeamC, "u-2", [], "gpt-4") || budget.Counts(OfTeamC, null, [], "gpt-4"));
    }

    [Fact]
    public void Targets_are_looked_at_when_one_is_chosen()
    {
        var budget = Shared(new BudgetShare { Owners = ["team/a"], Targets = ["provider/openai", "deployment/d-1"] });

        Assert.True(budget.HangsOnTarget && budget.CountsTarget("openai", "x") && budget.CountsTarget("azure", "d-1"));
        Assert.False(budget.CountsTarget("azure", "x"));
    }

    private static SharedBudget Shared(BudgetShare share) => new(share, null!);
}
