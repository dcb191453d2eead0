using System.Text.RegularExpressions;
using Gateway.Metering.Reports;
using Gateway.TestKit;

namespace Gateway.Metering.Tests.Reports;

/// <summary>
/// A million requests over ten days, and how PostgreSQL reads them (T-53). Plans and not seconds: a plan that reads a page's worth of an index
/// is as fast over a hundred million rows, and a busy machine does not change it.
/// </summary>
[Collection("metering")]
public sealed class QueryPlanTests : IAsyncLifetime
{
    private const int Rows = 1_000_000;
    private const int Days = 10;

    private static readonly string s_firstDay = $"{Sample.Noon.AddDays(-Days + 1):yyyy-MM-dd}";

    private MeteringHost host = null!;

    public async Task InitializeAsync()
    {
        host = await MeteringHost.StartAsync();
        var partitions = (Metering.Partitions.DayPartitions)host.App.Services.GetService(typeof(Metering.Partitions.DayPartitions))!;
        await partitions.EnsureAsync(Enumerable.Range(0, Days).Select(day => DateOnly.FromDateTime(Sample.Noon.AddDays(-day).UtcDateTime)), CancellationToken.None);
        await host.ExecuteAsync($"""
            set synchronous_commit = off;
            insert into names (no, name) select i, lpad(to_hex(i), 64, '0') from generate_series(1, 1000) i;
            insert into usage_records (started_at, request_id, duration_us, first_byte_us, cost, input, output, key_no, alias_no, user_no, team_no, organization_no,
                end_user_no, model_no, deployment_no, provider_no, provider_model_no, call_type_no, edge_no, price_no, status, outcome, streamed, estimated, unpriced)
            select '{s_firstDay} 00:00:00+00'::timestamptz + i * interval '{Days * 86_400_000L / Rows} milliseconds', gen_random_uuid(), 2000000, 400000, 1500000, 500, 200,
                1 + i % 997, 0, case when i % 3 = 0 then 0 else 1 + i % 499 end, case when i % 5 = 0 then 0 else 1 + i % 397 end, 1 + i % 7,
                case when i % 10 = 3 then 1 + i % 900 else 0 end, 1 + i % 5, 11, 12, 13, 14, 15, 16,
                case when i % 1000 = 7 then 502 else 200 end, case when i % 1000 = 7 then 3 else 0 end, false, false, false
            from generate_series(0, {Rows - 1}) i;
            insert into usage_daily
            select (started_at at time zone 'UTC')::date, key_no, alias_no, user_no, team_no, organization_no, model_no, provider_no, provider_model_no,
                count(*), count(*) filter (where outcome <> 0), sum(cost), sum(input), sum(output), 0, 0, 0, sum(duration_us), 0, 0
            from usage_records group by 1, 2, 3, 4, 5, 6, 7, 8, 9;
            analyze;
            """);
    }

    public Task DisposeAsync() => host.DisposeAsync().AsTask();

