using Gateway.Contracts;
using Gateway.Metering.Export;
using Gateway.Metering.Ingest;
using Gateway.Metering.Reports;
using Npgsql;

namespace Gateway.Metering.Tests.Ingest;

[Collection("metering")]
public sealed class UsageStoreTests
{
    private static readonly CancellationToken None = CancellationToken.None;

    /// <summary>T-22.</summary>
    [Fact]
    public async Task OneRequestIsOneRow_HoweverOftenItsRecordComes_AloneOrInABatch()
    {
        await using var host = await MeteringHost.StartAsync();
        var record = Sample.Record(tags: ["a"], endUser: "u");
        Assert.Equal(new StoredBatch(1, 0), await host.Store.WriteAsync([record], None));
        Assert.Equal(new StoredBatch(0, 1), await host.Store.WriteAsync([record], None));
        Assert.Equal(new StoredBatch(1, 3), await host.Store.WriteAsync([record, Sample.Record(), record, record], None));

        Assert.Equal(2, await host.ScalarAsync<long>("select sum(requests)::bigint from usage_daily"));
        Assert.Equal(1, await host.ScalarAsync<long>("select sum(requests)::bigint from usage_daily_tags"));
        Assert.Equal(1, await host.ScalarAsync<long>("select sum(requests)::bigint from usage_daily_end_users"));
        await DeliveryTests.RollupsAgreeAsync(host);
    }

    [Fact]
    public async Task SameRequestTwiceInOneBatch_IsOneRow()
    {
        await using var host = await MeteringHost.StartAsync();
        var record = Sample.Record();
        Assert.Equal(new StoredBatch(1, 1), await host.Store.WriteAsync([record, record], None));
        await DeliveryTests.RollupsAgreeAsync(host);
    }

    /// <summary>T-23: the id is the gateway's, so it does not matter what a provider calls its replies.</summary>
    [Fact]
    public async Task RequestsWithNothingInCommonButTheirInstant_AreRowsOfTheirOwn()
    {
        await using var host = await MeteringHost.StartAsync();
        var records = Enumerable.Range(0, 100).Select(_ => Sample.Record(id: Guid.NewGuid())).ToList();
        Assert.Equal(100, (await host.Store.WriteAsync(records, None)).Stored);
        Assert.Equal(100, await host.ScalarAsync<long>("select count(*) from usage_records"));
    }

    /// <summary>T-16.</summary>
    [Fact]
    public async Task ACorrection_IsARowOfItsOwn_ThatNamesWhatItCorrects_AndTheDayHasTheSum()
    {
        await using var host = await MeteringHost.StartAsync();
        var batch = Sample.Record(cost: 900) with { CallType = UsageRecord.BatchCall, Tokens = TokenUsage.None, Estimated = true };
        var correction = batch with { RequestId = Guid.NewGuid(), Corrects = batch.RequestId, Cost = new Money(-650), Tokens = new TokenUsage { Input = 7 } };
        await host.Store.WriteAsync([batch, correction], None);
        await host.Store.WriteAsync([correction], None);

        Assert.Equal(250, await host.ScalarAsync<long>("select sum(cost)::bigint from usage_daily"));
        var row = (await host.JsonAsync($"/spend/logs?request_id={correction.RequestId}"))[0]!;
        Assert.Equal((-0.00000065m, batch.RequestId), (row["spend"]!.GetValue<decimal>(), row["metadata"]!["corrects"]!.GetValue<Guid>()));
        await DeliveryTests.RollupsAgreeAsync(host);
    }

    [Fact]
    public async Task WhatWasWrittenOff_IsInTheRow_AndInNoSum()
    {
        await using var host = await MeteringHost.StartAsync();
        var record = Sample.Record(cost: 900) with { Outcome = UsageOutcome.BudgetExhausted, WrittenOff = new Money(40) };
        await host.Store.WriteAsync([record, Sample.Record(id: Guid.NewGuid(), cost: 0)], None);

        Assert.Equal(900, await host.ScalarAsync<long>("select sum(cost)::bigint from usage_daily"));
        Assert.Equal(40, await host.ScalarAsync<long>("select sum(written_off)::bigint from usage_records"));
        var row = (await host.JsonAsync($"/spend/logs?request_id={record.RequestId}"))[0]!;
        Assert.Equal((0.0000009m, 0.00000004m), (row["spend"]!.GetValue<decimal>(), row["metadata"]!["written_off"]!.GetValue<decimal>()));
        Assert.EndsWith(",0.00000004\r\n", CsvRow.Of(System.Text.Json.JsonSerializer.Deserialize(row.ToJsonString(), ReportsJson.Default.SpendLog)!), StringComparison.Ordinal);
    }

