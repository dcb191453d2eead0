using System.Text;
using Gateway.Cluster.Tests.Calls;
using Gateway.Cluster.Tests.Clusters;
using Gateway.Cluster.Tests.Upstreams;
using Gateway.TestKit.Providers;

namespace Gateway.Cluster.Tests.Credentials;

/// <summary>Which credential a call reaches its provider with, and that no credential is seen anywhere else.</summary>
[Collection(CredentialsCollection.Name)]
public sealed class CredentialsTests(CredentialsCluster cluster)
{
    private const string Unreadable = "The gateway has no credential for the provider.";

    [Fact]
    public async Task A_credential_that_is_rotated_in_a_store_or_in_its_file_is_used_without_a_restart()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team(key);
        foreach (var (model, place, rotate) in new (string, string, Action<string>)[]
        {
            ("in-vault", "vault", value => cluster.Vault.Write("secret/gateway/openai", ("api_key", value))),
            ("in-aws", "aws", value => cluster.Aws.Write("gateway/all", $$"""{"openai":"{{value}}"}""")),
            ("in-google", "google", value => cluster.Google.Write("openai", value)),
            ("in-azure", "azure", value => cluster.KeyVault.Write("openai-key", value)),
            ("in-file", "file", value => File.WriteAllText(cluster.KeyFile, value)),
        })
        {
            var processes = (await cluster.Gateway.ProgramAsync("edge")).ProcessId;
            (await team.ChatAsync(model)).IsOk();
            Assert.Equal($"Bearer sk-upstream-{place}-1", cluster.Upstream.RequestsOf(model)[^1].Headers["Authorization"]);

            // The provider takes the new one alone: it refuses the first call, which the gateway makes again after a look. One look a second.
            var number = 1;
            await Eventually.Is(
                async () =>
                {
                    await Eventually.PauseAsync(TimeSpan.FromSeconds(1.2));
                    Takes(model, $"sk-upstream-{place}-{++number}");
                    rotate($"sk-upstream-{place}-{number}");
                    return (await team.ChatAsync(model)).Status;
                },
                static status => status == 200, "the refused call is made again with the new credential, and its caller sees nothing");

            Assert.Equal($"Bearer sk-upstream-{place}-{number}", cluster.Upstream.RequestsOf(model)[^1].Headers["Authorization"]);
            Assert.Equal($"Bearer sk-upstream-{place}-{number - 1}", cluster.Upstream.RequestsOf(model)[^2].Headers["Authorization"]);
            Assert.Equal(processes, (await cluster.Gateway.ProgramAsync("edge")).ProcessId);
        }
    }

    [Fact]
    public async Task While_Vault_is_away_calls_go_on_with_the_last_value()
    {
        var (key, _) = await cluster.Admin.NewUserWithKeyAsync(10m);
        using var team = cluster.Team("team-research-token");
        cluster.Vault.IsAway = true;
        try
        {
            // A refusal makes the gateway look at a Vault that does not answer.
            Takes("shared", "sk-nobodys");
            (await team.ChatAsync("shared")).IsError(502, "provider_auth_failed");
            await Eventually.Holds(
                () => Task.FromResult(cluster.Gateway.Lines.Any(static line => line.Contains("vault/secret/research#key cannot be read", StringComparison.Ordinal))), "the log says so");
            Takes("shared", CredentialsCluster.OfResearch);
            (await team.ChatAsync("shared")).IsOk();
        }
        finally
        {
            cluster.Vault.IsAway = false;
        }
    }

    [Fact]
    public async Task A_changed_configuration_whose_credential_cannot_be_read_yet_comes_into_force_when_it_can()
    {
        using var team = cluster.Team(await cluster.Admin.NewKeyAsync(new { }));
        var file = cluster.Gateway.ConfigFile;
        var before = File.ReadAllText(file);
        File.WriteAllText(file, before.Replace("router_settings:", "  - {model_name: late, litellm_params: {<<: *scripted, model: openai/late, api_key: vault/secret/late}}\nrouter_settings:", StringComparison.Ordinal));
        await Eventually.Holds(
            () => Task.FromResult(cluster.Gateway.Lines.Any(static line => line.Contains("vault/secret/late#key: Vault has no such secret", StringComparison.Ordinal))), "the log says what is missing");
        (await team.ChatAsync("late")).IsError(404, "model_not_found");

        cluster.Vault.Write("secret/late", ("key", "sk-upstream-late"));
        await Eventually.Is(() => team.ChatAsync("late"), static answer => answer.Status == 200, "the new model is there");
        Assert.Equal("Bearer sk-upstream-late", cluster.Upstream.RequestsOf("late")[^1].Headers["Authorization"]);
    }

    [Fact]
    public async Task A_team_an_organization_and_a_user_call_with_their_own_credential_and_the_record_names_it()
    {
        Takes("shared", CredentialsCluster.OfEnvironment, CredentialsCluster.OfPayments, CredentialsCluster.OfResearch);
        var (teamId, organizationId) = (AdminClient.NewName("team"), AdminClient.NewName("organization"));
        await cluster.Admin.PostAsync("/organization/new", new { organization_id = organizationId, credentials = new { shared = "of-research" } });
        await cluster.Admin.PostAsync("/team/new", new { team_id = teamId, credentials = new { openai = "of-payments" } });
        var ofNobody = await cluster.Admin.NewKeyAsync(new { });
        var ofTeam = await cluster.Admin.NewKeyAsync(new { team_id = teamId });
        var ofOrganization = await cluster.Admin.NewKeyAsync(new { organization_id = organizationId });

        await CallsWithAsync(ofNobody.Key, CredentialsCluster.OfEnvironment, "os.environ/GATEWAY_KEY");
        await CallsWithAsync(ofTeam.Key, CredentialsCluster.OfPayments, "of-payments");
        await CallsWithAsync(ofOrganization.Key, CredentialsCluster.OfResearch, "of-research");
        await CallsWithAsync("team-research-token", CredentialsCluster.OfResearch, "of-research");

        // A change of the team's is in force like any other change of access.
        await cluster.Admin.PostAsync("/team/update", new { team_id = teamId, credentials = new { openai = "of-research" } });
        using var team = cluster.Team(ofTeam);
        await Eventually.Is(
            async () =>
            {
                (await team.ChatAsync("shared")).IsOk();
                return cluster.Upstream.RequestsOf("shared")[^1].Headers["Authorization"];
            },
            static sent => sent == "Bearer " + CredentialsCluster.OfResearch, "the team's new credential is used");
    }

    [Fact]
    public async Task A_teams_credential_that_is_refused_stops_nobody_else()
    {
        Takes("shared", CredentialsCluster.OfEnvironment);
        var teamId = AdminClient.NewName("team");
        await cluster.Admin.PostAsync("/team/new", new { team_id = teamId, credentials = new { openai = "of-payments" } });
        using var refused = cluster.Team(await cluster.Admin.NewKeyAsync(new { team_id = teamId }));
        using var other = cluster.Team(await cluster.Admin.NewKeyAsync(new { }));

        for (var round = 0; round < 6; round++)
        {
            (await refused.ChatAsync("shared")).IsError(502, "provider_auth_failed");
            (await other.ChatAsync("shared")).IsOk();
        }

        Assert.DoesNotContain(cluster.Upstream.RequestsOf("shared").TakeLast(12), static request => request.Headers["Authorization"] == "Bearer " + CredentialsCluster.OfResearch);
    }

    [Fact]
    public async Task No_credential_is_in_a_log_an_error_a_metric_or_on_any_disk()
    {
        // What may let one out: a success, a refusal that repeats the key, a rotation, a credential that no header can hold.
        using var team = cluster.Team(await cluster.Admin.NewKeyAsync(new { }));
        cluster.Upstream.Script("shared", exchange => exchange.Send(Reply.Json(401, $$$"""{"error":{"message":"Incorrect API key provided: {{{exchange.Request.Headers["Authorization"]}}}"}}""")));
        var answers = new List<string> { (await team.ChatAsync("shared")).Body };
        Takes("shared", CredentialsCluster.OfEnvironment);
        answers.Add((await team.ChatAsync("shared")).Body);
        cluster.Vault.Write("secret/research", ("key", CredentialsCluster.OfResearch + "\nx: y"));
        using var research = cluster.Team("team-research-token");
        var broken = await Eventually.Is(
            () => research.ChatAsync("shared"), static answer => answer.Message?.Contains(Unreadable, StringComparison.Ordinal) == true, "a credential with a line break is not sent");
        answers.Add(broken.Body);
        cluster.Vault.Write("secret/research", ("key", CredentialsCluster.OfResearch));
        var last = await Eventually.Is(() => team.ChatAsync("shared"), static answer => answer.Status == 200, "an ordinary call");
        await cluster.Books.RowOfAsync(last.RequestId);

        var said = string.Join('\n', answers.Concat(cluster.Gateway.Lines).Append(await cluster.Gateway.Client.GetStringAsync("/metrics")));
        Assert.Contains("vault/secret/research#key", said, StringComparison.Ordinal);
        Assert.DoesNotContain("sk-upstream", said, StringComparison.Ordinal);
        Assert.All(
            [ScriptedVault.Token, ScriptedAwsSecrets.SecretAccessKey, ScriptedKeyVault.ClientSecret, "PRIVATE KEY", "ya29."],
            secret => Assert.DoesNotContain(secret, said, StringComparison.Ordinal));
        Assert.Empty(FilesWith(cluster.Gateway.DataFolder, "sk-upstream"));
        Assert.NotEmpty(FilesWith(cluster.Gateway.DataFolder, "os.environ/GATEWAY_KEY"));
    }

    /// <summary>The provider answers these keys, and refuses all others.</summary>
    private void Takes(string model, params string[] keys) => cluster.Upstream.Script(model, exchange =>
        keys.Any(key => exchange.Request.Headers["Authorization"] == $"Bearer {key}")
            ? ScriptedModels.OrdinaryAsync(exchange)
            : exchange.Send(Reply.Json(401, """{"error":{"message":"Incorrect API key provided.","type":"invalid_request_error","code":"invalid_api_key"}}""")));

    private async Task CallsWithAsync(string key, string credential, string name)
    {
        using var team = cluster.Team(key);
        var answer = await team.ChatAsync("shared");
        answer.IsOk();
        Assert.Equal("Bearer " + credential, cluster.Upstream.RequestsOf("shared")[^1].Headers["Authorization"]);
        await cluster.Books.RowOfAsync(answer.RequestId);
        var row = (await cluster.Admin.GetAsync($"/spend/logs?request_id={answer.RequestId}"))[0];
        Assert.Equal(name, row.GetProperty("metadata").GetProperty("credential").GetString());
    }

    private static List<string> FilesWith(string folder, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        return [.. Directory.EnumerateFiles(folder, "*", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }).Where(Holds)];

        bool Holds(string path)
        {
            try
            {
                return File.ReadAllBytes(path).AsSpan().IndexOf(bytes) >= 0;
            }
            catch (Exception gone) when (gone is IOException or UnauthorizedAccessException)
            {
                // A server took it away while it was looked at, or holds it alone.
                return false;
            }
        }
    }
}
