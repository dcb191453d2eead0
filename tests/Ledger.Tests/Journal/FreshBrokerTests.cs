using System.Text.Json;
using Gateway.Contracts;
using Gateway.ServiceDefaults;
using Gateway.TestKit;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RabbitMQ.Client;

namespace Gateway.Ledger.Tests.Journal;

[Collection(LedgerTurns.Name)]
public sealed class FreshBrokerTests
{
    [Fact]
    public async Task What_an_edge_sends_to_a_new_broker_is_there_for_Ledger_and_Metering_when_they_are_started()
    {
        await using var rabbit = await Servers.NewRabbitMqAsync();
        using var edge = Edge(rabbit.ConnectionString, bus => bus.BindUsageQueues());
        await edge.StartAsync();
        await PublishAsync(edge, Build.Record(7));
        Assert.Equal((1u, 1u), (await DepthAsync(rabbit.ConnectionString, Messaging.LedgerQueue), await DepthAsync(rabbit.ConnectionString, Messaging.MeteringQueue)));

        await using (var ledger = await LedgerHost.StartAsync(rabbit: rabbit.ConnectionString))
        {
            await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from journal.entries") == 1, "booked");
        }

        // Ledger has bound its queue, too, in its own way: that is no second copy.
        await PublishAsync(edge, Build.Record(8));
        await edge.StopAsync();
        Assert.Equal((1u, 2u), (await DepthAsync(rabbit.ConnectionString, Messaging.LedgerQueue), await DepthAsync(rabbit.ConnectionString, Messaging.MeteringQueue)));
    }

    [Fact]
    public async Task What_no_queue_takes_is_not_confirmed()
    {
        await using var rabbit = await Servers.NewRabbitMqAsync();
        using var edge = Edge(rabbit.ConnectionString, _ => { });
        await edge.StartAsync();
        await Assert.ThrowsAnyAsync<Exception>(() => PublishAsync(edge, Build.Record(7)));
        await edge.StopAsync();
    }

    // As the edge's Program and its SpoolPublisher do it.
    private static IHost Edge(string rabbit, Action<IRabbitMqBusFactoryConfigurator> queues)
    {
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:rabbit"] = rabbit });
        builder.AddMessaging(endpoints: (_, bus) => queues(bus));
        return builder.Build();
    }

    private static Task PublishAsync(IHost edge, UsageRecord record)
    {
        var lines = JsonSerializer.SerializeToUtf8Bytes(record, ContractsJson.Default.UsageRecord);
        return edge.Services.GetRequiredService<IBus>().Publish(new UsageRecorded { EdgeId = "edge-1", Count = 1, Records = lines }, sending => sending.Mandatory = true);
    }

    private static async Task<uint> DepthAsync(string rabbit, string queue)
    {
        await using var connection = await new ConnectionFactory { Uri = new Uri(rabbit) }.CreateConnectionAsync();
        await using var channel = await connection.CreateChannelAsync();
        return (await channel.QueueDeclarePassiveAsync(queue)).MessageCount;
    }
}
