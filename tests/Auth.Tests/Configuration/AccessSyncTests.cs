using System.Net;
using Gateway.Auth.Configuration;
using Gateway.Auth.Tests.Hosting;
using Gateway.Configuration;
using Gateway.Contracts;
using Gateway.TestKit;

namespace Gateway.Auth.Tests.Configuration;

/// <summary>config.yaml's users come into force, and only what changed is changed.</summary>
public sealed class AccessSyncTests
{
    private static readonly UserAccess Alpha = new() { UserId = "team-alpha", ApiKey = new Secret("team-alpha-token"), Models = ["gpt-4", "claude-2"], MaxBudget = Money.FromDollars(500) };
    private static readonly UserAccess Beta = new() { UserId = "team-beta", ApiKey = new Secret("team-beta-token"), Models = ["gpt-4"], MaxBudget = Money.FromDollars(200), RpmLimit = 60 };

    [Fact]
    public async Task The_missions_users_are_there_with_models_budgets_and_keys()
    {
        await using var auth = await AuthHost.StartAsync(Of(Alpha, Beta));
        var alpha = await auth.SnapshotAsync("team-alpha-token");
        Assert.Equal(("team-alpha", "team-alpha", KeyStatus.Active, CallerRole.InternalUser), (alpha.UserId, alpha.KeyAlias, alpha.Status, alpha.Role));
        Assert.Equal(["gpt-4", "claude-2"], alpha.Models!);
        var budget = Assert.Single(alpha.Budgets);
        Assert.Equal(("user/team-alpha", 500m), (budget.Id, budget.Limit.ToDollars()));
        var beta = await auth.SnapshotAsync("team-beta-token");
        Assert.Equal(["gpt-4"], beta.Models!);
        Assert.Equal(new LimitDefinition("user/team-beta", LimitKind.RequestsPerMinute, 60), Assert.Single(beta.Limits));
    }

