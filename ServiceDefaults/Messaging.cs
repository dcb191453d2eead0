using Gateway.Contracts;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Gateway.ServiceDefaults;

/// <summary>RabbitMQ through MassTransit: durable quorum queues, publisher confirms.</summary>
public static class Messaging
{
    /// <summary>
    /// Connects to <c>ConnectionStrings:rabbit</c>. A publish returns when the broker has confirmed it. The host does not wait for the broker
    /// at its start: a service is up without it, and its readiness says so.
    /// </summary>
    /// <param name="builder">The service.</param>
    /// <param name="consumers">Registers the consumers.</param>
    /// <param name="endpoints">Names the queues: <c>configurator.ReceiveEndpoint("ledger-usage", …)</c>; start from <see cref="Durable"/>.</param>
    public static TBuilder AddMessaging<TBuilder>(
        this TBuilder builder,
        Action<IBusRegistrationConfigurator>? consumers = null,
        Action<IBusRegistrationContext, IRabbitMqBusFactoryConfigurator>? endpoints = null)
        where TBuilder : IHostApplicationBuilder
    {
        builder.Services.AddMassTransit(bus =>
        {
            bus.DisableUsageTelemetry();
            consumers?.Invoke(bus);
            bus.UsingRabbitMq((context, rabbit) =>
            {
                var connection = builder.Configuration.GetConnectionString("rabbit") ?? throw new InvalidOperationException(
                    "ConnectionStrings:rabbit (environment ConnectionStrings__rabbit) is missing. Give it as amqp://user:password@host:port; AppHost does that by itself.");
                rabbit.Host(new Uri(connection), host => host.PublisherConfirmation = true);
                endpoints?.Invoke(context, rabbit);
            });
        });
        builder.Services.Configure<MassTransitHostOptions>(options =>
        {
            options.WaitUntilStarted = false;
            options.StopTimeout = TimeSpan.FromSeconds(10);
            // A message that waits for its database goes back to the queue when the process ends, and not with it.
            options.ConsumerStopTimeout = TimeSpan.FromSeconds(3);
        });
        return builder;
    }

    /// <summary>The queue of Ledger: <see cref="UsageRecorded"/> to be booked, <see cref="EdgeClosed"/>.</summary>
    public const string LedgerQueue = "ledger-usage";

    /// <summary>The queue of Metering: <see cref="UsageRecorded"/> to be stored.</summary>
    public const string MeteringQueue = "metering-usage";

    /// <summary>
    /// Whoever publishes <see cref="UsageRecorded"/> makes the queues of its readers, too, as <see cref="Durable"/> makes them: a broker
    /// confirms, and throws away, what no queue takes, and on a new one a reader that was never started has none.
    /// </summary>
    public static void BindUsageQueues(this IRabbitMqBusFactoryConfigurator rabbit) => rabbit.Publish<UsageRecorded>(usage =>
    {
        foreach (var queue in (string[])[LedgerQueue, MeteringQueue])
        {
            // To the message's own exchange. The reader binds it a second time, through an exchange of its queue's name: a queue gets one copy.
            usage.BindQueue(usage.Exchange.ExchangeName, queue, bound => bound.SetQuorumQueue());
        }
    });

    /// <summary>A queue that survives a broker's restart and the loss of a broker of a cluster.</summary>
    public static void Durable(this IRabbitMqReceiveEndpointConfigurator endpoint)
    {
        endpoint.SetQuorumQueue();
        endpoint.Durable = true;
        // The topology of errors stays MassTransit's: what cannot be handled goes to <queue>_error, and nothing is dropped.
        endpoint.ConfigureConsumeTopology = true;
    }
}
