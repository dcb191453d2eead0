namespace Gateway.Ledger.Tests.Leases;

/// <summary>An edge of <see cref="LeaseModel"/>, as it sees itself.</summary>
internal sealed class ModelEdge
{
    public bool Alive { get; set; } = true;

    public bool MustAsk { get; set; }

    public long Granted { get; set; }

    public long Charged { get; set; }

    public long Booked { get; set; }

    public long Room => Math.Max(0, Granted - Charged);
}
