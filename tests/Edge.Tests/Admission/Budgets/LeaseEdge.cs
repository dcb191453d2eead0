using System.Diagnostics.Metrics;
using System.Net;
using System.Net.Http.Json;
using Gateway.Contracts;
using Gateway.Edge.Admission.Budgets;
using Gateway.Ledger.Leases;
using Gateway.TestKit;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using StackExchange.Redis;

namespace Gateway.Edge.Tests.Admission.Budgets;

/// <summary>The leases of one edge before a real Redis. Nothing ticks by itself; Ledger opens windows as it does, and books nothing.</summary>
internal sealed class LeaseEdge : HttpMessageHandler
{
    private static int s_count;
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();
    private readonly ConnectionMultiplexer redis;
    private readonly HttpClient http;

    private LeaseEdge(ConnectionMultiplexer redis, BudgetOptions options)
    {
        this.redis = redis;
        http = new HttpClient(this, disposeHandler: false) { BaseAddress = new Uri("http://ledger") };
        Identity = new EdgeIdentity(new ConfigurationBuilder().Build());
        var metrics = new EdgeMetrics(services.GetRequiredService<IMeterFactory>());
        Leases = new BudgetLeases(
            new LeaseStore(redis, Identity, metrics), new LedgerClient(http), Identity, Options.Create(options), new EdgeLog(NullLogger<EdgeLog>.Instance), TimeProvider.System);
    }

    public EdgeIdentity Identity { get; }

    public BudgetLeases Leases { get; }

    public static async Task<LeaseEdge> StartAsync(BudgetOptions options) =>
        new(await ConnectionMultiplexer.ConnectAsync((await Servers.Shared.RedisAsync()).ConnectionString), options);

    public static BudgetDefinition NewBudget(long limit) =>
        new() { Id = $"end_user/{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}", Limit = new Money(limit), Revision = 1 };

    public BudgetSlot Slot(BudgetDefinition definition) => new(definition, Leases, TimeProvider.System);

    /// <summary>A request: reserved, and charged what it reserved. False when it was refused.</summary>
    public static async Task<bool> SpendAsync(BudgetSlot slot, long amount)
    {
        var ticket = new BudgetTicket();
        if (ticket.TryReserve([slot], amount) == 0 && await ticket.ReserveAsync([slot], 0, () => new CostEstimate(amount, amount, Learned: true)) is not null)
        {
            return false;
        }

        ticket.Settle(new Money(amount));
        return true;
    }

    /// <summary>What Redis has granted this edge of a budget without a period, and what that said that it had charged.</summary>
    public async Task<(long Granted, long Charged)> InRedisAsync(BudgetDefinition definition)
    {
        var fields = await redis.GetDatabase().HashGetAsync(LeaseScript.KeyOf(definition.Id), [$"g:{Identity.EdgeId}", $"c:{Identity.EdgeId}"]);
        return ((long)fields[0], (long)fields[1]);
    }

    protected override void Dispose(bool disposing)
    {
        http.Dispose();
        redis.Dispose();
        services.Dispose();
        base.Dispose(disposing);
    }

    protected override async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        var ensure = await request.Content!.ReadFromJsonAsync(ContractsJson.Default.EnsureBudgets, cancellationToken);
        var run = (string?)await redis.GetDatabase().ScriptEvaluateAsync("return string.match(redis.call('INFO', 'server'), 'run_id:(%x+)')");
        foreach (var budget in ensure!.Budgets)
        {
            await redis.GetDatabase().HashSetAsync(
                LeaseScript.KeyOf(budget.Window.Id),
                [
                    new("limit", budget.Definition.Limit.NanoDollars), new("revision", budget.Definition.Revision), new("limit_until", 0), new("limit_after", 0), new("spent", 0),
                    new("spent_version", 0), new("leased", 0), new("edges", 0), new("run", run), new("open_at", 0),
                ]);
        }

        return new(HttpStatusCode.OK) { Content = JsonContent.Create(new EnsuredBudgets([]), ContractsJson.Default.EnsuredBudgets) };
    }
}
