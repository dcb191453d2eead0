using System.Net;
using Gateway.Auth.Tests.Hosting;
using Gateway.Contracts;

namespace Gateway.Auth.Tests.Keys;

/// <summary>The admin API of keys, in LiteLLM's shapes.</summary>
public sealed class KeyRoutesTests(SharedAuth shared) : IClassFixture<SharedAuth>
{
    private readonly AuthHost auth = shared.Host;

    [Fact]
    public async Task A_generated_key_has_litellms_fields_and_works()
    {
        (await auth.PostAsync("/team/new", new { team_id = "payments" })).Ok();
        var made = (await auth.PostAsync("/key/generate", new
        {
            key_alias = "ci", duration = "30d", models = new[] { "gpt-4" }, max_budget = 10.25m, soft_budget = 8, budget_duration = "30d",
            budget_limits = new[] { new { budget_duration = "1d", max_budget = 0.000000001m } }, user_id = "u1", team_id = "payments", rpm_limit = 100, tpm_limit = 20000,
            max_parallel_requests = 5, metadata = new { cost_centre = "42" }, tags = new[] { "a" }, allowed_routes = new[] { "/chat/completions" },
        })).Ok().Json;

        var key = (string)made["key"]!;
        Assert.Matches("^sk-[A-Za-z0-9_-]{32}$", key);
        Assert.Equal($"sk-...{key[^4..]}", (string?)made["key_name"]);
        Assert.Matches("^[0-9a-f]{64}$", (string?)made["token"]);
        Assert.Equal((string?)made["token"], (string?)made["token_id"]);
        Assert.Equal("10.25", made["max_budget"]!.ToJsonString());
        Assert.Equal("0.000000001", made["budget_limits"]![0]!["max_budget"]!.ToJsonString());
        Assert.Equal("42", (string?)made["metadata"]!["cost_centre"]);
        Assert.InRange((DateTimeOffset)made["expires"]!, TimeProvider.System.GetUtcNow().AddDays(29.9), TimeProvider.System.GetUtcNow().AddDays(30.1));
        Assert.Equal("master key", (string?)made["created_by"]);
        Assert.NotNull(made["created_at"]);
        Assert.NotNull(made["budget_reset_at"]);
        Assert.True(made.AsObject().ContainsKey("litellm_budget_table"));
        Assert.Null(made["warnings"]);

        var snapshot = await auth.SnapshotAsync(key);
        Assert.Equal((string?)made["token"], snapshot.KeyId);
        Assert.Equal(("ci", "u1", "payments", KeyStatus.Active), (snapshot.KeyAlias, snapshot.UserId, snapshot.TeamId, snapshot.Status));
        Assert.Equal(["gpt-4"], snapshot.Models!);
        Assert.Equal(["/chat/completions"], snapshot.AllowedRoutes!);
        Assert.Equal(["a"], snapshot.Tags);
        Assert.Equal(
            [("30d", 10_250_000_000, 8_000_000_000), ("1d", 1, null)],
            snapshot.Budgets.Select(budget => (budget.Period, budget.Limit.NanoDollars, budget.SoftLimit?.NanoDollars)));
        Assert.Equal(
            [(LimitKind.RequestsPerMinute, 100), (LimitKind.TokensPerMinute, 20_000), (LimitKind.ParallelRequests, 5)],
            snapshot.Limits.Select(limit => (limit.Kind, limit.Limit)));
        Assert.All(snapshot.Limits, limit => Assert.Equal($"key/{snapshot.KeyId}", limit.Owner));
    }

    [Fact]
    public async Task Info_is_found_by_key_and_by_id_and_never_shows_the_key()
    {
        var key = await auth.NewKeyAsync(new { key_alias = "info" });
        var byKey = (await auth.GetAsync($"/key/info?key={key}")).Ok().Json;
        var byId = (await auth.GetAsync($"/key/info?key={byKey["key"]}")).Ok().Json;
        Assert.Equal("info", (string?)byId["info"]!["key_alias"]);
        Assert.DoesNotContain(key, byKey.ToJsonString(), StringComparison.Ordinal);
        foreach (var field in (string[])["key_name", "key_alias", "spend", "expires", "models", "aliases", "config", "user_id", "team_id", "max_budget", "budget_duration",
            "budget_reset_at", "tpm_limit", "rpm_limit", "max_parallel_requests", "metadata", "blocked"])
        {
            Assert.True(byKey["info"]!.AsObject().ContainsKey(field), field);
        }

        (await auth.GetAsync("/key/info?key=sk-there-is-no-such-key")).Refused(404, "key_not_found");
        Assert.Equal("master-key", (string?)(await auth.GetAsync("/key/info")).Ok().Json["info"]!["key_alias"]);
    }