    [Fact]
    public async Task Pages_ReadAnIndex_AndOnlyTheDaysAskedFor_AndReportsReadRollUps()
    {
        // The log's first page, without any filter: backwards along the primary key until the page is full.
        var plan = await PlanAsync(new ReportFilter());
        Assert.DoesNotContain("Seq Scan on usage_records_", plan, StringComparison.Ordinal);
        Assert.InRange(RowsRead(plan), 1, 1_000);

        // One key's page: its index.
        plan = await PlanAsync(new ReportFilter { KeyId = Sample.Key(5) });
        Assert.DoesNotContain("Seq Scan on usage_records_", plan, StringComparison.Ordinal);
        Assert.Contains("key_no_started_at", plan, StringComparison.Ordinal);
        Assert.InRange(RowsRead(plan), 1, 3_000);

        plan = await PlanAsync(new ReportFilter { UserId = Sample.Key(5) });
        Assert.DoesNotContain("Seq Scan on usage_records_", plan, StringComparison.Ordinal);
        Assert.Matches(@"\d_user_no_started_at", plan);

        plan = await PlanAsync(new ReportFilter { TeamId = Sample.Key(5) });
        Assert.DoesNotContain("Seq Scan on usage_records_", plan, StringComparison.Ordinal);
        Assert.Contains("team_no_started_at", plan, StringComparison.Ordinal);

        // Those of one end user, and those that failed: indexes that have only them.
        plan = await PlanAsync(new ReportFilter { EndUser = Sample.Key(4) });
        Assert.DoesNotContain("Seq Scan on usage_records_2", plan, StringComparison.Ordinal);
        Assert.Contains("end_user_no_started_at", plan, StringComparison.Ordinal);
        Assert.InRange(RowsRead(plan), 1, 3_000);
        plan = await PlanAsync(new ReportFilter { Succeeded = false, Model = Sample.Key(3) });
        Assert.DoesNotContain("Seq Scan on usage_records_2", plan, StringComparison.Ordinal);
        Assert.InRange(RowsRead(plan), 1, 3_000);

        // One day: the other days' partitions are not even opened. The one for everything else is, and is empty.
        var from = Sample.Noon.UtcDateTime.Date;
        plan = await PlanAsync(new ReportFilter { From = from, Until = from.AddDays(1), KeyId = Sample.Key(5) });
        Assert.Equal([$"usage_records_{from:yyyyMMdd}"], Partitions(plan));

        // One request by its id: the seconds that the id tells, of one day.
        var (first, last) = ReportFilter.TimeOf(Guid.CreateVersion7(Sample.Noon))!.Value;
        plan = await PlanAsync(new ReportFilter(), where => where.And("request_id = ?", Guid.Empty).And("started_at >= ?", first).And("started_at <= ?", last));
        Assert.Equal([$"usage_records_{from:yyyyMMdd}"], Partitions(plan));
        Assert.DoesNotContain("Seq Scan on usage_records_2", plan, StringComparison.Ordinal);

        // The reports say the same as the rows, from some ten thousand roll-up rows.
        var spend = await host.JsonAsync("/global/spend");
        Assert.Equal((1_500m, Rows), (spend["spend"]!.GetValue<decimal>(), spend["api_requests"]!.GetValue<int>()));
        Assert.Equal(Rows, (await host.JsonAsync("/spend/logs/v2"))["total"]!.GetValue<int>());
        Assert.Equal(Rows / 1_000, (await host.JsonAsync("/spend/logs/v2?status=failure"))["total"]!.GetValue<int>());
        Assert.Equal(100, (await host.JsonAsync("/spend/keys")).AsArray().Count);
        Assert.Equal(Days, (await host.JsonAsync("/global/spend/logs")).AsArray().Count);
    }

    private async Task<string> PlanAsync(ReportFilter filter, Action<Where>? more = null)
    {
        var where = filter.OnRecords(Visibility.All);
        more?.Invoke(where);
        await using var command = host.Database.CreateCommand("explain (analyze, costs off, timing off, summary off) " + SpendLogs.PageSql(where, filter));
        where.Bind(command);
        return string.Join('\n', await command.TextsAsync());
    }

    /// <summary>Days that were read.</summary>
    private static string[] Partitions(string plan) =>
        [.. Regex.Matches(plan, @"on (usage_records_\d{8})").Select(match => match.Groups[1].Value).Distinct().Order(StringComparer.Ordinal)];

    /// <summary>Rows that came out of the partitions, kept or thrown away.</summary>
    private static long RowsRead(string plan) =>
        Regex.Matches(plan, @"on usage_records_\w+ .*?rows=(\d+)").Sum(match => long.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture))
        + Regex.Matches(plan, @"Rows Removed by Filter: (\d+)").Sum(match => long.Parse(match.Groups[1].Value, System.Globalization.CultureInfo.InvariantCulture));
}
