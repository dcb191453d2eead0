using System.Net;
using Gateway.Auth.Tests.Hosting;
using Gateway.Contracts;

namespace Gateway.Auth.Tests.Teams;

public sealed class TeamRoutesTests(SharedAuth shared) : IClassFixture<SharedAuth>
{
    private readonly AuthHost auth = shared.Host;

    [Fact]
    public async Task A_team_is_made_changed_shown_listed_blocked_and_deleted_with_its_keys()
    {
        var made = (await auth.PostAsync("/team/new", new { team_id = "t1", team_alias = "One", max_budget = 50, models = new[] { "gpt-4" }, members_with_roles = new[] { new { role = "admin", user_id = "lead" } } })).Ok().Json;
        Assert.Equal(("t1", "One", "50"), ((string?)made["team_id"], (string?)made["team_alias"], made["max_budget"]!.ToJsonString()));
        Assert.Equal(("lead", "admin"), ((string?)made["members_with_roles"]![0]!["user_id"], (string?)made["members_with_roles"]![0]!["role"]));
        (await auth.PostAsync("/team/new", new { team_id = "t1" })).Refused(409, "already_exists");

        var key = await auth.NewKeyAsync(new { team_id = "t1" });
        var updated = (await auth.PostAsync("/team/update", new { team_id = "t1", max_budget = 60, tpm_limit = 5 })).Ok().Json;
        Assert.Equal(("t1", "60"), ((string?)updated["team_id"], updated["data"]!["max_budget"]!.ToJsonString()));
        Assert.Equal(60, Assert.Single((await auth.SnapshotAsync(key)).Budgets).Limit.ToDollars());

        var info = (await auth.GetAsync("/team/info?team_id=t1")).Ok().Json;
        Assert.Equal("One", (string?)info["team_info"]!["team_alias"]);
        Assert.Single(info["keys"]!.AsArray());
        Assert.Equal("lead", (string?)Assert.Single(info["team_memberships"]!.AsArray())!["user_id"]);
        Assert.Contains((await auth.GetAsync("/team/list")).Ok().Json.AsArray(), team => (string?)team!["team_id"] == "t1");
        Assert.Single((await auth.GetAsync("/team/list?user_id=lead")).Ok().Json.AsArray());

        (await auth.PostAsync("/team/block", new { team_id = "t1" })).Ok();
        Assert.Equal(KeyStatus.Blocked, (await auth.SnapshotAsync(key)).Status);
        (await auth.PostAsync("/team/unblock", new { team_id = "t1" })).Ok();
        Assert.Equal(KeyStatus.Active, (await auth.SnapshotAsync(key)).Status);

        var deleted = (await auth.PostAsync("/team/delete", new { team_ids = new[] { "t1" } })).Ok().Json;
        Assert.Single(deleted["deleted_keys"]!.AsArray());
        Assert.Equal(HttpStatusCode.NotFound, (await auth.ResolveAsync(key)).Status);
        (await auth.GetAsync("/team/info?team_id=t1")).Refused(404, "team_not_found");
        (await auth.PostAsync("/team/update", new { team_id = "t1" })).Refused(404, "team_not_found");
        (await auth.PostAsync("/team/update", new { })).Refused(422, "invalid_request");
    }

    [Fact]
    public async Task Members_are_added_changed_and_removed_and_their_budgets_with_them()
    {
        (await auth.PostAsync("/team/new", new { team_id = "t2" })).Ok();
        (await auth.PostAsync("/team/member_add", new { team_id = "t2", member = new object[] { new { role = "user", user_id = "m1" }, new { role = "admin", user_email = "m2@example.com" } }, max_budget_in_team = 5 })).Ok();
        var key = await auth.NewKeyAsync(new { team_id = "t2", user_id = "m1" });
        Assert.Equal(("team_member/t2:m1", 5m), ((await auth.SnapshotAsync(key)).Budgets[0].Id, (await auth.SnapshotAsync(key)).Budgets[0].Limit.ToDollars()));
        (await auth.PostAsync("/team/member_add", new { team_id = "t2", member = new { role = "user", user_id = "m1" } })).Refused(409, "already_exists");

        var updated = (await auth.PostAsync("/team/member_update", new { team_id = "t2", user_id = "m1", max_budget_in_team = 7.5m })).Ok().Json;
        Assert.Equal("7.5", updated["max_budget_in_team"]!.ToJsonString());
        Assert.Equal(7.5m, (await auth.SnapshotAsync(key)).Budgets[0].Limit.ToDollars());

        var left = (await auth.PostAsync("/team/member_delete", new { team_id = "t2", user_email = "M2@example.com" })).Ok().Json;
        Assert.Single(left["members_with_roles"]!.AsArray());
        (await auth.PostAsync("/team/member_delete", new { team_id = "t2", user_id = "m1" })).Ok();
        Assert.Empty((await auth.SnapshotAsync(key)).Budgets);
        (await auth.PostAsync("/team/member_delete", new { team_id = "t2", user_id = "m1" })).Refused(404, "user_not_found");
        (await auth.PostAsync("/team/member_add", new { team_id = "t2", member = new { role = "king", user_id = "m3" } })).Refused(422, "invalid_request");
        (await auth.PostAsync("/team/member_add", new { team_id = "t2" })).Refused(422, "invalid_request");
    }

    [Fact]
    public async Task A_team_and_an_organization_name_the_credentials_of_their_calls_the_nearest_wins()
    {
        auth.Declared.Set(auth.Declared.Current with { Credentials = new HashSet<string> { "of-team", "of-org", "of-key" } });
        (await auth.PostAsync("/organization/new", new { organization_id = "o3", credentials = new { openai = "of-org", azure = "of-org" } })).Ok();
        var team = (await auth.PostAsync("/team/new", new { team_id = "t3", organization_id = "o3", credentials = new { openai = "of-team" } })).Ok().Json;
        Assert.Equal("of-team", (string?)team["credentials"]!["openai"]);
        var key = await auth.NewKeyAsync(new { team_id = "t3" });
        var own = await auth.NewKeyAsync(new { team_id = "t3", credentials = new { openai = "of-key" } });
        var other = await auth.NewKeyAsync(new { models = new[] { "*" } });

        Assert.Equal(new Dictionary<string, string> { ["openai"] = "of-team", ["azure"] = "of-org" }, (await auth.SnapshotAsync(key)).Credentials);
        Assert.Equal("of-key", (await auth.SnapshotAsync(own)).Credentials!["openai"]);
        Assert.Null((await auth.SnapshotAsync(other)).Credentials);

        var unknown = (await auth.PostAsync("/team/update", new { team_id = "t3", credentials = new { openai = "of-nobody" } })).Refused(422, "invalid_request");
        Assert.Contains("there is no credential 'of-nobody'", (string?)unknown.Json["error"]!["message"], StringComparison.Ordinal);
        (await auth.PostAsync("/team/update", new { team_id = "t3", credentials = new { openai = new { api_key = "sk-real" } } })).Refused(422, "invalid_request");
        (await auth.PostAsync("/team/update", new { team_id = "t3", credentials = (object?)null })).Ok();
        Assert.Equal("of-org", (await auth.SnapshotAsync(key)).Credentials!["openai"]);
    }
}
