using Gateway.Configuration;
using Gateway.Edge.Credentials;
using Gateway.TestKit;
using Gateway.TestKit.Providers;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Edge.Tests.Credentials;

/// <summary>Credentials in files and in a Vault that is asked over real HTTP.</summary>
public sealed class CredentialKeeperTests : IAsyncLifetime, IDisposable
{
    private static readonly SecretLocation Payments = new(SecretStoreKind.Vault, "secret/payments/openai", "api_key");

    private readonly FakeTimeProvider time = new();
    private readonly KeeperMeters meters = new();
    private readonly KeeperLog log = new();
    private ScriptedVault vault = null!;
    private CredentialKeeper keeper = null!;

    public async Task InitializeAsync()
    {
        vault = await ScriptedVault.Start();
        vault.Write(Payments.Path, ("api_key", "sk-first"), ("other", "sk-other"));
        keeper = new CredentialKeeper(new CredentialMetrics(meters), log, time);
    }

    public async Task DisposeAsync()
    {
        await keeper.StopAsync(default);
        await vault.DisposeAsync();
    }

    public void Dispose()
    {
        keeper.Dispose();
        meters.Dispose();
    }

    [Fact]
    public async Task A_path_is_read_once_whatever_the_number_of_its_fields()
    {
        var other = Payments with { Field = "other" };

        Assert.Empty(await keeper.PrepareAsync(Config([Payments, other]), default));

        Assert.Equal(("sk-first", "sk-other"), (Value(Payments), Value(other)));
        Assert.Equal("/v1/secret/data/payments/openai", Assert.Single(vault.Requests).Path);
    }

    [Fact]
    public async Task A_new_version_is_in_force_after_the_next_look_and_a_target_made_of_it_too()
    {
        await keeper.PrepareAsync(Config([Payments]), default);
        var made = 0;
        var target = new LiveTarget(keeper, () => new("m", new Uri("http://h"), Value(Payments)) { ApiVersion = $"{++made}" });
        Assert.Equal("sk-first", target.Current.ApiKey);
        Assert.Same(target.Current, target.Current);

        vault.Write(Payments.Path, ("api_key", "sk-second"));
        await keeper.LookAsync(default);

        Assert.Equal(("sk-second", "2"), (target.Current.ApiKey, target.Current.ApiVersion));
        Assert.Equal("Bearer sk-second", target.Current.Bearer.ToString());
        await keeper.LookAsync(default);
        Assert.Equal("2", target.Current.ApiVersion);
    }

    [Fact]
    public async Task While_Vault_is_away_the_last_value_serves_on_for_its_time_and_no_longer()
    {
        await keeper.PrepareAsync(Config([Payments], new GeneralSettings { CredentialMaxStale = TimeSpan.FromMinutes(30) }), default);
        vault.IsAway = true;

        time.Advance(TimeSpan.FromMinutes(30));
        await keeper.LookAsync(default);
        Assert.Equal("sk-first", Value(Payments));
        Assert.Single(log.Lines, static line => line.Contains("sealed", StringComparison.Ordinal) && line.Contains("0.5 hours", StringComparison.Ordinal));
        Assert.Equal(1_800, meters.Read("gateway.credential.age"));

        time.Advance(TimeSpan.FromSeconds(1));
        await keeper.LookAsync(default);
        Assert.Null(Value(Payments));
        Assert.True(new LiveTarget(keeper, () => Gateway.Edge.Providers.ProviderTargets.Of(Model(Payments), "m", keeper)).Current.LacksCredential);

        vault.IsAway = false;
        await keeper.LookAsync(default);
        Assert.Equal("sk-first", Value(Payments));
        Assert.Equal(0, meters.Read("gateway.credential.age"));
    }

