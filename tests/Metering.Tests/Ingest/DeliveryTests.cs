using System.Text;
using Gateway.Contracts;
using Gateway.ServiceDefaults;
using Gateway.TestKit;
using MassTransit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using RabbitMQ.Client;

namespace Gateway.Metering.Tests.Ingest;

/// <summary>Messages over the real broker into the real database.</summary>
[Collection("metering")]
public sealed class DeliveryTests : IAsyncLifetime
{
    public async Task InitializeAsync()
    {
        // Another class's services may have left something behind.
        await using var connection = await ConnectAsync();
        foreach (var queue in (string[])["metering-usage", "metering-usage_error"])
        {
            await using var channel = await connection.CreateChannelAsync();
            try
            {
                await channel.QueuePurgeAsync(queue);
            }
            catch (RabbitMQ.Client.Exceptions.OperationInterruptedException)
            {
                // Not made yet.
            }
        }
    }

    public Task DisposeAsync() => Task.CompletedTask;

    [Fact]
    public async Task TenThousandRecords_EachDeliveredThreeTimes_InRandomOrder_ByTwoProcesses_CountOnce()
    {
        await using var host = await MeteringHost.StartAsync();
        await using var second = await MeteringHost.StartAsync(host.ConnectionString);
        var records = Sample.Many(10_000);
        var deliveries = Enumerable.Repeat(records, 3).SelectMany(all => all).ToArray();
        new Random(4).Shuffle(deliveries);

        await Task.WhenAll(deliveries.Chunk(500).Select(host.PublishAsync));
        // Both services are in this process, and either's metrics show what both did.
        await Until.TrueAsync(async () => await host.MetricAsync("gateway_metering_records_total") == deliveries.Length, "all deliveries are handled", 120);

        Assert.Equal(records.Count, await host.ScalarAsync<long>("select count(*) from usage_records"));
        Assert.Equal(records.Sum(record => record.Cost.NanoDollars), await host.ScalarAsync<long>("select sum(cost)::bigint from usage_records"));
        await RollupsAgreeAsync(host);
        Assert.Equal(records.Count, await host.ScalarAsync<long>("select sum(requests)::bigint from usage_daily"));
        Assert.Equal(records.Sum(record => record.Cost.NanoDollars), await host.ScalarAsync<long>("select sum(cost)::bigint from usage_daily"));
        Assert.Equal(
            records.Where(record => record.EndUser is not null).Sum(record => record.Cost.NanoDollars),
            await host.ScalarAsync<long>("select sum(cost)::bigint from usage_daily_end_users"));
        Assert.Equal(
            records.Sum(record => record.Tags.Length * record.Cost.NanoDollars), await host.ScalarAsync<long>("select sum(cost)::bigint from usage_daily_tags"));
    }

    [Fact]
    public async Task OneBadRecord_IsSetAside_AndTheOthersOfItsMessageAreStored()
    {
        await using var host = await MeteringHost.StartAsync();
        var before = await DepthAsync("metering-usage_error");
        var tooMuch = Sample.Record() with { Tokens = new() { Input = long.MaxValue, CachedInput = long.MaxValue } };
        var message = UsageMessages.Of([Sample.Record(), tooMuch, Sample.Record(), Sample.Record()]);
        var line = "{\"requestId\":\"not one\"}";
        await host.PublishAsync(message with { Records = [.. Encoding.UTF8.GetBytes(line + "\n"), .. message.Records] });

        await Until.TrueAsync(async () => await host.ScalarAsync<long>("select count(*) from usage_records") == 3, "the good ones are stored");
        await Until.TrueAsync(async () => await host.ScalarAsync<long>("select count(*) from rejected_records") == 2, "the bad ones are set aside");
        Assert.Equal(line, Encoding.UTF8.GetString(await host.ScalarAsync<byte[]>("select record from rejected_records where reason = 'not_a_record'")));
        Assert.Equal(1, await host.ScalarAsync<long>("select count(*) from rejected_records where reason = '22003'"));
        await Until.TrueAsync(async () => await host.MetricAsync("gateway_metering_rejected_total") == 2, "they are counted");
        await DeliveryTests.RollupsAgreeAsync(host);
        Assert.Equal(before, await DepthAsync("metering-usage_error"));
    }