    [Fact]
    public async Task Update_changes_what_is_named_null_takes_away_and_the_rest_stays()
    {
        var key = await auth.NewKeyAsync(new { key_alias = "update", max_budget = 1, rpm_limit = 7, models = new[] { "gpt-4" }, duration = "1h" });
        var first = await auth.SnapshotAsync(key);
        var updated = (await auth.PostAsync("/key/update", new { key, max_budget = 2.5m, models = Array.Empty<string>(), duration = "-1" })).Ok().Json;
        Assert.DoesNotContain(key, updated.ToJsonString(), StringComparison.Ordinal);
        var second = await auth.SnapshotAsync(key);
        Assert.Equal(2_500_000_000, Assert.Single(second.Budgets).Limit.NanoDollars);
        Assert.True(second.Budgets[0].Revision > first.Budgets[0].Revision && second.Revision > first.Revision);
        Assert.Null(second.Models);
        Assert.Null(second.ExpiresAt);
        Assert.Equal(7, Assert.Single(second.Limits).Limit);

        (await auth.PostTextAsync("/key/update", $$"""{"key":"{{first.KeyId}}","max_budget":null,"rpm_limit":null}""")).Ok();
        var third = await auth.SnapshotAsync(key);
        Assert.Empty(third.Budgets);
        Assert.Empty(third.Limits);
        Assert.Equal("update", third.KeyAlias);
    }

    [Fact]
    public async Task Block_unblock_and_delete_by_key_id_or_alias()
    {
        var keys = new[] { await auth.NewKeyAsync(new { key_alias = "d1" }), await auth.NewKeyAsync(new { key_alias = "d2" }), await auth.NewKeyAsync(new { key_alias = "d3" }) };
        var id = (await auth.SnapshotAsync(keys[1])).KeyId;
        Assert.True((bool?)(await auth.PostAsync("/key/block", new { key = keys[0] })).Ok().Json["blocked"]);
        Assert.Equal(KeyStatus.Blocked, (await auth.SnapshotAsync(keys[0])).Status);
        (await auth.PostAsync("/key/unblock", new { key = keys[0] })).Ok();
        Assert.Equal(KeyStatus.Active, (await auth.SnapshotAsync(keys[0])).Status);

        var deleted = (await auth.PostAsync("/key/delete", new { keys = new[] { keys[0], id } })).Ok().Json;
        Assert.Equal([keys[0], id], deleted["deleted_keys"]!.AsArray().Select(one => (string?)one));
        (await auth.PostAsync("/key/delete", new { key_aliases = new[] { "d3" } })).Ok();
        foreach (var key in keys)
        {
            Assert.Equal(HttpStatusCode.NotFound, (await auth.ResolveAsync(key)).Status);
        }

        (await auth.PostAsync("/key/delete", new { keys = new[] { keys[0] } })).Refused(404, "key_not_found");
        (await auth.PostAsync("/key/delete", new { })).Refused(422, "invalid_request");
    }

    [Fact]
    public async Task A_regenerated_key_keeps_id_and_budget_and_the_old_value_stops()
    {
        var key = await auth.NewKeyAsync(new { key_alias = "regenerate", max_budget = 3 });
        var before = await auth.SnapshotAsync(key);
        var made = (await auth.PostAsync($"/key/{key}/regenerate", new { rpm_limit = 9 })).Ok().Json;
        var renewed = (string)made["key"]!;
        Assert.NotEqual(key, renewed);
        Assert.Equal(HttpStatusCode.NotFound, (await auth.ResolveAsync(key)).Status);
        var after = await auth.SnapshotAsync(renewed);
        Assert.Equal((before.KeyId, "regenerate", 3_000_000_000), (after.KeyId, after.KeyAlias, Assert.Single(after.Budgets).Limit.NanoDollars));
        Assert.Equal(9, Assert.Single(after.Limits).Limit);
        (await auth.PostAsync("/key/sk-no-such-key-at-all/regenerate", new { })).Refused(404, "key_not_found");
    }

