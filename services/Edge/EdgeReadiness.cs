using Gateway.Edge.Admission.Access;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Metering;
using Gateway.Edge.Routing;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using StackExchange.Redis;

namespace Gateway.Edge;

/// <summary>
/// Ready when, and only when, a chat completion would be answered: a configuration is in force, Auth was heard of late enough, it is known
/// which budgets there are (from Ledger, or from an earlier start), and usage can be recorded. RabbitMQ, Ledger and Metering do not count
/// otherwise: without them requests are served all the same. Without Redis they are served while leases last: that is said (degraded), and
/// no reason to take an edge out of its balancer.
/// </summary>
internal sealed class EdgeReadiness(RoutingTables tables, AccessChanges changes, KeyCache keys, DefinedBudgets budgets, Spool spool, IConnectionMultiplexer redis) : IHealthCheck
{
    private volatile bool connectedOnce;

    public Task<HealthCheckResult> CheckHealthAsync(HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        connectedOnce |= changes.Connected;
        var problem = tables.Loaded is null ? "no configuration is in force"
            : !connectedOnce ? "Auth was not reached yet"
            : !keys.Believable ? "Auth was not heard for too long"
            : !budgets.Known ? "Ledger has not said yet which budgets there are"
            : spool.Full ? "the spool is full"
            : null;
        return Task.FromResult(problem is not null ? new HealthCheckResult(context.Registration.FailureStatus, problem)
            : redis.IsConnected ? HealthCheckResult.Healthy()
            : HealthCheckResult.Degraded("Redis does not answer: requests are served while leases last"));
    }
}