    [Fact]
    public async Task What_a_configuration_needs_and_cannot_be_read_is_said_all_at_once_and_changes_nothing()
    {
        using var folder = TemporaryFolder.With("one", "sk-file");
        var file = new SecretLocation(SecretStoreKind.File, folder.Path("one"), null);
        Assert.Empty(await keeper.PrepareAsync(Config([Payments, file]), default));

        var problems = await keeper.PrepareAsync(
            Config([new(SecretStoreKind.Vault, "secret/nowhere", "key"), Payments with { Field = "no" }, new(SecretStoreKind.File, folder.Path("two"), null), file with { Field = "f" }]), default);

        Assert.Equal(4, problems.Count);
        Assert.Contains(problems, static problem => problem.StartsWith("vault/secret/nowhere#key: Vault has no such secret (404).", StringComparison.Ordinal));
        Assert.Contains(problems, static problem => problem.StartsWith("vault/secret/payments/openai#no: it has no field 'no'", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.StartsWith($"file/{folder.Path("two")}: there is no such file.", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.StartsWith($"file/{folder.Path("one")}#f: it is no JSON object.", StringComparison.Ordinal));
        Assert.Equal(("sk-first", "sk-file"), (Value(Payments), Value(file)));
    }

    [Theory]
    [InlineData("http://127.0.0.1:9", "cannot be reached")]
    [InlineData(null, "VAULT_ADDR is not set")]
    public async Task A_Vault_that_cannot_be_reached_at_the_start_is_a_clear_error(string? address, string says)
    {
        var problem = Assert.Single(await keeper.PrepareAsync(Config([Payments], vault: new VaultSettings { Address = address, Token = new Secret("hvs.t") }), default));

        Assert.StartsWith("vault/secret/payments/openai#api_key: ", problem, StringComparison.Ordinal);
        Assert.Contains(says, problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Namespace_and_token_file_are_sent_and_the_file_is_read_each_time()
    {
        using var folder = TemporaryFolder.With("token", "hvs.old\n");
        vault.Namespace = "platform/ai";
        var settings = new VaultSettings { Address = vault.Url, Namespace = "platform/ai", TokenFile = folder.Path("token") };
        Assert.Contains("403", Assert.Single(await keeper.PrepareAsync(Config([Payments], vault: settings), default)), StringComparison.Ordinal);

        File.WriteAllText(folder.Path("token"), ScriptedVault.Token + "\n");
        Assert.Empty(await keeper.PrepareAsync(Config([Payments], vault: settings), default));
    }

    [Fact]
    public async Task A_role_logs_in_once_for_all_again_before_its_lease_ends_and_when_its_token_is_refused()
    {
        vault.Write("secret/second", ("key", "sk-2"));
        vault.LeaseSeconds = 400;
        var settings = new VaultSettings { Address = vault.Url, RoleId = ScriptedVault.RoleId, SecretId = new Secret(ScriptedVault.SecretId) };
        var second = new SecretLocation(SecretStoreKind.Vault, "secret/second", "key");

        Assert.Empty(await keeper.PrepareAsync(Config([Payments, second], vault: settings), default));
        Assert.Equal(1, vault.Logins);
        time.Advance(TimeSpan.FromSeconds(299));
        await keeper.LookAsync(default);
        Assert.Equal(1, vault.Logins);
        time.Advance(TimeSpan.FromSeconds(1));
        await keeper.LookAsync(default);
        Assert.Equal(2, vault.Logins);

        vault.RevokeRoles();
        vault.Write(Payments.Path, ("api_key", "sk-after"));
        await keeper.LookAsync(default);
        Assert.Equal(("sk-after", 3), (Value(Payments), vault.Logins));
    }

    [Fact]
    public async Task A_wrong_role_is_said() => Assert.Contains(
        "Vault refuses the role (status 400)",
        Assert.Single(await keeper.PrepareAsync(Config([Payments], vault: new VaultSettings { Address = vault.Url, RoleId = "x", SecretId = new Secret("y") }), default)),
        StringComparison.Ordinal);

    [Fact]
    public async Task It_looks_at_its_interval_and_at_once_when_a_provider_has_refused()
    {
        await keeper.PrepareAsync(Config([Payments], new GeneralSettings { CredentialRefresh = TimeSpan.FromSeconds(60) }), default);
        await keeper.StartAsync(default);

        vault.Write(Payments.Path, ("api_key", "sk-second"));
        var target = new LiveTarget(keeper, () => new("m", new Uri("http://h"), keeper.Reveal(new Secret(Payments))));
        var refused = new Edge.Providers.ProviderTarget("m", new Uri("http://h"), "sk-first");
        Assert.True(await target.RenewedAsync(refused, default));
        Assert.Equal("sk-second", target.Current.ApiKey);

        // Who comes late with the old one does not wait, and whose new one is refused within the second has no better one.
        var reads = vault.Requests.Count;
        Assert.True(await target.RenewedAsync(refused, default));
        Assert.False(await target.RenewedAsync(target.Current, default));
        Assert.Equal(reads, vault.Requests.Count);

        // The next look of this kind is a second away, the next of the other kind a minute.
        vault.Write(Payments.Path, ("api_key", "sk-third"));
        var third = log.Said("has another value").WaitAsync(TimeSpan.FromSeconds(30));
        while (!third.IsCompleted)
        {
            time.Advance(TimeSpan.FromSeconds(61));
            await Task.Yield();
        }

        await third;
        Assert.Equal("sk-third", Value(Payments));
    }

    [Fact]
    public async Task No_value_and_no_token_is_in_any_log_problem_or_metric()
    {
        await keeper.PrepareAsync(Config([Payments]), default);
        vault.Write(Payments.Path, ("api_key", "sk-second"));
        await keeper.LookAsync(default);
        vault.Delete(Payments.Path);
        await keeper.LookAsync(default);
        vault.Write(Payments.Path, ("api_key", "sk-third"));
        await keeper.LookAsync(default);

        var said = string.Join('\n', log.Lines.Concat(meters.Tags));
        Assert.Contains("vault/secret/payments/openai#api_key", said, StringComparison.Ordinal);
        Assert.DoesNotContain("sk-", said, StringComparison.Ordinal);
        Assert.DoesNotContain(ScriptedVault.Token, said, StringComparison.Ordinal);
    }

    private string? Value(SecretLocation location) => keeper.Reveal(new Secret(location));

    private GatewayConfig Config(SecretLocation[] places, GeneralSettings? general = null, VaultSettings? vault = null) => new()
    {
        FileName = "config.yaml",
        Version = "1",
        Models = [.. places.Select(Model)],
        General = general ?? new GeneralSettings(),
        Vault = vault ?? new VaultSettings { Address = this.vault.Url, Token = new Secret(ScriptedVault.Token) },
    };

    private static ModelDeployment Model(SecretLocation place) => new()
    {
        ModelName = "m", DeploymentId = "d", Provider = "openai", ProviderModel = "m", Protocol = ProviderProtocol.OpenAi, ApiBase = "http://h", ApiKey = new Secret(place),
    };
}
