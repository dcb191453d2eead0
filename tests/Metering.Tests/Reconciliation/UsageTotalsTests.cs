using System.Net;

namespace Gateway.Metering.Tests.Reconciliation;

[Collection("metering")]
public sealed class UsageTotalsTests
{
    [Fact]
    public async Task Totals_AreThoseOfTheRowsInTheRange_AndOfEachBudgetWindow()
    {
        await using var host = await MeteringHost.StartAsync();
        await host.Store.WriteAsync(
            [
                Sample.Record(cost: 1_000_000_001, user: "alice"), Sample.Record(at: Sample.Noon.AddHours(1), cost: 3, user: "alice"),
                Sample.Record(at: Sample.Noon.AddHours(2), cost: 5, user: "bob"),
            ],
            CancellationToken.None);
        var all = await host.JsonAsync("/internal/usage/totals");
        Assert.Equal((3, 1_000_000_009L), (all["rows"]!.GetValue<int>(), all["cost"]!.GetValue<long>()));
        var range = $"from={Sample.Noon:yyyy-MM-ddTHH:mm:ssZ}&to={Sample.Noon.AddHours(2):yyyy-MM-ddTHH:mm:ssZ}";
        Assert.Equal(2, (await host.JsonAsync($"/internal/usage/totals?{range}"))["rows"]!.GetValue<int>());

        var days = (await host.JsonAsync("/internal/usage/totals?by=day")).AsArray();
        Assert.Equal(($"{Sample.Noon:yyyy-MM-dd}", 3, 1_000_000_009L), (days.Single()!["day"]!.GetValue<string>(), days[0]!["rows"]!.GetValue<int>(), days[0]!["cost"]!.GetValue<long>()));

        var windows = (await host.JsonAsync("/internal/usage/totals?by=budget_window")).AsArray()
            .ToDictionary(window => window!["windowId"]!.GetValue<string>(), window => window!["cost"]!.GetValue<long>());
        Assert.Equal(1_000_000_004, windows["user/alice"]);
        Assert.Equal(5, windows["user/bob"]);
        Assert.Equal(1_000_000_009, windows[$"key/{Sample.Key(1)}"]);
    }

    [Fact]
    public async Task WithoutTheServicesSecret_TheRouteDoesNotExist()
    {
        await using var host = await MeteringHost.StartAsync();
        Assert.Equal(HttpStatusCode.NotFound, (await host.GetAsync("/internal/usage/totals", MeteringHost.Admin, secret: null)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await host.GetAsync("/internal/usage/totals", MeteringHost.Admin, secret: "a wrong secret of some length")).StatusCode);
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await host.GetAsync("/internal/usage/totals?by=color")).StatusCode);
    }
}
