using Gateway.Ledger.Edges;
using Gateway.ServiceDefaults;
using MassTransit;
using Microsoft.Extensions.Options;

namespace Gateway.Ledger.Journal;

/// <summary>The truth about money: what was used, by whom, owed to whom.</summary>
internal static class Journal
{
    public static WebApplicationBuilder AddJournal(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<JournalRole>();
        builder.Services.AddSingleton<JournalWriter>();
        builder.Services.AddSingleton<Partitions>();
        builder.Services.AddSingleton<RejectedRecords>();
        builder.Services.AddSingleton<WritePatience>();
        builder.Services.AddSingleton<MessagesUnderWay>();
        builder.Services.AddSingleton<JournalRetention>();
        builder.Services.AddHostedService(services => services.GetRequiredService<JournalRetention>());
        builder.Services.AddSingleton<Posting>();
        builder.Services.AddHostedService(services => services.GetRequiredService<Posting>());
        builder.AddMessaging(
            bus =>
            {
                bus.AddConsumer<UsageConsumer>();
                bus.AddConsumer<EdgeClosedConsumer>();
            },
            (context, rabbit) => rabbit.ReceiveEndpoint(Messaging.LedgerQueue, endpoint =>
            {
                endpoint.Durable();
                endpoint.PrefetchCount = context.GetRequiredService<IOptions<LedgerOptions>>().Value.Prefetch;
                // The writer waits by itself while the database is away; these retries are for what nobody foresaw. Then: ledger-usage_error.
                endpoint.UseMessageRetry(retry => retry.Exponential(5, TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(10), TimeSpan.FromMilliseconds(500)));
                endpoint.ConfigureConsumer<UsageConsumer>(context);
                endpoint.ConfigureConsumer<EdgeClosedConsumer>(context);
            }));
        return builder;
    }
}