    /// <summary>T-24.</summary>
    [Fact]
    public async Task FailedAttempts_AreVisible_AndOnlyTheLastOneIsCharged()
    {
        await using var host = await MeteringHost.StartAsync();
        var record = Sample.Record() with
        {
            FailedAttempts = [new FailedAttempt("gpt-4-eu", "timeout"), new FailedAttempt("gpt-4-us", "status_500")],
        };
        await host.Store.WriteAsync([record], None);
        var row = (await host.JsonAsync($"/spend/logs?request_id={record.RequestId}"))[0]!;
        Assert.Equal(0.0015m, row["spend"]!.GetValue<decimal>());
        Assert.Equal(2, row["metadata"]!["attempted_retries"]!.GetValue<int>());
        Assert.Equal(1, row["metadata"]!["attempted_fallbacks"]!.GetValue<int>());
        Assert.Equal("status_500", row["metadata"]!["failed_attempts"]![1]!["failure"]!.GetValue<string>());
        Assert.Equal(0.0015m, (await host.JsonAsync("/global/spend"))["spend"]!.GetValue<decimal>());
    }

    [Fact]
    public async Task RecordsOfManyDays_AndOfAWrongClock_AreAllStored_AndRolledUp()
    {
        await using var host = await MeteringHost.StartAsync();
        // Older ones than the retention belong to RetentionTests: the service's own job may drop them at any moment.
        var at = new[] { -399, -200, -10, 0, 3, 60, 4_000 };
        var records = at.Select(days => Sample.Record(at: Sample.Noon.AddDays(days))).ToList();
        Assert.Equal(records.Count, (await host.Store.WriteAsync(records, None)).Stored);
        Assert.Equal(2, await host.ScalarAsync<long>("select count(*) from usage_records_other"));
        Assert.Equal(records.Count, (await host.Store.WriteAsync(records, None)).Duplicates);
        await DeliveryTests.RollupsAgreeAsync(host);
    }

    [Fact]
    public async Task PartitionDroppedBehindOurBack_RecordsAreStored_AndMoveWhenTheDayIsMade()
    {
        await using var host = await MeteringHost.StartAsync();
        await host.Store.WriteAsync([Sample.Record()], None);
        await host.ExecuteAsync($"drop table usage_records_{Sample.Noon:yyyyMMdd}");
        await host.Store.WriteAsync([Sample.Record(), Sample.Record()], None);
        Assert.Equal(2, await host.ScalarAsync<long>("select count(*) from usage_records_other"));

        var job = (Metering.Partitions.RetentionJob)host.App.Services.GetService(typeof(Metering.Partitions.RetentionJob))!;
        await job.RunAsync(None);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from usage_records_other"));
        Assert.Equal(2, await host.ScalarAsync<long>($"select count(*) from usage_records_{Sample.Noon:yyyyMMdd}"));
    }

    [Fact]
    public async Task DayThatCannotBeMadeNow_DoesNotHoldUpItsRecords()
    {
        await using var host = await MeteringHost.StartAsync();
        // A long export reads all partitions: making a day would have to wait for its end.
        await using var export = await host.Database.OpenConnectionAsync();
        await using var transaction = await export.BeginTransactionAsync();
        await new Npgsql.NpgsqlCommand("select count(*) from usage_records", export, transaction).ExecuteScalarAsync();

        var record = Sample.Record(at: Sample.Noon.AddDays(-50));
        Assert.Equal(1, (await host.Store.WriteAsync([record], None)).Stored);
        await transaction.CommitAsync();
        Assert.Equal(new StoredBatch(0, 1), await host.Store.WriteAsync([record], None));
    }

