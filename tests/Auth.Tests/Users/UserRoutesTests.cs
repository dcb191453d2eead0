using System.Net;
using Gateway.Auth.Tests.Hosting;
using Gateway.Contracts;

namespace Gateway.Auth.Tests.Users;

public sealed class UserRoutesTests(SharedAuth shared) : IClassFixture<SharedAuth>
{
    private readonly AuthHost auth = shared.Host;

    [Fact]
    public async Task A_user_is_made_with_a_key_changed_shown_listed_and_deleted_with_its_keys()
    {
        (await auth.PostAsync("/team/new", new { team_id = "users-team" })).Ok();
        var made = (await auth.PostAsync("/user/new", new { user_id = "ann", user_email = "Ann@example.com", user_role = "internal_user", max_budget = 5, budget_duration = "1d", teams = new[] { "users-team" } })).Ok().Json;
        var key = (string)made["key"]!;
        Assert.Equal(("ann", "internal_user", "5"), ((string?)made["user_id"], (string?)made["user_role"], made["max_budget"]!.ToJsonString()));
        Assert.Equal(("user/ann", "1d"), (Assert.Single((await auth.SnapshotAsync(key)).Budgets).Id, (await auth.SnapshotAsync(key)).Budgets[0].Period));
        (await auth.PostAsync("/user/new", new { user_id = "ann" })).Refused(409, "already_exists");
        (await auth.PostAsync("/user/new", new { user_email = "ANN@example.com" })).Refused(409, "already_exists");
        (await auth.PostAsync("/user/new", new { user_role = "emperor" })).Refused(422, "invalid_request");

        (await auth.PostAsync("/user/update", new { user_id = "ann", max_budget = 6.5m, rpm_limit = 3 })).Ok();
        Assert.Equal(6.5m, Assert.Single((await auth.SnapshotAsync(key)).Budgets).Limit.ToDollars());
        (await auth.PostAsync("/user/update", new { user_id = "nobody" })).Refused(404, "user_not_found");

        var info = (await auth.GetAsync("/user/info?user_id=ann")).Ok().Json;
        Assert.Equal("Ann@example.com", (string?)info["user_info"]!["user_email"]);
        Assert.Single(info["keys"]!.AsArray());
        Assert.Equal("users-team", (string?)Assert.Single(info["teams"]!.AsArray())!["team_id"]);
        var list = (await auth.GetAsync("/user/list?user_email=ann@")).Ok().Json;
        Assert.Equal((1, 1), ((int)list["total"]!, list["users"]!.AsArray().Count));

        var deleted = (await auth.PostAsync("/user/delete", new { user_ids = new[] { "ann" } })).Ok().Json;
        Assert.Single(deleted["deleted_keys"]!.AsArray());
        Assert.Equal(HttpStatusCode.NotFound, (await auth.ResolveAsync(key)).Status);
        (await auth.GetAsync("/user/info?user_id=ann")).Refused(404, "user_not_found");
    }

    [Fact]
    public async Task A_user_without_an_own_key_and_one_named_first_by_a_key()
    {
        var made = (await auth.PostAsync("/user/new", new { auto_create_key = false })).Ok().Json;
        Assert.Null(made["key"]);
        await auth.NewKeyAsync(new { user_id = "implicit" });
        (await auth.PostAsync("/user/update", new { user_id = "implicit", max_budget = 1 })).Ok();
    }

    [Fact]
    public async Task A_refused_first_key_makes_no_user()
    {
        (await auth.PostAsync("/user/new", new { user_id = "half", duration = "soon" })).Refused(422, "invalid_request");
        (await auth.GetAsync("/user/info?user_id=half")).Refused(404, "user_not_found");
    }

    [Fact]
    public async Task A_changed_budget_reaches_a_teams_key_of_the_user()
    {
        // T-4: the user's budget holds for its keys in a team too.
        (await auth.PostAsync("/team/new", new { team_id = "t4" })).Ok();
        var key = await auth.NewKeyAsync(new { user_id = "t4-user", team_id = "t4" });
        (await auth.PostAsync("/user/update", new { user_id = "t4-user", max_budget = 2 })).Ok();
        Assert.Equal(("user/t4-user", Money.FromDollars(2)), (Assert.Single((await auth.SnapshotAsync(key)).Budgets).Id, (await auth.SnapshotAsync(key)).Budgets[0].Limit));
    }
}