    [Fact]
    public async Task MessageThatCannotBeUnpacked_GoesToTheErrorQueue_AndOthersGoOn()
    {
        await using var host = await MeteringHost.StartAsync();
        var before = await DepthAsync("metering-usage_error");
        await host.PublishAsync([Sample.Record()]);
        await host.PublishAsync(new UsageRecorded { EdgeId = "edge-1", Count = 1, Records = [1, 2, 3], Packing = UsageBatch.Zlib });
        await host.PublishAsync([Sample.Record()]);

        await Until.TrueAsync(async () => await host.ScalarAsync<long>("select count(*) from usage_records") == 2, "the good ones are stored");
        await Until.TrueAsync(async () => await DepthAsync("metering-usage_error") == before + 1, "the bad one is on the error queue");
        await Until.TrueAsync(async () => await host.MetricAsync("gateway_metering_poisoned_total") == 1, "it is counted");
    }

    [Fact]
    public async Task RecordThatCannotEvenBeSetAside_GoesToTheErrorQueue_AndNoTextQuotesIt()
    {
        await using var host = await MeteringHost.StartAsync();
        var before = await DepthAsync("metering-usage_error");
        await host.ExecuteAsync("alter table rejected_records add check (edge_id <> 'a-secret-name')");
        await host.PublishAsync(new UsageRecorded { EdgeId = "a-secret-name", Count = 1, Records = Encoding.UTF8.GetBytes("{\"requestId\":\"not one\"}\n") });

        await Until.TrueAsync(async () => await DepthAsync("metering-usage_error") == before + 1, "it is on the error queue");
        await Until.TrueAsync(async () => await host.MetricAsync("gateway_metering_poisoned_total") == 1, "it is counted");
        await using var connection = await ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        var message = await channel.BasicGetAsync("metering-usage_error", autoAck: true);
        var headers = message!.BasicProperties.Headers!.Values.OfType<byte[]>().Select(Encoding.UTF8.GetString).ToList();
        Assert.Contains(headers, static header => header.Contains("could not be stored: 23514", StringComparison.Ordinal));
        Assert.DoesNotContain(headers, static header => header.Contains("a-secret-name", StringComparison.Ordinal));
    }

    [Fact]
    public async Task DatabaseAway_MessagesWait_AreNotGivenUp_AndAreStoredByTheNextProcess()
    {
        var before = await DepthAsync("metering-usage_error");
        await using var server = await Servers.NewPostgresAsync("metering");
        var record = Sample.Record();
        var host = await MeteringHost.StartAsync(server.ConnectionStringOf("metering"));
        await server.StopAsync();
        await host.PublishAsync([record]);
        await Until.TrueAsync(async () => await host.MetricAsync("gateway_metering_retries") > 0, "the write is tried again");
        // A good answer of the health check is good for some seconds.
        await Until.TrueAsync(async () => (await host.GetAsync("/health/ready")).StatusCode == System.Net.HttpStatusCode.ServiceUnavailable, "the service is not ready");
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, (await host.GetAsync("/spend/logs", MeteringHost.Admin)).StatusCode);