    [Fact]
    public async Task ManyWritersOfTheSameRequests_InDifferentOrders_NeitherDeadlockNorCountTwice()
    {
        await using var host = await MeteringHost.StartAsync();
        // Within a microsecond, which is all that PostgreSQL tells apart, and both by copies and by statements.
        List<UsageRecord> records = [.. Sample.Many(600).Select(static (record, number) => number % 2 == 0 ? record : record with { StartedAt = Sample.Noon.AddTicks(number % 29) })];
        await Parallel.ForEachAsync(Enumerable.Range(0, 24), new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (seed, cancellation) =>
        {
            var order = records.ToArray();
            new Random(seed).Shuffle(order);
            foreach (var batch in order.Chunk(seed % 2 == 0 ? 150 : UsageStore.CopiedMin - 1))
            {
                await host.Store.WriteAsync(batch, cancellation);
            }
        });
        Assert.Equal(records.Count, await host.ScalarAsync<long>("select count(*) from usage_records"));
        Assert.Equal(0, await host.ScalarAsync<long>("select deadlocks from pg_stat_database where datname = current_database()"));
        await DeliveryTests.RollupsAgreeAsync(host);
    }

    [Fact]
    public async Task TextThatACallerChose_CannotStopTheBatchItIsIn()
    {
        await using var host = await MeteringHost.StartAsync();
        var hostile = Sample.Record(endUser: "a\0b\ud83d", tags: ["", "\0", new string('x', 10_000), new string('\u4e2d', 5_000), "a'; drop table names; --", "{\"}"]);
        Assert.Equal(2, (await host.Store.WriteAsync([Sample.Record(), hostile], None)).Stored);
        var row = (await host.JsonAsync($"/spend/logs?request_id={hostile.RequestId}"))[0]!;
        Assert.Equal("a\ufffdb\ufffd", row["end_user"]!.GetValue<string>());
        Assert.Equal(5, row["request_tags"]!.AsArray().Count);
        Assert.Contains("a'; drop table names; --", row["request_tags"]!.AsArray().Select(tag => tag!.GetValue<string>()));
    }

    [Fact]
    public async Task EveryFieldOfARecord_ComesBack()
    {
        await using var host = await MeteringHost.StartAsync();
        var record = Sample.Record(endUser: "u-17", tags: ["env=dev", "b"], outcome: UsageOutcome.UpstreamCut) with
        {
            Estimated = true,
            Unpriced = true,
            Streamed = true,
            Tokens = new TokenUsage { Input = 1, CachedInput = 2, CacheWrite5m = 3, CacheWrite1h = 4, InputAudio = 5, Output = 6, Reasoning = 7, OutputAudio = 8, Images = 9 },
            Cost = new Money(long.MaxValue),
        };
        await host.Store.WriteAsync([record], None);
        var row = (await host.JsonAsync("/spend/logs"))[0]!;
        Assert.Equal(9_223_372_036.854775807m, row["spend"]!.GetValue<decimal>());
        Assert.Equal((15, 21, 36), (row["prompt_tokens"]!.GetValue<int>(), row["completion_tokens"]!.GetValue<int>(), row["total_tokens"]!.GetValue<int>()));
        Assert.Equal(["env=dev", "b"], row["request_tags"]!.AsArray().Select(tag => tag!.GetValue<string>()));
        var details = row["metadata"]!;
        Assert.Equal(("failure", "UpstreamCut"), (row["status"]!.GetValue<string>(), details["gateway_outcome"]!.GetValue<string>()));
        Assert.True(details["usage_estimated"]!.GetValue<bool>() && details["unpriced"]!.GetValue<bool>() && details["stream"]!.GetValue<bool>());
        var usage = details["usage"]!;
        Assert.Equal(
            [1, 2, 3, 4, 5, 6, 7, 8, 9],
            new[] { "input", "cached_input", "cache_write5m", "cache_write1h", "input_audio", "output", "reasoning", "output_audio", "images" }.Select(name => usage[name]!.GetValue<int>()));
    }

