using System.Net;
using Gateway.Contracts;

namespace Gateway.Metering.Tests.Reports;

/// <summary>Nobody sees another's usage, on any route.</summary>
[Collection("metering")]
public sealed class VisibilityTests
{
    private static readonly AccessSnapshot s_alice = new() { KeyId = Sample.Key(1), UserId = "alice" };
    private static readonly AccessSnapshot s_keyOnly = new() { KeyId = Sample.Key(3) };
    private static readonly AccessSnapshot s_organization = new() { KeyId = Sample.Key(8), UserId = "boss", OrganizationId = "acme", Role = CallerRole.OrganizationAdmin };

    private static readonly UsageRecord[] s_records =
    [
        Sample.Record(key: Sample.Key(1), user: "alice", tags: ["alices-tag"], endUser: "alices-customer"),
        Sample.Record(key: Sample.Key(2), user: "bob", team: "bobs-team", model: "bobs-model", tags: ["bobs-tag"], endUser: "bobs-customer"),
        Sample.Record(key: Sample.Key(3), user: null, team: null, organization: "other"),
    ];

    [Fact]
    public async Task User_SeesOnlyItsOwn_WhateverItAsksFor()
    {
        await using var host = await MeteringHost.StartAsync();
        await host.Store.WriteAsync(s_records, CancellationToken.None);
        var day = $"{Sample.Noon:yyyy-MM-dd}";
        foreach (var path in new[]
        {
            "/spend/logs", "/spend/logs/v2", $"/spend/logs?start_date={day}&end_date={day}", "/spend/keys", "/spend/users", "/spend/tags",
            $"/user/daily/activity?start_date={day}&end_date={day}", $"/team/daily/activity?start_date={day}&end_date={day}", "/usage/export?format=ndjson", "/usage/export",
        })
        {
            using var answer = await host.GetAsync(path, s_alice);
            var text = await answer.Content.ReadAsStringAsync();
            Assert.True(answer.IsSuccessStatusCode, path);
            Assert.Contains(path.StartsWith("/team", StringComparison.Ordinal) ? "payments" : "alice", text, StringComparison.Ordinal);
            Assert.DoesNotContain("bob", text, StringComparison.Ordinal);
            Assert.DoesNotContain(Sample.Key(2), text, StringComparison.Ordinal);
            Assert.DoesNotContain(Sample.Key(3), text, StringComparison.Ordinal);
        }

        foreach (var query in new[] { "user_id=bob", $"api_key={Sample.Key(2)}", "team_id=bobs-team", $"request_id={s_records[1].RequestId}", "end_user=bobs-customer", "model=bobs-model" })
        {
            Assert.Empty((await host.JsonAsync($"/spend/logs?{query}", s_alice)).AsArray());
            Assert.Equal(0, (await host.JsonAsync($"/spend/logs/v2?{query}", s_alice))["total"]!.GetValue<int>());
        }
    }

    [Fact]
    public async Task KeyWithoutAUser_SeesWhatItDidItself_AndAnOrganizationsAdminItsOrganization()
    {
        await using var host = await MeteringHost.StartAsync();
        await host.Store.WriteAsync(s_records, CancellationToken.None);
        Assert.Single((await host.JsonAsync("/spend/logs", s_keyOnly)).AsArray());
        Assert.Equal(2, (await host.JsonAsync("/spend/logs", s_organization)).AsArray().Count);
        Assert.Equal(3, (await host.JsonAsync("/spend/logs", MeteringHost.Admin with { Role = CallerRole.ProxyAdminViewer })).AsArray().Count);
    }

    [Theory]
    [InlineData("/global/spend")]
    [InlineData("/global/spend/logs")]
    [InlineData("/global/spend/keys")]
    [InlineData("/global/spend/teams")]
    [InlineData("/global/spend/models")]
    [InlineData("/global/spend/provider")]
    [InlineData("/global/spend/end_users")]
    [InlineData("/global/spend/report?start_date=2026-11-01&end_date=2026-11-02")]
    public async Task GlobalReports_AreForAdministrators(string path)
    {
        await using var host = await MeteringHost.StartAsync();
        Assert.Equal(HttpStatusCode.Forbidden, (await host.GetAsync(path, s_alice)).StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, (await host.GetAsync(path, s_organization)).StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await host.GetAsync(path, MeteringHost.Admin)).StatusCode);
        Assert.Equal(HttpStatusCode.Unauthorized, (await host.GetAsync(path)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await host.GetAsync(path, MeteringHost.Admin, secret: null)).StatusCode);
    }
}
