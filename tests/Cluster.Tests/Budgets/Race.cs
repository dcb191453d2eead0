using Gateway.Cluster.Tests.Calls;

namespace Gateway.Cluster.Tests.Budgets;

/// <summary>Many calls at once.</summary>
internal static class Race
{
    public static Task<Answer[]> ChatAsync(TeamClient team, string model, int calls, string text, int? maxTokens = null) =>
        Task.WhenAll(Enumerable.Range(0, calls).Select(_ => team.ChatAsync(model, text, maxTokens)));

    /// <summary>The answers that were given; all others must be refusals of the budget.</summary>
    public static IReadOnlyList<Answer> Answered(IEnumerable<Answer> answers)
    {
        var groups = answers.ToLookup(static answer => answer.Status == 200);
        Assert.All(groups[false], static answer => answer.IsError(429, "budget_exceeded"));
        return [.. groups[true]];
    }
}
