using Gateway.Contracts;

namespace Gateway.Metering.Tests;

/// <summary>Records for tests.</summary>
internal static class Sample
{
    public static readonly DateTimeOffset Noon = new(DateTimeOffset.UtcNow.UtcDateTime.Date.AddDays(-1).AddHours(12), TimeSpan.Zero);

    public static string Key(int number) => number.ToString("x64", null);

    public static UsageRecord Record(
        DateTimeOffset? at = null, string? key = null, string? user = "alice", string? team = "payments", string model = "gpt-4",
        long cost = 1_500_000, string? endUser = null, string[]? tags = null, UsageOutcome outcome = UsageOutcome.Completed, int status = 200,
        string provider = "openai", Guid? id = null, string? organization = "acme") => new()
        {
            RequestId = id ?? Guid.CreateVersion7(at ?? Noon),
            StartedAt = at ?? Noon,
            DurationMicroseconds = 2_000_000,
            FirstByteMicroseconds = 400_000,
            EdgeId = "edge-1",
            CallType = "chat_completion",
            KeyId = key ?? Key(1),
            KeyAlias = "ci",
            UserId = user,
            TeamId = team,
            OrganizationId = organization,
            EndUser = endUser,
            Tags = tags ?? [],
            Model = model,
            DeploymentId = $"{model}-eu",
            Provider = provider,
            ProviderModel = $"{model}-0613",
            Status = status,
            Outcome = outcome,
            Tokens = new TokenUsage { Input = 10, CachedInput = 5, Output = 7, Reasoning = 3 },
            Cost = new Money(cost),
            Price = "openai/gpt-4@2026-11 input=30 output=60",
            BudgetWindows = [$"key/{key ?? Key(1)}", $"user/{user}"],
        };

    /// <summary>Many records of many keys, models and tags over three days, the same for the same seed.</summary>
    public static List<UsageRecord> Many(int count, int seed = 17)
    {
        var random = new Random(seed);
        return [.. Enumerable.Range(0, count).Select(_ => Record(
            at: Noon.AddDays(-random.Next(3)).AddMicroseconds(random.NextInt64(1, 3_600_000_000)),
            key: Key(random.Next(1, 20)), user: $"user-{random.Next(6)}", team: random.Next(4) == 0 ? null : $"team-{random.Next(3)}",
            model: random.Next(2) == 0 ? "gpt-4" : "claude-2", cost: random.NextInt64(0, 50_000_000_000),
            endUser: random.Next(3) == 0 ? $"end-{random.Next(50)}" : null,
            tags: random.Next(2) == 0 ? [$"tag-{random.Next(4)}", "env=dev"] : null,
            outcome: (UsageOutcome)random.Next(5)))];
    }
}
