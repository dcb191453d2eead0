using System.Runtime.CompilerServices;
using BenchmarkDotNet.Attributes;
using Gateway.Contracts;
using Gateway.Edge;
using Gateway.Edge.Admission.Budgets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Bench.Micro;

/// <summary>The warm path of a budget: taken from the lease and settled, with no word to Redis.</summary>
public class LeaseBenchmarks
{
    private const long Amount = 1_000_000;

    private readonly BudgetLease lease = new(
        new BudgetWindow("user/bench", null, null, null),
        new BudgetDefinition { Id = "user/bench", Limit = new Money(long.MaxValue) },
        store: null!,
        ledger: null!,
        new EdgeIdentity(new ConfigurationBuilder().Build()),
        new BudgetOptions(),
        new EdgeLog(NullLogger<EdgeLog>.Instance),
        TimeProvider.System,
        default(LeaseTotals));

    [GlobalSetup]
    public void Prepare()
    {
        // As after a contact with Redis that granted more than can be used here.
        var room = RoomOf(lease);
        room.Add(long.MaxValue / 2);
        room.FreshUntil = long.MaxValue;
    }

    [Benchmark]
    public bool ReserveAndSettle()
    {
        var taken = lease.TryReserve(Amount);
        lease.Settle(Amount, 0);
        return taken;
    }

    [UnsafeAccessor(UnsafeAccessorKind.Field, Name = "room")]
    private static extern ref LeaseRoom RoomOf(BudgetLease lease);
}
