using System.Net;
using System.Net.Http.Json;
using Gateway.Contracts;
using Gateway.Edge.Admission.Budgets;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Gateway.Edge.Tests.Admission.Budgets;

/// <summary>Which budgets an edge knows of: as Ledger says, and over a start without Ledger as it said last.</summary>
public sealed class DefinedBudgetsTests : HttpMessageHandler
{
    private static readonly BudgetDefinition Gateway = new() { Id = BudgetId.Gateway, Limit = new Money(1_000), Revision = 1 };
    private readonly string folder = Directory.CreateTempSubdirectory("budgets-").FullName;
    private BudgetDefinition[]? said;
    private int asked;

    [Fact]
    public async Task Without_a_word_of_Ledger_nothing_is_known_and_with_it_all_is()
    {
        using var edge = await StartAsync();
        await AskedAgainAsync();
        Assert.False(edge.Known);

        said = [];
        await Rates.RateEdge.UntilAsync(() => Task.FromResult(edge.Known));
    }

    [Fact]
    public async Task A_start_without_Ledger_goes_on_with_what_was_known()
    {
        said = [Gateway];
        using (var before = await StartAsync())
        {
            await Rates.RateEdge.UntilAsync(() => Task.FromResult(before.Known));
            said = [Gateway with { Revision = 2 }, Gateway with { Id = "tag/env=dev" }];
            await Rates.RateEdge.UntilAsync(() => Task.FromResult(new KnownBudgets(Identity()).Read() is [_, _]));
        }

        said = null;
        using var after = await StartAsync();
        Assert.True(after.Known);
        Assert.Equal([2, 1], after.Definitions.Select(static definition => definition.Revision));
        Assert.Single(Directory.GetFiles(folder));
    }

    [Fact]
    public async Task A_file_that_is_damaged_is_as_good_as_none()
    {
        await File.WriteAllTextAsync(new KnownBudgets(Identity()).Path, "[{\"id\":\"gateway/all\"");
        using var edge = await StartAsync();
        Assert.False(edge.Known);
    }

    [Theory]
    [InlineData("gateway/all")]
    [InlineData("end_user/*")]
    public async Task A_time_zone_that_this_machine_does_not_know_ends_no_edge_and_changes_nothing(string id)
    {
        said = [Gateway];
        using var edge = await StartAsync();
        await Rates.RateEdge.UntilAsync(() => Task.FromResult(edge.Known));

        said = [Gateway with { Id = id, Period = "1d", TimeZone = "Mars/Olympus", Revision = 2 }];
        await AskedAgainAsync();
        Assert.Equal([Gateway], edge.Definitions);

        said = [Gateway with { Revision = 3 }];
        await Rates.RateEdge.UntilAsync(() => Task.FromResult(edge.Definitions[0].Revision == 3));
    }

    protected override void Dispose(bool disposing)
    {
        Directory.Delete(folder, recursive: true);
        base.Dispose(disposing);
    }

    protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Interlocked.Increment(ref asked);
        return said is { } definitions
            ? Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = JsonContent.Create(definitions, ContractsJson.Default.BudgetDefinitionArray) })
            : throw new HttpRequestException("Ledger is away.");
    }

    private Task AskedAgainAsync()
    {
        var before = Volatile.Read(ref asked);
        // The second one is asked for when the first was dealt with.
        return Rates.RateEdge.UntilAsync(() => Task.FromResult(Volatile.Read(ref asked) > before + 1));
    }

    private EdgeIdentity Identity() =>
        new(new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Gateway:DataDirectory"] = folder }).Build());

    private async Task<DefinedBudgets> StartAsync()
    {
        var log = new EdgeLog(NullLogger<EdgeLog>.Instance);
        var leases = new BudgetLeases(null!, null!, Identity(), Options.Create(new BudgetOptions()), log, TimeProvider.System);
        var http = new HttpClient(this, disposeHandler: false) { BaseAddress = new Uri("http://ledger") };
        var budgets = new DefinedBudgets(new LedgerClient(http), leases, Identity(), log, TimeProvider.System);
        await budgets.StartAsync(default);
        return budgets;
    }
}
