using Gateway.Auth.Tests.Hosting;

namespace Gateway.Auth.Tests.Audit;

public sealed class AuditTests(SharedAuth shared) : IClassFixture<SharedAuth>
{
    private readonly AuthHost auth = shared.Host;

    [Fact]
    public async Task Every_mutation_leaves_a_line_with_who_what_before_and_after()
    {
        var key = await auth.NewKeyAsync(new { key_alias = "audited", max_budget = 1 });
        var id = (await auth.SnapshotAsync(key)).KeyId;
        (await auth.PostAsync("/key/update", new { key, max_budget = 2 })).Ok();
        (await auth.PostAsync("/key/block", new { key })).Ok();
        (await auth.PostAsync($"/key/{id}/regenerate", new { })).Ok();
        (await auth.PostAsync("/key/delete", new { keys = new[] { id } })).Ok();

        var lines = (await auth.GetAsync($"/audit?object_type=key&object_id={id}")).Ok().Json["audit_logs"]!.AsArray();
        Assert.Equal(["deleted", "regenerated", "blocked", "updated", "created"], lines.Select(line => (string?)line!["action"]));
        Assert.All(lines, line => Assert.Equal("master key", (string?)line!["changed_by"]));
        var update = lines[3]!;
        Assert.Equal(("1", "2"), (update["before_value"]!["max_budget"]!.ToJsonString(), update["updated_values"]!["max_budget"]!.ToJsonString()));
        Assert.Null(lines[0]!["updated_values"]);
        Assert.DoesNotContain(key, lines.ToJsonString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refused_mutation_leaves_no_line_and_no_change()
    {
        var before = (await auth.SqlAsync<long>("select count(*) from audit"), await auth.SqlAsync<long>("select last from access_revision"));
        (await auth.PostAsync("/key/generate", new { user_id = "never-made", team_id = "no-such-team" })).Refused(422, "invalid_request");
        (await auth.PostAsync("/user/new", new { user_id = "never-made", teams = new[] { "no-such-team" } })).Refused(422, "invalid_request");
        Assert.Equal(before, (await auth.SqlAsync<long>("select count(*) from audit"), await auth.SqlAsync<long>("select last from access_revision")));
    }
}
