using Gateway.Metering.Partitions;
using Gateway.Metering.Schema;
using Gateway.ServiceDefaults;
using MassTransit;
using Microsoft.Extensions.Options;

namespace Gateway.Metering.Ingest;

internal static class IngestRegistration
{
    /// <summary>The database with its schema and days, and the consumer that fills it.</summary>
    public static WebApplicationBuilder AddIngest(this WebApplicationBuilder builder)
    {
        builder.AddNpgsqlDataSource("metering", configureDataSourceBuilder: Database.KeepSessions);
        builder.Services.AddOptions<MeteringOptions>().BindConfiguration(MeteringOptions.Section).ValidateDataAnnotations().ValidateOnStart();
        builder.Services.AddSingleton<MeteringMetrics>();
        builder.Services.AddSingleton<SchemaReady>().AddHostedService(services => services.GetRequiredService<SchemaReady>());
        builder.Services.AddSingleton<DayPartitions>();
        builder.Services.AddSingleton<RetentionJob>().AddHostedService(services => services.GetRequiredService<RetentionJob>());
        builder.Services.AddSingleton<Names>();
        builder.Services.AddSingleton<UsageStore>();
        builder.Services.AddSingleton<RejectedRecords>();
        builder.Services.AddSingleton<UsageWriter>().AddHostedService(services => services.GetRequiredService<UsageWriter>());
        // A message that waits for the database would hold up the process's end until it is killed. Cancelled before that, it goes back to the
        // queue; a write that is under way has this long to finish.
        builder.Services.Configure<MassTransitHostOptions>(options => options.ConsumerStopTimeout = TimeSpan.FromSeconds(3));
        return builder.AddMessaging(
            bus => bus.AddConsumer<UsageConsumer>(),
            (context, rabbit) => rabbit.ReceiveEndpoint(Messaging.MeteringQueue, endpoint =>
            {
                var options = context.GetRequiredService<IOptions<MeteringOptions>>().Value;
                endpoint.Durable();
                endpoint.PrefetchCount = options.Prefetch;
                endpoint.ConfigureConsumer<UsageConsumer>(context);
            }));
    }
}
