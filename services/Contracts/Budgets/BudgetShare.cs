namespace Gateway.Contracts;

/// <summary>
/// Whose requests a shared budget counts (<c>shared/…</c>): those of one of <see cref="Owners"/>, to one of <see cref="Models"/>, with every one
/// of <see cref="Tags"/>, answered by one of <see cref="Targets"/>. A list that is empty bounds nothing.
/// </summary>
public sealed record BudgetShare
{
    /// <summary>Organizations, teams, users, keys and end users, as <see cref="BudgetId"/> names them: any of them.</summary>
    public string[] Owners { get; init; } = [];

    /// <summary>Public names or patterns: any of them.</summary>
    public string[] Models { get; init; } = [];

    /// <summary>Tags: all of them.</summary>
    public string[] Tags { get; init; } = [];

    /// <summary>Providers and deployments, as <see cref="BudgetId"/> names them: any of them.</summary>
    public string[] Targets { get; init; } = [];

    /// <summary>Whether it bounds anything: a budget that no list names counts nobody's requests.</summary>
    public bool NamesSomebody() => Owners.Length + Models.Length + Tags.Length + Targets.Length > 0;

    /// <summary>Whether a request with these tags has all that the budget asks for.</summary>
    public bool CoversTags(string[] tags) => Tags.Length == 0 || Array.TrueForAll(Tags, tag => tags.Contains(tag, StringComparer.Ordinal));

    /// <summary>Whether one of the owners is among those named.</summary>
    public bool CoversOwner(IEnumerable<string> owners) => Owners.Length == 0 || owners.Any(owner => Owners.Contains(owner, StringComparer.Ordinal));
}