    /// <summary>Many records are copied into the table and few come in by a statement: which way they took is nowhere to be seen.</summary>
    [Fact]
    public async Task RecordsThatAreCopiedIn_AreThoseThatAStatementInserts()
    {
        var records = Sample.Many(UsageStore.CopiedMin * 4);
        records[0] = records[0] with
        {
            Tokens = new TokenUsage { Input = 1, CachedInput = 2, CacheWrite5m = 3, CacheWrite1h = 4, InputAudio = 5, Output = 6, Reasoning = 7, OutputAudio = 8, Images = 9 },
            Estimated = true, Unpriced = true, Streamed = true, Corrects = Guid.NewGuid(), WrittenOff = new Money(5), Credential = "team-key", Cost = new Money(-7),
            FailedAttempts = [new("other", "timeout"), new("a \"third\"", "status_500")], Tags = ["", "one", "one"],
        };
        await using var copying = await MeteringHost.StartAsync();
        await using var inserting = await MeteringHost.StartAsync();
        // Names are numbered as they come: both know them before.
        foreach (var host in new[] { copying, inserting })
        {
            await host.Store.WriteAsync([Sample.Record() with { RequestId = records[^1].RequestId, StartedAt = records[^1].StartedAt }], None);
            await host.Names.NumbersAsync([.. UsageRows.From(records).Names.Order(StringComparer.Ordinal)], None);
        }

        var copied = await copying.Store.WriteAsync(records[..^1], None);
        foreach (var few in records[..^1].Chunk(UsageStore.CopiedMin - 1))
        {
            await inserting.Store.WriteAsync(few, None);
        }

        Assert.Equal(new StoredBatch(records.Count - 1, 0), copied);
        foreach (var table in new[] { "usage_records", "usage_daily", "usage_daily_tags", "usage_daily_end_users" })
        {
            var rows = $"select coalesce(string_agg(r::text, E'\\n' order by r::text), '') from {table} r";
            Assert.Equal(await inserting.ScalarAsync<string>(rows), await copying.ScalarAsync<string>(rows));
        }
    }

    [Fact]
    public async Task ACopyThatMeetsARecordOfBefore_StoresTheOthersOnce()
    {
        await using var host = await MeteringHost.StartAsync();
        var records = Sample.Many(UsageStore.CopiedMin * 3);
        await host.Store.WriteAsync(records[..2], None);
        Assert.Equal(new StoredBatch(records.Count - 2, 2), await host.Store.WriteAsync(records, None));
        Assert.Equal(new StoredBatch(0, records.Count), await host.Store.WriteAsync(records, None));
        await DeliveryTests.RollupsAgreeAsync(host);
    }

    [Fact]
    public async Task ARecordWhoseTokensNoSumCanHold_IsRefusedByTheDatabase_InACopyToo()
    {
        await using var host = await MeteringHost.StartAsync();
        var records = Sample.Many(UsageStore.CopiedMin);
        records[3] = records[3] with { Tokens = new TokenUsage { Input = long.MaxValue, CachedInput = 1 } };
        var refused = await Assert.ThrowsAsync<PostgresException>(() => host.Store.WriteAsync(records, None));
        Assert.Equal(PostgresErrorCodes.NumericValueOutOfRange, refused.SqlState);
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from usage_records"));
    }

    [Fact]
    public async Task ADayThatIsMadeWhileItsRecordsAreCopied_HasThem()
    {
        await using var host = await MeteringHost.StartAsync();
        var day = Sample.Noon.AddDays(-9).UtcDateTime.Date;
        var name = $"usage_records_{day:yyyyMMdd}";
        await using var connection = await host.Database.OpenConnectionAsync();
        await using var making = await connection.BeginTransactionAsync();
        await using (var hold = new NpgsqlCommand("lock table usage_records_other in access exclusive mode", connection))
        {
            await hold.ExecuteNonQueryAsync();
        }

        List<UsageRecord> records = [.. Enumerable.Range(0, UsageStore.CopiedMin).Select(_ => Sample.Record(at: new DateTimeOffset(day, TimeSpan.Zero).AddHours(3)))];
        var writing = host.Store.WriteAsync(records, None);
        await Until.TrueAsync(
            async () => await host.ScalarAsync<long>("select count(*) from pg_stat_activity where wait_event_type = 'Lock' and query like 'copy usage_records%'") == 1, "the copy waits for the partition that it chose");
        await using (var make = new NpgsqlCommand(
            $"create table {name} (like usage_records including all); alter table usage_records attach partition {name} for values from ('{day:yyyy-MM-dd} 00:00:00+00') to ('{day.AddDays(1):yyyy-MM-dd} 00:00:00+00')", connection))
        {
            await make.ExecuteNonQueryAsync();
        }

        await making.CommitAsync();

        Assert.Equal(new StoredBatch(records.Count, 0), await writing);
        Assert.Equal(records.Count, await host.ScalarAsync<long>($"select count(*) from {name}"));
        Assert.Equal(0, await host.ScalarAsync<long>("select count(*) from usage_records_other"));
        await DeliveryTests.RollupsAgreeAsync(host);
    }
}
