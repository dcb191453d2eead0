namespace Gateway.Cluster.Tests.Books;

/// <summary>How a request ended, as the rows number it.</summary>
internal enum Outcome
{
    Completed = 0,
    ClientClosed = 1,
    UpstreamCut = 2,
    Failed = 3,
    BudgetExhausted = 4,
}

/// <summary>A row of Metering's table.</summary>
internal sealed record UsageRow(
    long Cost, long Input, long Output, int Status, Outcome Outcome, bool Streamed, bool Estimated, string? FailedAttempts, string Model, string DeploymentId);
