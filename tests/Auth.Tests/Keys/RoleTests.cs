using System.Net;
using Gateway.Auth.Tests.Hosting;
using Gateway.Contracts;

namespace Gateway.Auth.Tests.Keys;

/// <summary>Who may call the admin API.</summary>
public sealed class RoleTests(SharedAuth shared) : IClassFixture<SharedAuth>
{
    private readonly AuthHost auth = shared.Host;

    [Fact]
    public async Task Without_the_service_secret_nothing_is_there()
    {
        foreach (var (method, path) in ((HttpMethod, string)[])[(HttpMethod.Post, "/internal/keys/resolve"), (HttpMethod.Get, "/internal/access/changes"), (HttpMethod.Post, "/key/generate"), (HttpMethod.Get, "/key/info"), (HttpMethod.Get, "/audit")])
        {
            using var response = await auth.RawAsync(method, path, withSecret: false, AuthHost.Admin);
            Assert.Equal(HttpStatusCode.NotFound, response.StatusCode);
        }

        using var nobody = await auth.RawAsync(HttpMethod.Get, "/key/info", withSecret: true, caller: null);
        Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
    }

    [Fact]
    public async Task A_user_sees_its_own_keys_user_and_team_and_changes_nothing()
    {
        (await auth.PostAsync("/team/new", new { team_id = "role-team" })).Ok();
        var mine = await auth.NewKeyAsync(new { user_id = "me", team_id = "role-team", key_alias = "mine" });
        var alsoMine = await auth.NewKeyAsync(new { user_id = "me" });
        var theirs = await auth.NewKeyAsync(new { user_id = "them", team_id = "role-team" });
        var caller = await auth.SnapshotAsync(mine);

        Assert.Equal("mine", (string?)(await auth.GetAsync("/key/info", caller)).Ok().Json["info"]!["key_alias"]);
        (await auth.GetAsync($"/key/info?key={alsoMine}", caller)).Ok();
        (await auth.GetAsync($"/key/info?key={theirs}", caller)).Refused(403, "route_access_denied");
        (await auth.GetAsync("/key/info?key=sk-there-is-no-such-key", caller)).Refused(403, "route_access_denied");
        Assert.Equal(2, (int)(await auth.GetAsync("/key/list?user_id=them", caller)).Ok().Json["total_count"]!);
        Assert.Equal(2, (await auth.GetAsync("/user/info", caller)).Ok().Json["keys"]!.AsArray().Count);
        (await auth.GetAsync("/user/info?user_id=them", caller)).Refused(403, "route_access_denied");
        var team = (await auth.GetAsync("/team/info", caller)).Ok().Json;
        Assert.Equal("mine", (string?)Assert.Single(team["keys"]!.AsArray())!["key_alias"]);
        (await auth.GetAsync("/team/info?team_id=other", caller)).Refused(403, "route_access_denied");

        foreach (var path in (string[])["/key/generate", "/key/update", "/key/delete", "/key/block", "/key/unblock", $"/key/{mine}/regenerate", "/user/new", "/user/update", "/user/delete",
            "/team/new", "/team/update", "/team/delete", "/team/block", "/team/member_add", "/team/member_update", "/team/member_delete", "/organization/new", "/organization/update", "/organization/delete"])
        {
            (await auth.PostAsync(path, new { key = mine, keys = new[] { mine }, user_id = "me", user_role = "proxy_admin" }, caller)).Refused(403, "route_access_denied");
        }

        foreach (var path in (string[])["/user/list", "/team/list", "/organization/list", "/organization/info?organization_id=x", "/audit"])
        {
            (await auth.GetAsync(path, caller)).Refused(403, "route_access_denied");
        }
    }

    [Fact]
    public async Task A_key_without_a_user_sees_itself_only()
    {
        var lonely = await auth.NewKeyAsync(new { });
        await auth.NewKeyAsync(new { });
        var list = (await auth.GetAsync("/key/list", await auth.SnapshotAsync(lonely))).Ok().Json;
        Assert.Equal((await auth.SnapshotAsync(lonely)).KeyId, (string?)Assert.Single(list["keys"]!.AsArray()));
    }

    [Fact]
    public async Task A_viewer_sees_everything_and_changes_nothing_and_an_admin_user_may_change()
    {
        var viewer = await auth.SnapshotAsync((string)(await auth.PostAsync("/user/new", new { user_id = "viewer", user_role = "proxy_admin_viewer" })).Ok().Json["key"]!);
        Assert.Equal(CallerRole.ProxyAdminViewer, viewer.Role);
        (await auth.GetAsync("/user/list", viewer)).Ok();
        (await auth.GetAsync("/key/info?key=" + viewer.KeyId, viewer)).Ok();
        (await auth.PostAsync("/key/generate", new { }, viewer)).Refused(403, "route_access_denied");

        var admin = await auth.SnapshotAsync((string)(await auth.PostAsync("/user/new", new { user_id = "boss", user_role = "proxy_admin" })).Ok().Json["key"]!);
        var made = (await auth.PostAsync("/key/generate", new { key_alias = "by-boss" }, admin)).Ok().Json;
        Assert.Equal("boss", (string?)made["created_by"]);
    }
}