        // The process ends while the message is in its hands.
        await host.DisposeAsync();
        await server.StartAsync();
        await using var next = await MeteringHost.StartAsync(server.ConnectionStringOf("metering"));
        await Until.TrueAsync(async () => await next.ScalarAsync<long>("select count(*) from usage_records") == 1, "the record is stored");
        Assert.Equal(before, await DepthAsync("metering-usage_error"));
    }

    [Fact]
    public async Task ServiceStartsWithoutItsDatabase_AndStoresWhenItComes()
    {
        var server = await Servers.NewPostgresAsync("metering");
        await using var _ = server;
        await server.StopAsync();
        await using var host = await MeteringHost.StartAsync(server.ConnectionStringOf("metering"), ready: false);
        await Until.TrueAsync(async () => (await host.GetAsync("/health/live")).IsSuccessStatusCode, "the process is up");
        await host.PublishAsync([Sample.Record()]);
        await server.StartAsync();
        await Until.TrueAsync(
            async () =>
            {
                try
                {
                    return await host.ScalarAsync<long>("select count(*) from usage_records") == 1;
                }
                catch (Npgsql.NpgsqlException)
                {
                    return false;
                }
            },
            "the record is stored");
    }

    [Fact]
    public async Task SentToANewBroker_BeforeTheServiceWasEverStarted_IsStored()
    {
        await using var rabbit = await Servers.NewRabbitMqAsync();
        var builder = Host.CreateApplicationBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?> { ["ConnectionStrings:rabbit"] = rabbit.ConnectionString });
        builder.AddMessaging(endpoints: (_, bus) => bus.BindUsageQueues());
        using var edge = builder.Build();
        await edge.StartAsync();
        await edge.Services.GetRequiredService<IBus>().Publish(UsageMessages.Of([Sample.Record()]), sending => sending.Mandatory = true);
        await edge.StopAsync();

        await using var host = await MeteringHost.StartAsync(settings: new() { ["ConnectionStrings:rabbit"] = rabbit.ConnectionString });
        await Until.TrueAsync(async () => await host.ScalarAsync<long>("select count(*) from usage_records") == 1, "the record is stored");
    }

    internal static async Task RollupsAgreeAsync(MeteringHost host)
    {
        // Both directions: no roll-up row that the records do not give, and none missing.
        const string fromRecords = """
            select (started_at at time zone 'UTC')::date as day, key_no, alias_no, user_no, team_no, organization_no, model_no, provider_no, provider_model_no,
                count(*) as requests, count(*) filter (where outcome <> 0 or status >= 400) as failed, sum(cost)::bigint as cost,
                sum(input + coalesce(cached_input, 0) + coalesce(cache_write_5m, 0) + coalesce(cache_write_1h, 0) + coalesce(input_audio, 0))::bigint as prompt,
                sum(output + coalesce(reasoning, 0) + coalesce(output_audio, 0))::bigint as completion,
                sum(coalesce(cached_input, 0))::bigint as cached, sum(coalesce(reasoning, 0))::bigint as reasoning, sum(duration_us)::bigint as duration
            from usage_records group by 1, 2, 3, 4, 5, 6, 7, 8, 9
            """;
        const string fromRollup = """
            select day, key_no, alias_no, user_no, team_no, organization_no, model_no, provider_no, provider_model_no,
                requests, failed, cost, prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, duration_us from usage_daily
            """;
        Assert.Equal(0, await host.ScalarAsync<long>($"select count(*) from (({fromRecords}) except ({fromRollup})) d"));
        Assert.Equal(0, await host.ScalarAsync<long>($"select count(*) from (({fromRollup}) except ({fromRecords})) d"));
    }

    private static async Task<uint> DepthAsync(string queue)
    {
        await using var connection = await ConnectAsync();
        await using var channel = await connection.CreateChannelAsync();
        try
        {
            return (await channel.QueueDeclarePassiveAsync(queue)).MessageCount;
        }
        catch (RabbitMQ.Client.Exceptions.OperationInterruptedException)
        {
            // No such queue: nothing was ever given up.
            return 0;
        }
    }

    private static async Task<IConnection> ConnectAsync() =>
        await new ConnectionFactory { Uri = new Uri((await Servers.Shared.RabbitMqAsync()).ConnectionString) }.CreateConnectionAsync();
}