    [Fact]
    public async Task A_second_start_changes_nothing_and_several_may_start_at_once()
    {
        var database = await Servers.Shared.NewDatabaseAsync("auth");
        var hosts = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => AuthHost.StartAsync(Of(Alpha, Beta) with { Database = database })));
        var first = (await hosts[0].SqlAsync<long>("select last from access_revision"), await hosts[0].SqlAsync<long>("select count(*) from audit"));
        await using (var again = await AuthHost.StartAsync(Of(Alpha, Beta) with { Database = database }))
        {
            Assert.Equal(first, (await again.SqlAsync<long>("select last from access_revision"), await again.SqlAsync<long>("select count(*) from audit")));
            Assert.Equal(2, await again.SqlAsync<long>("select count(*) from keys"));
        }

        foreach (var host in hosts)
        {
            await host.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_reload_changes_budgets_disables_who_went_and_brings_back_who_returns_with_the_same_id()
    {
        await using var auth = await AuthHost.StartAsync(Of(Alpha, Beta));
        var before = await auth.SnapshotAsync("team-beta-token");

        auth.Declared.Set(Of(Alpha with { MaxBudget = Money.FromDollars(750) }).Declared);
        await auth.UntilAsync(async () => (await auth.SnapshotAsync("team-beta-token")).Status == KeyStatus.Blocked, "team-beta is disabled");
        Assert.Equal(750, Assert.Single((await auth.SnapshotAsync("team-alpha-token")).Budgets).Limit.ToDollars());
        Assert.Equal(1, await auth.SqlAsync<long>("select count(*) from audit where action = 'disabled' and object_type = 'user' and object_id = 'team-beta' and actor = 'config.yaml'"));

        auth.Declared.Set(Of(Alpha, Beta).Declared);
        await auth.UntilAsync(async () => (await auth.SnapshotAsync("team-beta-token")).Status == KeyStatus.Active, "team-beta is back");
        Assert.Equal(before.KeyId, (await auth.SnapshotAsync("team-beta-token")).KeyId);
    }

    [Fact]
    public async Task What_an_administrator_blocked_stays_blocked_over_a_start()
    {
        var database = await Servers.Shared.NewDatabaseAsync("auth");
        await using (var auth = await AuthHost.StartAsync(Of(Alpha) with { Database = database }))
        {
            (await auth.PostAsync("/key/block", new { key = "team-alpha-token" })).Ok();
            (await auth.PostAsync("/key/delete", new { keys = new[] { "team-alpha-token" } })).Refused(422, "invalid_request");
        }

        await using var again = await AuthHost.StartAsync(Of(Alpha) with { Database = database });
        Assert.Equal(KeyStatus.Blocked, (await again.SnapshotAsync("team-alpha-token")).Status);
    }

    [Fact]
    public async Task A_declared_users_credentials_are_its_keys_and_the_same_ones_again_change_nothing()
    {
        var database = await Servers.Shared.NewDatabaseAsync("auth");
        var declared = Of(Alpha with { Credentials = new Dictionary<string, string> { ["openai"] = "of-alpha", ["azure"] = "of-alpha" } }) with { Database = database };
        long before;
        await using (var auth = await AuthHost.StartAsync(declared))
        {
            Assert.Equal(("of-alpha", 2), ((await auth.SnapshotAsync("team-alpha-token")).Credentials!["openai"], (await auth.SnapshotAsync("team-alpha-token")).Credentials!.Count));
            before = await auth.SqlAsync<long>("select last from access_revision");
        }

        await using (var again = await AuthHost.StartAsync(declared))
        {
            Assert.Equal(before, await again.SqlAsync<long>("select last from access_revision"));
        }

        await using var without = await AuthHost.StartAsync(Of(Alpha) with { Database = database });
        Assert.Null((await without.SnapshotAsync("team-alpha-token")).Credentials);
    }

    [Fact]
    public async Task A_changed_api_key_replaces_the_old_one()
    {
        await using var auth = await AuthHost.StartAsync(Of(Alpha));
        auth.Declared.Set(Of(Alpha with { ApiKey = new Secret("another-token-of-alpha") }).Declared);
        await auth.UntilAsync(async () => (await auth.ResolveAsync("another-token-of-alpha")).Status == HttpStatusCode.OK, "the new key works");
        Assert.Equal(KeyStatus.Blocked, (await auth.SnapshotAsync("team-alpha-token")).Status);
        Assert.Equal("team-alpha", (await auth.SnapshotAsync("another-token-of-alpha")).KeyAlias);
    }

    [Fact]
    public async Task No_models_means_none_a_star_means_all_and_a_team_is_made()
    {
        await using var auth = await AuthHost.StartAsync(Of(Alpha with { Models = [] }, Beta with { Models = ["*"], TeamId = "platform" }));
        Assert.Empty((await auth.SnapshotAsync("team-alpha-token")).Models!);
        var beta = await auth.SnapshotAsync("team-beta-token");
        Assert.Null(beta.Models);
        Assert.Equal("platform", beta.TeamId);
        Assert.Equal("user/team-beta", Assert.Single(beta.Budgets).Id);
    }

    [Fact]
    public async Task A_rotated_master_key_stops_the_old_one_and_edges_hear_of_it()
    {
        await using var auth = await AuthHost.StartAsync(Of(Alpha));
        var before = (await auth.SnapshotAsync(AuthSetup.MasterKey)).KeyId;
        var position = await auth.SqlAsync<long>("select last from access_revision");
        auth.Declared.Set(Of(Alpha).Declared with { MasterKey = new Secret("sk-another-master-0123456") });
        await auth.UntilAsync(async () => (await auth.ResolveAsync(AuthSetup.MasterKey)).Status == HttpStatusCode.NotFound, "the old master key is unknown");
        Assert.Equal(before, (await auth.SnapshotAsync("sk-another-master-0123456")).KeyId);
        using var reading = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await foreach (var change in auth.ChangesAsync(position, reading.Token))
        {
            if (change.Kind == AccessChangeKind.Key && change.Id == before)
            {
                return;
            }
        }
    }

    [Fact]
    public async Task A_weak_master_key_is_refused_outside_of_development_and_warned_of_inside()
    {
        var weak = new DeclaredAccess { MasterKey = new Secret("sk-1234") };
        Assert.Contains("less than 16 characters", weak.Problem(isDevelopment: false), StringComparison.Ordinal);
        await using var development = await AuthHost.StartAsync(new AuthSetup { Environment = "Development", Declared = weak });
        Assert.Equal(CallerRole.ProxyAdmin, (await development.SnapshotAsync("sk-1234")).Role);
        Assert.Contains(development.Log, line => line.Contains("can be guessed", StringComparison.Ordinal));

        // On a reload the master key in force stays.
        await using var production = await AuthHost.StartAsync();
        production.Declared.Set(weak);
        await production.UntilAsync(() => Task.FromResult(production.Log.Any(line => line.StartsWith("Error", StringComparison.Ordinal) && line.Contains("not put in force", StringComparison.Ordinal))), "the reload is refused");
        Assert.Equal(HttpStatusCode.OK, (await production.ResolveAsync(AuthSetup.MasterKey)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await production.ResolveAsync("sk-1234")).Status);
    }

    [Fact]
    public async Task A_declared_key_that_an_administrator_gave_to_somebody_else_is_refused()
    {
        await using var auth = await AuthHost.StartAsync(Of(Alpha));
        await auth.NewKeyAsync(new { key = "sk-taken-0123456789", user_id = "somebody" });
        auth.Declared.Set(Of(Alpha, Beta with { ApiKey = new Secret("sk-taken-0123456789") }).Declared);
        await auth.UntilAsync(() => Task.FromResult(auth.Log.Any(line => line.Contains("api_key of team-beta is a key that an administrator made", StringComparison.Ordinal))), "the reload is refused");
        Assert.Equal("somebody", (await auth.SnapshotAsync("sk-taken-0123456789")).UserId);
    }

    private static AuthSetup Of(params UserAccess[] users) =>
        new() { Declared = new DeclaredAccess { MasterKey = new Secret(AuthSetup.MasterKey), Users = users } };
}
