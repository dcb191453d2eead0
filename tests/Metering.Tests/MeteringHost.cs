using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Metering.Ingest;
using Gateway.Metering.Reconciliation;
using Gateway.Metering.Reports;
using Gateway.ServiceDefaults;
using Gateway.TestKit;
using MassTransit;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Gateway.Metering.Tests;

/// <summary>Everything here talks to one broker and its one queue, so the classes take turns.</summary>
[CollectionDefinition("metering", DisableParallelization = true)]
public sealed class MeteringDefinition : ICollectionFixture<Servers>;

/// <summary>The service as it runs, over real servers, with a database of its own.</summary>
internal sealed class MeteringHost : IAsyncDisposable
{
    public const string Secret = "a secret of the tests, long enough";

    private readonly HttpClient http = new();

    private MeteringHost(WebApplication app, string database)
    {
        App = app;
        Database = NpgsqlDataSource.Create(database);
        ConnectionString = database;
        http.BaseAddress = new Uri(app.Urls.First());
    }

    public WebApplication App { get; }

    public string ConnectionString { get; }

    public NpgsqlDataSource Database { get; }

    public Names Names => App.Services.GetRequiredService<Names>();

    public UsageStore Store => App.Services.GetRequiredService<UsageStore>();

    public static AccessSnapshot Admin { get; } = new() { KeyId = new string('a', 64), Role = CallerRole.ProxyAdmin };

    public static async Task<MeteringHost> StartAsync(
        string? database = null, Dictionary<string, string?>? settings = null, Action<IServiceCollection>? services = null, bool ready = true)
    {
        database ??= await Servers.Shared.NewDatabaseAsync("metering");
        var builder = WebApplication.CreateSlimBuilder();
        builder.Configuration.AddInMemoryCollection(new Dictionary<string, string?>
        {
            ["ConnectionStrings:metering"] = database,
            ["ConnectionStrings:rabbit"] = (await Servers.Shared.RabbitMqAsync()).ConnectionString,
            ["Gateway:ServiceSecret"] = Secret,
            ["services:auth:http:0"] = "http://127.0.0.1:9",
        });
        builder.Configuration.AddInMemoryCollection(settings ?? []);
        // MassTransit keeps a logger factory for the whole process: one host's end must not take it from the next.
        builder.Services.AddSingleton<ILoggerFactory>(NullLoggerFactory.Instance);
        builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
        builder.AddServiceDefaults();
        builder.AddIngest();
        builder.AddReports();
        services?.Invoke(builder.Services);
        var app = builder.Build();
        app.UseProblems();
        app.MapDefaultEndpoints();
        app.MapReports();
        app.MapReconciliation();
        await app.StartAsync();
        var host = new MeteringHost(app, database);
        if (ready)
        {
            await Until.TrueAsync(async () => (await host.http.GetAsync("/health/ready")).StatusCode == HttpStatusCode.OK, "the service is ready");
            await app.Services.GetRequiredService<Schema.SchemaReady>().WaitAsync(CancellationToken.None);
        }

        return host;
    }

    public Task PublishAsync(IReadOnlyCollection<UsageRecord> records) => PublishAsync(UsageMessages.Of(records));

    public Task PublishAsync(UsageRecorded message) => App.Services.GetRequiredService<IBus>().Publish(message);

    public async Task<HttpResponseMessage> GetAsync(string path, AccessSnapshot? caller = null, string? secret = Secret, HttpMethod? method = null)
    {
        using var request = new HttpRequestMessage(method ?? HttpMethod.Get, path);
        if (secret is not null)
        {
            request.Headers.Add(ServiceHeaders.Secret, secret);
        }

        if (caller is not null)
        {
            request.Headers.Add(ServiceHeaders.Caller, CallerIdentity.ToHeader(caller));
        }

        return await http.SendAsync(request);
    }

    /// <summary>The JSON of an answer that must be 200.</summary>
    public async Task<JsonNode> JsonAsync(string path, AccessSnapshot? caller = null)
    {
        using var response = await GetAsync(path, caller ?? Admin);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{path}: {(int)response.StatusCode} {text}");
        return JsonNode.Parse(text)!;
    }

    /// <summary>The sum of a metric's series, by the start of its name in Prometheus' format.</summary>
    public async Task<double> MetricAsync(string name)
    {
        using var response = await GetAsync("/metrics");
        return (await response.Content.ReadAsStringAsync()).Split('\n')
            .Where(line => line.StartsWith(name, StringComparison.Ordinal))
            .Sum(line => double.Parse(line.Split(' ')[1], System.Globalization.CultureInfo.InvariantCulture));
    }

    public async Task<T> ScalarAsync<T>(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return (T)(await command.ExecuteScalarAsync())!;
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        command.CommandTimeout = 300;
        await command.ExecuteNonQueryAsync();
    }

    public async ValueTask DisposeAsync()
    {
        await App.StopAsync();
        await App.DisposeAsync();
        await Database.DisposeAsync();
        http.Dispose();
    }
}

internal static class UsageMessages
{
    public static UsageRecorded Of(IReadOnlyCollection<UsageRecord> records) => new()
    {
        EdgeId = "edge-1",
        Count = records.Count,
        Records = [.. records.SelectMany(record => JsonSerializer.SerializeToUtf8Bytes(record, ContractsJson.Default.UsageRecord).Append((byte)'\n'))],
    };
}

internal static class Until
{
    /// <summary>Waits for a condition, not for a time.</summary>
    public static async Task TrueAsync(Func<Task<bool>> condition, string what, int seconds = 60)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        while (!await condition())
        {
            Assert.False(limit.IsCancellationRequested, $"Not within {seconds} s: {what}");
            await Task.Delay(20);
        }
    }
}
