using Gateway.Contracts;

namespace Gateway.Ledger.Tests;

/// <summary>Makes what tests need, with names that no other test has.</summary>
internal static class Build
{
    public static string NewId(string scope = "user") => BudgetId.Of(scope, Guid.NewGuid().ToString("N")[..12]);

    public static UsageRecord Record(long cost, string? edge = null, string? user = null, params string[] windows) => new()
    {
        RequestId = Guid.CreateVersion7(),
        StartedAt = DateTimeOffset.UtcNow,
        EdgeId = edge ?? "edge-1",
        CallType = "chat_completion",
        KeyId = "k1",
        UserId = user ?? "u1",
        TeamId = "t1",
        OrganizationId = "o1",
        Model = "gpt-4",
        DeploymentId = "d1",
        Provider = "openai",
        ProviderModel = "gpt-4",
        Cost = new(cost),
        BudgetWindows = windows,
    };

    public static EnsureBudget Ensure(string id, long limit, long granted = 0, string? period = null, long revision = 1)
    {
        var definition = new BudgetDefinition { Id = id, Limit = new(limit), Period = period, Revision = revision };
        return new(definition, definition.WindowAt(DateTimeOffset.UtcNow), new(granted));
    }
}
