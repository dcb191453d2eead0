using Gateway.Metering.Partitions;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Metering.Tests.Partitions;

/// <summary>T-53: old days go whole.</summary>
[Collection("metering")]
public sealed class RetentionTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task DaysOlderThanTheRetention_AreDropped_RollUpsAndOtherDaysStay()
    {
        await using var host = await MeteringHost.StartAsync(settings: new() { ["Metering:RetentionDays"] = "10" });
        await host.Store.WriteAsync([.. Enumerable.Range(0, 10).Select(days => Sample.Record(at: Sample.Noon.AddDays(-days)))], None);
        var partitions = host.App.Services.GetRequiredService<DayPartitions>();
        var kept = await host.ScalarAsync<long>("select count(*) from usage_records");
        Assert.Equal(10, kept);

        var clock = new FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(5));
        var later = ActivatorUtilities.CreateInstance<DayPartitions>(host.App.Services, clock);
        var deletes = await host.ScalarAsync<long>("select coalesce(sum(n_tup_del), 0)::bigint from pg_stat_user_tables where relname like 'usage%'");
        var job = ActivatorUtilities.CreateInstance<RetentionJob>(host.App.Services, later, (TimeProvider)clock);
        await job.RunAsync(None);

        Assert.Equal(5, await host.ScalarAsync<long>("select count(*) from usage_records"));
        Assert.Equal(10, await host.ScalarAsync<long>("select sum(requests)::bigint from usage_daily"));
        Assert.Equal(deletes, await host.ScalarAsync<long>("select coalesce(sum(n_tup_del), 0)::bigint from pg_stat_user_tables where relname like 'usage%'"));
        var days = await partitions.ListAsync(None);
        Assert.Equal(later.FirstKept, days[0]);
        Assert.Equal(later.LastAhead, days[^1]);
    }

    [Fact]
    public async Task RecordThatComesAfterItsDayWasDropped_IsStored_AndGoesWithTheNextRun()
    {
        await using var host = await MeteringHost.StartAsync(settings: new() { ["Metering:RetentionDays"] = "10" });
        Assert.Equal(1, (await host.Store.WriteAsync([Sample.Record(at: Sample.Noon.AddDays(-30))], None)).Stored);
        await host.App.Services.GetRequiredService<RetentionJob>().RunAsync(None);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from usage_records"));
        Assert.Equal(1, await host.ScalarAsync<long>("select sum(requests)::bigint from usage_daily"));
    }

    [Fact]
    public async Task TwoProcessesMakeTheSameDays_BothSucceed()
    {
        await using var host = await MeteringHost.StartAsync();
        var makers = Enumerable.Range(0, 6).Select(_ => ActivatorUtilities.CreateInstance<DayPartitions>(host.App.Services)).ToList();
        var days = Enumerable.Range(30, 10).Select(back => DateOnly.FromDateTime(Sample.Noon.AddDays(-back).UtcDateTime)).ToList();
        await Task.WhenAll(makers.Select(maker => maker.EnsureAsync(days, None)));
        Assert.Superset(days.ToHashSet(), (await makers[0].ListAsync(None)).ToHashSet());
    }

    [Fact]
    public async Task ReaderOfAllDays_HoldsUpTheDropForTwoSecondsAtMost_AndTheNextRunDropsThem()
    {
        await using var host = await MeteringHost.StartAsync(settings: new() { ["Metering:RetentionDays"] = "10" });
        await host.Store.WriteAsync([Sample.Record(at: Sample.Noon.AddDays(-9))], None);
        var later = ActivatorUtilities.CreateInstance<DayPartitions>(host.App.Services, new FakeTimeProvider(DateTimeOffset.UtcNow.AddDays(1)));
        await using (var export = await host.Database.OpenConnectionAsync())
        {
            await using var transaction = await export.BeginTransactionAsync();
            await new Npgsql.NpgsqlCommand("select count(*) from usage_records", export, transaction).ExecuteScalarAsync();
            Assert.Equal(0, await later.DropOldAsync(None));
        }

        Assert.Equal(1, await later.DropOldAsync(None));
    }
}
