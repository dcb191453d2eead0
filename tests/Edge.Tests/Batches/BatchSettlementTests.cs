using System.Diagnostics.Metrics;
using System.Net;
using Gateway.Contracts;
using Gateway.Edge.Batches;
using Gateway.Edge.Metering;
using Gateway.Edge.Tests.Metering;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Gateway.Edge.Tests.Batches;

public sealed class BatchSettlementTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory().FullName;
    private readonly ServiceProvider services = new ServiceCollection().AddMetrics().BuildServiceProvider();

    public void Dispose()
    {
        services.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>
    /// What is at the provider was charged by its edge; what is not may never have been, and must not be taken from a lease that was not charged for it.
    /// </summary>
    [Theory]
    [InlineData("adopted", 1, "edge-that-died")]
    [InlineData("never taken", 2, "")]
    [InlineData("given up", 1, "")]
    public async Task T16_a_submission_that_nobody_answered_for_is_written_down_and_taken_from_no_lease_that_did_not_pay(string how, int records, string edge)
    {
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(new Dictionary<string, string?> { ["Gateway:DataDirectory"] = folder }).Build();
        using var spool = new Spool(Options.Create(new SpoolOptions()), new EdgeIdentity(configuration), new EdgeLog(NullLogger<EdgeLog>.Instance), TimeProvider.System);
        using var ledger = new HttpClient(new Agreeing()) { BaseAddress = new Uri("http://ledger") };
        var settlement = new BatchSettlement(null!, new BatchRegistry(ledger), spool, new EdgeMetrics(services.GetRequiredService<IMeterFactory>()));
        var batch = new ProviderBatch
        {
            Id = "batch_1", Owner = "team/t", Model = "public", DeploymentId = "d1", InputFileId = "file-1", Lines = new BatchLines("/v1/chat/completions", 1, 10, new Money(900)),
            Submission = Metering.SpoolFixture.Record(1) with { EdgeId = "edge-that-died", Cost = new Money(900), BudgetWindows = ["w1"] },
        };

        await (how switch
        {
            "adopted" => settlement.AdoptAsync(batch, "provider-1", "{}", default),
            "given up" => settlement.GiveUpAsync(batch, default),
            _ => settlement.ForgetAsync(batch, TestBatches.Target(), default),
        });

        var written = spool.Collect();
        var seen = SpoolFixture.RecordsOf(written);
        Assert.Equal(records, seen.Length);
        Assert.All(seen, record => Assert.Equal(edge, record.EdgeId));
        Assert.Equal((batch.Submission.RequestId, new Money(900)), (seen[0].RequestId, seen[0].Cost));
        Assert.Equal(how == "never taken" ? Money.Zero : new Money(900), new Money(seen.Sum(static record => record.Cost.NanoDollars)));
    }

    private sealed class Agreeing : HttpMessageHandler
    {
        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken) =>
            Task.FromResult(new HttpResponseMessage(HttpStatusCode.NoContent));
    }
}
