using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Ledger.Budgets;
using Gateway.ServiceDefaults;
using Microsoft.Extensions.DependencyInjection;

namespace Gateway.Ledger.Tests.Budgets;

[Collection(LedgerTurns.Name)]
public sealed class BudgetAdminTests
{
    [Fact]
    public async Task A_budget_is_made_shown_changed_and_deleted_and_a_new_limit_is_in_Redis_at_once()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var id = Build.NewId("provider");
        var made = await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/new", new { budget_id = id, max_budget = 100.5m, soft_budget = 80, tpm_limit = 7 }));
        Assert.Equal(100.5m, made.GetProperty("max_budget").GetDecimal());
        Assert.Equal("admin-ann", made.GetProperty("created_by").GetString());
        Assert.Equal(7, made.GetProperty("tpm_limit").GetInt32());
        Assert.Equal(100_500_000_000, await EnsureTests.FieldAsync(ledger, id, "limit"));
        Assert.Equal(HttpStatusCode.Conflict, (await ledger.AsAdminAsync(HttpMethod.Post, "/budget/new", new { budget_id = id, max_budget = 1 })).StatusCode);

        await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/update", new { budget_id = id, max_budget = 50 }));
        Assert.Equal(50_000_000_000, await EnsureTests.FieldAsync(ledger, id, "limit"));
        var info = (await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/info", new { budgets = new[] { id } })))[0];
        Assert.Equal((50m, 80m), (info.GetProperty("max_budget").GetDecimal(), info.GetProperty("soft_budget").GetDecimal()));

        // What an edge says of it does not change what an administrator made.
        await ledger.EnsureAsync("edge-1", Build.Ensure(id, 1, revision: 99));
        Assert.Equal(50_000_000_000, await EnsureTests.FieldAsync(ledger, id, "limit"));
        var definitions = await ledger.Http.GetFromJsonAsync<BudgetDefinition[]>("/internal/budgets/definitions", new JsonSerializerOptions(JsonSerializerDefaults.Web));
        Assert.Equal(id, definitions!.Single().Id);

        await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/delete", new { id }));
        Assert.Equal(0, (await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Get, "/budget/list"))).GetArrayLength());
    }

    [Fact]
    public async Task A_shared_budget_says_whose_requests_it_counts_and_is_told_to_edges_so()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var id = Build.NewId("shared");
        var key = new string('a', 64);
        var made = await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/new", new
        {
            budget_id = id, max_budget = 100, budget_duration = "1d",
            applies_to = new { teams = new[] { "a", "b" }, keys = new[] { key }, tags = new[] { "env=dev" }, models = new[] { "gpt-*" }, providers = new[] { "openai" } },
        }));
        Assert.Equal("b", made.GetProperty("applies_to").GetProperty("teams")[1].GetString());
        Assert.False(made.TryGetProperty("warnings", out _));

        var definition = (await DefinitionsAsync(ledger)).Single();
        Assert.Equal(["team/a", "team/b", $"key/{key}"], definition.Share!.Owners);
        Assert.Equal(["env=dev", "gpt-*", "provider/openai"], [.. definition.Share.Tags, .. definition.Share.Models, .. definition.Share.Targets]);

        // A change of something else keeps it; one of it replaces it whole.
        await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/update", new { budget_id = id, max_budget = 50 }));
        Assert.Equal(2, (await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/info", new { budgets = new[] { id } })))[0].GetProperty("applies_to").GetProperty("teams").GetArrayLength());
        await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/update", new { budget_id = id, applies_to = new { users = new[] { "ann" } } }));
        var changed = (await DefinitionsAsync(ledger)).Single();
        Assert.Equal(["user/ann"], changed.Share!.Owners);
        Assert.Empty(changed.Share.Tags);
        Assert.True(changed.Revision > definition.Revision);

        // Made anew under its old name it is newer than what edges know of the old one.
        await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/delete", new { id }));
        await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/new", new { budget_id = id, max_budget = 7, budget_duration = "1d", applies_to = new { teams = new[] { "a" } } }));
        Assert.True((await DefinitionsAsync(ledger)).Single().Revision > changed.Revision);
    }

    [Fact]
    public async Task A_budget_is_raised_for_a_time_gets_another_period_and_loses_its_soft_limit()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var id = Build.NewId("tag");
        var made = await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/new", new
        {
            budget_id = id, max_budget = 100, soft_budget = 80, temp_budget_increase = 50, temp_budget_expiry = DateTimeOffset.UtcNow.AddHours(1),
        }));
        Assert.Equal((50m, 80m), (made.GetProperty("temp_budget_increase").GetDecimal(), made.GetProperty("soft_budget").GetDecimal()));
        Assert.Equal(150_000_000_000, await EnsureTests.FieldAsync(ledger, id, "limit"));

        await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/update", new { budget_id = id, temp_budget_increase = (decimal?)null, soft_budget = (decimal?)null }));
        Assert.Equal(100_000_000_000, await EnsureTests.FieldAsync(ledger, id, "limit"));
        var alone = await ledger.AsAdminAsync(HttpMethod.Post, "/budget/update", new { budget_id = id, temp_budget_increase = 5 });
        Assert.Equal(422, (int)alone.StatusCode);

        await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/update", new { budget_id = id, budget_duration = "1d" }));
        var now = (await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/info", new { budgets = new[] { id } }))).EnumerateArray().Single();
        Assert.Equal(("1d", 100m, JsonValueKind.Null), (now.GetProperty("budget_duration").GetString(), now.GetProperty("max_budget").GetDecimal(), now.GetProperty("soft_budget").ValueKind));

        // With two of one id the duration says which, and nothing is guessed.
        await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/new", new { budget_id = id, max_budget = 1_000, budget_duration = "1mo" }));
        var unknown = await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/update", new { budget_id = id, budget_duration = "7d" }), mustSucceed: false);
        Assert.Contains("1d, 1mo", unknown.GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_duration_for_a_budget_of_the_configuration_adds_none_beside_it()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var id = $"provider/{Build.NewId("p")}";
        await using var configured = ledger.Database.CreateCommand("insert into budgets (budget_id, period, limit_nano, time_zone, revision, source) values ($1, '1d', 1000, 'UTC', 1, 'auth')");
        configured.Parameters.AddWithValue(id);
        await configured.ExecuteNonQueryAsync();

        var answer = await ledger.AsAdminAsync(HttpMethod.Post, "/budget/update", new { budget_id = id, budget_duration = "7d", max_budget = 1 });

        Assert.Equal(404, (int)answer.StatusCode);
        await using var count = ledger.Database.CreateCommand("select count(*) from budgets where budget_id = $1");
        count.Parameters.AddWithValue(id);
        Assert.Equal(1L, await count.ExecuteScalarAsync());
    }

    [Fact]
    public async Task More_budgets_than_edges_keep_are_refused_and_all_up_to_there_are_in_force()
    {
        await using var ledger = await LedgerHost.StartAsync();
        await using (var fill = ledger.Database.CreateCommand(
            $"insert into budgets (budget_id, limit_nano, time_zone, revision, source) select 'tag/' || i, 1, 'UTC', 1, 'admin' from generate_series(1, {BudgetTable.AdministratorsMax}) i"))
        {
            await fill.ExecuteNonQueryAsync();
        }

        var refused = await ledger.AsAdminAsync(HttpMethod.Post, "/budget/new", new { budget_id = Build.NewId("tag"), max_budget = 1 });
        Assert.Equal(422, (int)refused.StatusCode);
        Assert.Contains("10000", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(BudgetTable.AdministratorsMax, (await ledger.Services.GetRequiredService<BudgetTable>().AdministratorsAsync(CancellationToken.None)).Length);
    }

    [Theory]
    [InlineData("shared")]
    [InlineData("tag")]
    [InlineData("deployment")]
    [InlineData("team_member")]
    [InlineData("team_model")]
    public async Task Every_budget_has_an_account_of_its_name(string scope)
    {
        await using var ledger = await LedgerHost.StartAsync();
        var id = Build.NewId(scope);
        await ledger.PublishAsync([Build.Record(70, windows: $"{id}@1d@1764547200"), Build.Record(30, windows: [id, $"{id}@1d@1764547200"])]);
        await Eventually.HoldsAsync(async () => await ledger.ScalarAsync<long>("select count(*) from journal.entries") == 2, "booked");
        var statement = await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Get, $"/budget/statement?account={Uri.EscapeDataString(id)}"));
        Assert.Equal((0.0000001m, 2), (statement.GetProperty("closing_balance").GetDecimal(), statement.GetProperty("last_entries").GetArrayLength()));
    }

    [Fact]
    public async Task An_adjustment_s_id_with_another_amount_is_refused_and_says_what_is_booked()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var (account, adjustment) = (Build.NewId(), Guid.CreateVersion7());
        await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/adjust", new { account, amount = 2, reason = "a refund", id = adjustment }));
        await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/adjust", new { account, amount = 2, reason = "a refund", id = adjustment }));
        foreach (var other in new object[] { new { account, amount = 3, reason = "a refund", id = adjustment }, new { account = Build.NewId(), amount = 2, reason = "a refund", id = adjustment } })
        {
            var refused = await ledger.AsAdminAsync(HttpMethod.Post, "/budget/adjust", other);
            Assert.Equal(409, (int)refused.StatusCode);
            Assert.Contains($"2 dollars on {account}", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task An_adjustment_is_answered_with_what_is_booked()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var (account, adjustment) = (Build.NewId(), Guid.CreateVersion7());
        await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/adjust", new { account, amount = 2, reason = "a refund", id = adjustment }));
        var again = await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/adjust", new { account, amount = 2, reason = "another reason", id = adjustment }));
        Assert.Equal(
            (adjustment, account, 2m, "a refund", "admin-ann"),
            (again.GetProperty("id").GetGuid(), again.GetProperty("account").GetString(), again.GetProperty("amount").GetDecimal(), again.GetProperty("reason").GetString(), again.GetProperty("author").GetString()));
        Assert.Equal("a refund", await ledger.ScalarAsync<string>("select reason from journal.entries"));
    }

    [Fact]
    public async Task An_adjustment_that_the_database_refuses_is_not_answered_as_booked()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var account = Build.NewId();
        await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/adjust", new { account, amount = 9_000_000_000, reason = "much" }));
        // More than a sum can hold.
        var refused = await ledger.AsAdminAsync(HttpMethod.Post, "/budget/adjust", new { account, amount = 9_000_000_000, reason = "too much" });
        Assert.Equal(422, (int)refused.StatusCode);
        Assert.Contains("rejected_records", await refused.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("22003", await ledger.ScalarAsync<string>("select reason from rejected_records"));
        Assert.Equal(1L, await ledger.ScalarAsync<long>("select count(*) from journal.entries"));
    }

    [Fact]
    public async Task A_shared_budget_that_names_nobody_says_so()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var made = await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/new", new { max_budget = 1 }));
        Assert.StartsWith("shared/", made.GetProperty("budget_id").GetString(), StringComparison.Ordinal);
        Assert.Contains("applies_to", made.GetProperty("warnings")[0].GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_end_user_s_budget_that_an_edge_sent_along_can_be_made_an_administrator_s()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var id = Build.NewId("end_user");
        await ledger.EnsureAsync("edge-1", Build.Ensure(id, 1_000));
        await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/new", new { budget_id = id, max_budget = 2 }));
        Assert.Equal(2_000_000_000, await EnsureTests.FieldAsync(ledger, id, "limit"));
        await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/delete", new { id }));
    }

    [Fact]
    public async Task How_the_budgets_above_a_key_stand_is_told_with_what_it_shares()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var (team, shared, other) = (Build.NewId("team"), Build.NewId("shared"), Build.NewId("shared"));
        await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/new", new { budget_id = shared, max_budget = 3, applies_to = new { teams = new[] { BudgetId.OwnerOf(team) }, tags = new[] { "env=dev" } } }));
        await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/new", new { budget_id = other, max_budget = 3, applies_to = new { teams = new[] { "others" } } }));
        var own = Build.Ensure(team, 5_000).Definition;
        await ledger.EnsureAsync("edge-1", Build.Ensure(team, 5_000));
        await EnsureTests.AcquireAsync(ledger, team, "edge-1", 100);
        await ledger.PublishAsync([Build.Record(60, windows: team)]);
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, team, "spent") == 60, "booked");

        var asked = new BudgetsAbove([own], ["key/k", team], ["env=dev"]);
        var answer = await ledger.Http.PostAsJsonAsync("/internal/budgets/above", asked, ContractsJson.Default.BudgetsAbove);
        var states = (await answer.Content.ReadFromJsonAsync(ContractsJson.Default.BudgetStateArray))!;
        Assert.Equal([new BudgetState(team, null, new(5_000), new(60), new(40), null), new BudgetState(shared, null, Money.FromDollars(3), Money.Zero, Money.Zero, null)], states);

        answer = await ledger.Http.PostAsJsonAsync("/internal/budgets/above", asked with { Tags = [] }, ContractsJson.Default.BudgetsAbove);
        Assert.Equal([team], (await answer.Content.ReadFromJsonAsync(ContractsJson.Default.BudgetStateArray))!.Select(state => state.BudgetId));
    }

    [Theory]
    [InlineData("""{"budget_id":"user/ann","max_budget":1}""", "/user/update")]
    [InlineData("""{"budget_id":"key_model/k:gpt-4","max_budget":1}""", "model_max_budget of /key/update")]
    [InlineData("""{"budget_id":"tag/a","max_budget":1,"applies_to":{"teams":["a"]}}""", "shared/")]
    [InlineData("""{"budget_id":"shared/a","max_budget":1,"applies_to":{}}""", "must name 1 to")]
    [InlineData("""{"budget_id":"shared/a","max_budget":1,"applies_to":{"team":["a"]}}""", "unknown field 'team'")]
    [InlineData("""{"budget_id":"shared/a","max_budget":1,"applies_to":{"keys":["sk-secret"]}}""", "ids of keys")]
    [InlineData("""{"budget_id":"nothing","max_budget":1}""", "scope/owner")]
    [InlineData("""{"budget_id":"tag/a","max_budget":-1}""", "dollars")]
    [InlineData("""{"budget_id":"tag/a"}""", "max_budget is missing")]
    [InlineData("""{"budget_id":"tag/a","max_budget":1,"budget_duration":"1 fortnight"}""", "budget_duration")]
    [InlineData("""{"budget_id":"tag/a","max_budget":1,"time_zone":"Mars/Olympus"}""", "time_zone")]
    public async Task A_wrong_budget_is_refused_with_the_remedy(string body, string names)
    {
        await using var ledger = await LedgerHost.StartAsync();
        var answer = await ledger.AsAdminAsync(HttpMethod.Post, "/budget/new", JsonSerializer.Deserialize<JsonElement>(body));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, answer.StatusCode);
        Assert.Contains(names, (await ReadAsync(answer, mustSucceed: false)).GetProperty("error").GetProperty("message").GetString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_adjustment_has_a_reason_and_an_author_counts_in_the_open_window_and_happens_once()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var id = Build.NewId();
        await ledger.EnsureAsync("edge-1", Build.Ensure(id, 10_000_000_000));
        Assert.Equal(HttpStatusCode.UnprocessableEntity, (await ledger.AsAdminAsync(HttpMethod.Post, "/budget/adjust", new { account = id, amount = 1 })).StatusCode);
        var adjustment = new { account = id, amount = -2.5m, reason = "provider refunded an outage", id = Guid.CreateVersion7() };
        await ledger.PublishAsync([Build.Record(4_000_000_000, user: BudgetId.OwnerOf(id), windows: id)]);
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, id, "spent") == 4_000_000_000, "booked");
        await Task.WhenAll(Enumerable.Range(0, 3).Select(async _ => await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Post, "/budget/adjust", adjustment))));
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, id, "spent") == 1_500_000_000, "taken back once");

        var statement = await ReadAsync(await ledger.AsAdminAsync(HttpMethod.Get, $"/budget/statement?account={Uri.EscapeDataString(id)}"));
        Assert.Equal(1.5m, statement.GetProperty("closing_balance").GetDecimal());
        Assert.Equal(2, statement.GetProperty("last_entries").GetArrayLength());
        var entry = statement.GetProperty("last_entries").EnumerateArray().Single(line => line.GetProperty("kind").GetString() == "adjustment");
        Assert.Equal(("provider refunded an outage", "admin-ann", id), (entry.GetProperty("reason").GetString(), entry.GetProperty("author").GetString(), entry.GetProperty("credit").GetString()));
    }

    [Fact]
    public async Task T10_a_reset_of_what_was_spent_takes_it_off_once_whoever_asks_at_once_and_leaves_what_comes_after()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var id = Build.NewId();
        await ledger.EnsureAsync("edge-1", Build.Ensure(id, 10_000));
        await ledger.PublishAsync([Build.Record(9_000, user: BudgetId.OwnerOf(id), windows: id)]);
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, id, "spent") == 9_000, "booked");

        var asked = new ResetAccount(id, new(500), "admin-ann");
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            var answer = await ledger.Http.PostAsJsonAsync("/internal/accounts/reset", asked, ContractsJson.Default.ResetAccount);
            return (await answer.Content.ReadFromJsonAsync(ContractsJson.Default.AccountReset))!;
        }));

        Assert.Contains(answers, answer => answer.Before == new Money(9_000));
        Assert.All(answers, answer => Assert.Equal(new Money(500), answer.Windows.Single().Spent));
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, id, "spent") == 500, "edges can spend it again");
        Assert.Equal("granted", (await EnsureTests.AcquireAsync(ledger, id, "edge-1", 9_500))[0]);
        await ledger.PublishAsync([Build.Record(70, user: BudgetId.OwnerOf(id), windows: id)]);
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, id, "spent") == 570, "what comes after it counts");
        var spend = await ledger.Http.PostAsJsonAsync("/internal/accounts/spend", new AccountsQuery([id]), ContractsJson.Default.AccountsQuery);
        Assert.Equal(new Money(570), (await spend.Content.ReadFromJsonAsync(ContractsJson.Default.AccountsSpend))!.Accounts[0].Spent);
        Assert.Equal(2L, await ledger.ScalarAsync<long>("select count(*) from journal.entries where kind = 'adjustment' and reason = 'reset_spend' and author = 'admin-ann'"));
    }

    [Fact]
    public async Task Only_administrators_change_budgets_and_viewers_look()
    {
        await using var ledger = await LedgerHost.StartAsync();
        foreach (var (role, get, post) in new[] { (CallerRole.InternalUser, 403, 403), (CallerRole.ProxyAdminViewer, 200, 403), (CallerRole.ProxyAdmin, 200, 422) })
        {
            foreach (var (method, path, expected) in new[] { (HttpMethod.Get, "/budget/list", get), (HttpMethod.Post, "/budget/new", post) })
            {
                var request = new HttpRequestMessage(method, path) { Content = method == HttpMethod.Post ? JsonContent.Create(new { budget_id = "tag/x" }) : null };
                request.Headers.Add(ServiceHeaders.Caller, CallerIdentity.ToHeader(new AccessSnapshot { KeyId = "k", Role = role }));
                Assert.Equal(expected, (int)(await ledger.Http.SendAsync(request)).StatusCode);
            }
        }
    }

    [Fact]
    public async Task Auth_is_told_what_accounts_spent_and_how_their_windows_stand()
    {
        await using var ledger = await LedgerHost.StartAsync();
        var id = Build.NewId();
        await ledger.EnsureAsync("edge-1", Build.Ensure(id, 1_000, period: "1d"), Build.Ensure(id, 5_000));
        var day = Build.Ensure(id, 1_000, period: "1d").Window.Id;
        await EnsureTests.AcquireAsync(ledger, day, "edge-1", 100);
        await ledger.PublishAsync([Build.Record(60, user: BudgetId.OwnerOf(id), windows: [day, id])]);
        await Eventually.HoldsAsync(async () => await EnsureTests.FieldAsync(ledger, day, "spent") == 60, "booked");
        var answer = await ledger.Http.PostAsJsonAsync("/internal/accounts/spend", new AccountsQuery([id, "user/nobody"]), ContractsJson.Default.AccountsQuery);
        var spend = (await answer.Content.ReadFromJsonAsync(ContractsJson.Default.AccountsSpend))!.Accounts;
        Assert.Equal(new Money(60), spend[0].Spent);
        Assert.Contains(new WindowState(day, new(1_000), new(60), new(40)), spend[0].Windows);
        Assert.Contains(new WindowState(id, new(5_000), new(60), Money.Zero), spend[0].Windows);
        Assert.Equal(Money.Zero, spend[1].Spent);
    }

    private static async Task<BudgetDefinition[]> DefinitionsAsync(LedgerHost ledger) =>
        (await ledger.Http.GetFromJsonAsync("/internal/budgets/definitions", ContractsJson.Default.BudgetDefinitionArray))!;

    internal static async Task<JsonElement> ReadAsync(HttpResponseMessage response, bool mustSucceed = true)
    {
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode || !mustSucceed, $"{response.StatusCode}: {text}");
        return JsonSerializer.Deserialize<JsonElement>(text);
    }
}
