using System.Diagnostics.Metrics;

namespace Gateway.Edge.Admission.Rates;

/// <summary>What the rate limits say of themselves.</summary>
internal sealed class RateMetrics
{
    private readonly Counter<long> commands;
    private readonly Counter<long> failures;
    private int scriptsForbidden;

    public RateMetrics(IMeterFactory meters)
    {
        var meter = meters.Create("Gateway.Edge");
        commands = meter.CreateCounter<long>("gateway.rate.commands", "{command}", "Calls to Redis for rate limits.");
        failures = meter.CreateCounter<long>("gateway.rate.command_failures", "{command}", "Calls to Redis for rate limits that failed or were too slow.");
        meter.CreateObservableGauge(
            "gateway.rate.scripts_forbidden",
            () => Volatile.Read(ref scriptsForbidden),
            description: "1 when Redis refuses scripts and plain transactions are used.");
    }

    public void Command() => commands.Add(1);

    public void CommandFailed() => failures.Add(1);

    public void ScriptsForbidden() => Volatile.Write(ref scriptsForbidden, 1);
}
