using Gateway.Contracts;
using Gateway.ServiceDefaults;
using Microsoft.Extensions.Options;

namespace Gateway.Metering.Ingest;

/// <summary>Stores the records of several messages in one transaction. One that fails is tried message by message, and each consumer decides about its own.</summary>
internal sealed class UsageWriter(UsageStore store, IOptions<MeteringOptions> options, TimeProvider clock)
    : GroupWriter<UsageRecord>(options.Value.RowsMaxPerTransaction, options.Value.Prefetch, options.Value.GatherFor, clock)
{
    protected override Task WriteGroupAsync(IReadOnlyList<UsageRecord> items, CancellationToken cancellation) => store.WriteAsync(items, cancellation);
}