    [Fact]
    public async Task Two_at_once_with_the_same_own_key_or_alias_make_one_key()
    {
        const string own = "sk-own-value-0123456789";
        var answers = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => auth.PostAsync("/key/generate", new { key = own })));
        Assert.Single(answers, answer => answer.Status == HttpStatusCode.OK);
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.OK), answer => answer.Refused(409, "already_exists"));
        Assert.All(answers.Where(answer => answer.Status != HttpStatusCode.OK), answer => Assert.DoesNotContain(own, answer.Json.ToJsonString(), StringComparison.Ordinal));

        var aliases = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => auth.PostAsync("/key/generate", new { key_alias = "only-one" })));
        Assert.Single(aliases, answer => answer.Status == HttpStatusCode.OK);
        (await auth.PostAsync("/key/generate", new { key = AuthSetup.MasterKey })).Refused(409, "already_exists");
    }

    [Fact]
    public async Task A_key_made_again_with_the_same_value_is_another_key()
    {
        const string own = "sk-again-and-again-0123";
        await auth.NewKeyAsync(new { key = own });
        var first = (await auth.SnapshotAsync(own)).KeyId;
        (await auth.PostAsync("/key/delete", new { keys = new[] { own } })).Ok();
        await auth.NewKeyAsync(new { key = own });
        Assert.NotEqual(first, (await auth.SnapshotAsync(own)).KeyId);
    }

    [Fact]
    public async Task List_pages_and_filters_by_ids_or_whole_objects()
    {
        foreach (var index in Enumerable.Range(0, 5))
        {
            await auth.NewKeyAsync(new { user_id = "lister", key_alias = $"list-{index}" });
        }

        var page = (await auth.GetAsync("/key/list?user_id=lister&size=2&page=2")).Ok().Json;
        Assert.Equal((5, 2, 3), ((int)page["total_count"]!, (int)page["current_page"]!, (int)page["total_pages"]!));
        Assert.All(page["keys"]!.AsArray(), key => Assert.Matches("^[0-9a-f]{64}$", (string?)key));
        var full = (await auth.GetAsync("/key/list?user_id=lister&return_full_object=true")).Ok().Json;
        Assert.Equal(["list-4", "list-3", "list-2", "list-1", "list-0"], full["keys"]!.AsArray().Select(key => (string?)key!["key_alias"]));
        (await auth.GetAsync("/key/list?size=1000")).Refused(422, "invalid_request");
        (await auth.GetAsync("/key/list?page=x")).Refused(422, "invalid_request");
    }

    [Theory]
    [InlineData("""{"max_budget":"ten"}""", 422, "max_budget")]
    [InlineData("""{"max_budget":-1}""", 422, "max_budget")]
    [InlineData("""{"max_budget":1e300}""", 422, "max_budget")]
    [InlineData("""{"rpm_limit":1.5}""", 422, "rpm_limit")]
    [InlineData("""{"models":"gpt-4"}""", 422, "models")]
    [InlineData("""{"budget_duration":"fortnight"}""", 422, "budget_duration")]
    [InlineData("""{"duration":"soon"}""", 422, "duration")]
    [InlineData("""{"duration":"999999999y"}""", 422, "duration")]
    [InlineData("""{"metadata":[]}""", 422, "metadata")]
    [InlineData("""{"metadata":{"a":"\u0000"}}""", 422, "metadata")]
    [InlineData("""{"key_alias":"a\u0000b"}""", 422, "key_alias")]
    [InlineData("""{"team_id":"no-such-team"}""", 422, "team_id")]
    [InlineData("""{"user_id":"a b"}""", 422, "user_id")]
    [InlineData("""{"key":"sk-short"}""", 422, "key")]
    [InlineData("""{"key_type":"root"}""", 422, "key_type")]
    [InlineData("""{"budget_limits":[{"budget_duration":"1d"}]}""", 422, "budget_limits.max_budget")]
    [InlineData("""{"max_budget":1,"budget_duration":"1d","budget_limits":[{"budget_duration":"1d","max_budget":1}]}""", 422, "budget_limits")]
    [InlineData("""{"max_budget":1,"max_budget":2}""", 400, null)]
    [InlineData("""[1]""", 400, null)]
    [InlineData("""{"key": """, 400, null)]
    public async Task A_wrong_field_is_named_with_its_remedy_and_nothing_is_made(string body, int status, string? param)
    {
        var before = await auth.SqlAsync<long>("select count(*) from keys where created_by = 'master key' and user_id is not distinct from 'a b'");
        var answer = (await auth.PostTextAsync("/key/generate", body)).Refused(status, status == 400 ? "invalid_json" : "invalid_request");
        Assert.Equal(param, (string?)answer.Json["error"]!["param"]);
        Assert.Equal(0, before);
    }

    [Fact]
    public async Task All_wrong_fields_are_named_at_once()
    {
        var message = (string)(await auth.PostAsync("/key/generate", new { max_budget = "x", rpm_limit = -1, models = 4 })).Refused(422, "invalid_request").Json["error"]!["message"]!;
        Assert.All((string[])["max_budget:", "rpm_limit:", "models:"], field => Assert.Contains(field, message, StringComparison.Ordinal));
    }

    [Fact]
    public async Task Fields_without_effect_are_named_as_warnings()
    {
        var made = (await auth.PostAsync("/key/generate", new { max_budgt = 5, guardrails = new[] { "pii" }, spend = 0, permissions = new { }, model_rpm_limit = new { gpt = 5 } })).Ok().Json;
        var warnings = made["warnings"]!.AsArray().Select(one => (string)one!).ToArray();
        Assert.Equal(3, warnings.Length);
        Assert.Contains(warnings, warning => warning.StartsWith("max_budgt: unknown field", StringComparison.Ordinal));
        Assert.Contains(warnings, warning => warning.StartsWith("guardrails:", StringComparison.Ordinal));
        Assert.Contains(warnings, warning => warning.StartsWith("model_rpm_limit:", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_body_that_is_too_large_is_refused() =>
        (await auth.PostTextAsync("/key/generate", $$"""{"key_alias":"{{new string('a', 2 << 20)}}"}""")).Refused(413, "request_too_large");
}
