using Gateway.Auth.Configuration;
using Gateway.Auth.Tests.Hosting;
using Gateway.Contracts;
using Gateway.TestKit;

namespace Gateway.Auth.Tests.Configuration;

/// <summary>The mission's config.yaml, as it stands.</summary>
public sealed class ConfigFileTests
{
    private const string Mission = """
        model_list:
          - model_name: gpt-4
            litellm_params:
              model: openai/gpt-4
          - model_name: claude-2
            litellm_params:
              model: anthropic/claude-2

        router_settings:
          routing_strategy: usage-based  # or latency-based, cost-based

        user_access:
          - user_id: team-alpha
            models: [gpt-4, claude-2]
            max_budget: 500.00
          - user_id: team-beta
            models: [gpt-4]
            max_budget: 200.00
        """;

    [Fact]
    public async Task In_development_the_missions_users_have_their_tokens_and_the_environments_master_key_is_the_admin()
    {
        await using var auth = await AuthHost.StartAsync(new AuthSetup { Environment = "Development", ConfigFile = Write(Mission) });
        var alpha = await auth.SnapshotAsync("team-alpha-token");
        Assert.Equal(["gpt-4", "claude-2"], alpha.Models!);
        Assert.Equal(("user/team-alpha", Money.FromDollars(500)), (alpha.Budgets[0].Id, alpha.Budgets[0].Limit));
        Assert.Equal(["gpt-4"], (await auth.SnapshotAsync("team-beta-token")).Models!);
        Assert.Equal(CallerRole.ProxyAdmin, (await auth.SnapshotAsync(AuthSetup.MasterKey)).Role);
    }

    [Fact]
    public async Task A_file_with_errors_stops_the_start_with_all_of_them()
    {
        var error = await Assert.ThrowsAsync<UnusableSettingsException>(() => AuthHost.StartAsync(new AuthSetup
        {
            Environment = "Development", ConfigFile = Write(Mission.Replace("200.00", "plenty", StringComparison.Ordinal).Replace("routing_strategy: usage-based", "routing_strategy: by-moon", StringComparison.Ordinal)),
        }));
        Assert.Contains("max_budget", error.Message, StringComparison.Ordinal);
        Assert.Contains("routing_strategy", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_weak_master_key_in_the_file_stops_the_start_outside_of_development()
    {
        var file = Write("general_settings:\n  master_key: sk-1234\nmodel_list:\n  - model_name: local\n    litellm_params:\n      model: openai/local\n      api_base: http://127.0.0.1:9/v1\n      api_key: none-needed\n");
        var error = await Assert.ThrowsAsync<UnusableSettingsException>(() => AuthHost.StartAsync(new AuthSetup { ConfigFile = file }));
        Assert.Contains("master", error.Message, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("sk-1234", error.Message, StringComparison.Ordinal);
    }

    private static string Write(string yaml)
    {
        var path = Path.Combine(Servers.NewFolder("config"), "config.yaml");
        File.WriteAllText(path, yaml);
        return path;
    }
}
