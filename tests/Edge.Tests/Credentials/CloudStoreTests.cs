using Gateway.Configuration;
using Gateway.Edge.Credentials;
using Gateway.TestKit.Providers;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Edge.Tests.Credentials;

/// <summary>What every cloud's store of secrets has to do, asked over real HTTP through the keeper of credentials.</summary>
public abstract class CloudStoreTests<TStore>(SecretStoreKind kind) : IAsyncLifetime, IDisposable
    where TStore : ScriptedSecretStore
{
    private readonly KeeperMeters meters = new();
    private readonly KeeperLog log = new();

    private protected SecretLocation OpenAi { get; } = new(kind, "openai", null);

    private protected TemporaryFolder Folder { get; } = new();

    private protected FakeTimeProvider Time { get; } = new(DateTimeOffset.UnixEpoch.AddYears(60));

    private protected TStore Store { get; private set; } = null!;

    private protected CredentialKeeper Keeper { get; private set; } = null!;

    public async Task InitializeAsync()
    {
        Store = await StartAsync();
        Store.Write("openai", "sk-first\n");
        Keeper = new CredentialKeeper(new CredentialMetrics(meters), log, Time);
    }

    public async Task DisposeAsync()
    {
        await Keeper.StopAsync(default);
        await Store.DisposeAsync();
    }

    public void Dispose()
    {
        Keeper.Dispose();
        meters.Dispose();
        Folder.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_secret_is_read_as_a_whole()
    {
        Assert.Empty(await PrepareAsync([OpenAi]));

        Assert.Equal("sk-first", Value(OpenAi));
    }

    [Fact]
    public async Task Fields_of_a_JSON_secret_are_read_with_one_look()
    {
        Store.Write("all", """{"openai":"sk-openai","account":{"client_email":"a"}}""");
        var (openAi, account) = (new SecretLocation(OpenAi.Store, "all", "openai"), new SecretLocation(OpenAi.Store, "all", "account"));

        Assert.Empty(await PrepareAsync([openAi, account]));

        Assert.Equal(("sk-openai", """{"client_email":"a"}"""), (Value(openAi), Value(account)));
        Assert.Single(Store.Requests, IsRead);
    }

    [Fact]
    public async Task What_is_not_there_is_said_at_the_start()
    {
        var problems = await PrepareAsync([OpenAi with { Path = "nowhere" }, OpenAi with { Field = "key" }]);

        Assert.Equal(2, problems.Count);
        Assert.Contains(problems, problem => problem.StartsWith($"{OpenAi with { Path = "nowhere" }}: {Name} has no such secret", StringComparison.Ordinal));
        Assert.Contains(problems, problem => problem.StartsWith($"{OpenAi}#key: it is no JSON object.", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_may_not_read_it_is_told_so()
    {
        Store.Refuses = true;

        Assert.Contains($"{Name} refuses it", Assert.Single(await PrepareAsync([OpenAi])), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_is_not_known_is_told_which_variable_to_look_at() =>
        Assert.Contains(VariableOfWhoAsks, Assert.Single(await PrepareAsync([OpenAi], OfStranger())), StringComparison.Ordinal);

    [Fact]
    public async Task A_store_that_nobody_has_set_up_is_said_with_its_variable() =>
        Assert.Contains(VariableToSet, Assert.Single(await PrepareAsync([OpenAi], NotSetUp())), StringComparison.Ordinal);

    [Fact]
    public async Task A_new_version_is_in_force_after_the_next_look()
    {
        await PrepareAsync([OpenAi]);
        var version = Keeper.Version;

        Store.Write("openai", "sk-second");
        await Keeper.LookAsync(default);

        Assert.Equal("sk-second", Value(OpenAi));
        Assert.NotEqual(version, Keeper.Version);
    }

    [Fact]
    public async Task While_it_is_away_or_refuses_the_last_value_serves_on_for_its_time()
    {
        await PrepareAsync([OpenAi]);

        Store.IsAway = true;
        await Keeper.LookAsync(default);
        Assert.Equal("sk-first", Value(OpenAi));
        Assert.Single(log.Lines, static line => line.Contains("503", StringComparison.Ordinal));
        (Store.IsAway, Store.Refuses) = (false, true);
        Time.Advance(TimeSpan.FromHours(24));
        await Keeper.LookAsync(default);
        Assert.Equal("sk-first", Value(OpenAi));

        Time.Advance(TimeSpan.FromSeconds(1));
        await Keeper.LookAsync(default);
        Assert.Null(Value(OpenAi));
        Store.Refuses = false;
        await Keeper.LookAsync(default);
        Assert.Equal("sk-first", Value(OpenAi));
    }

    [Fact]
    public async Task No_value_and_no_credential_is_in_any_log_problem_or_metric()
    {
        var problems = await PrepareAsync([OpenAi, OpenAi with { Path = "nowhere" }]);
        var ofStranger = await PrepareAsync([OpenAi], OfStranger());
        await PrepareAsync([OpenAi]);
        Store.Delete("openai");
        await Keeper.LookAsync(default);
        Store.Write("openai", "sk-second");
        await Keeper.LookAsync(default);
        meters.Read("gateway.credential.age");

        var said = string.Join('\n', [.. problems, .. ofStranger, .. log.Lines, .. meters.Tags]);
        Assert.Contains(OpenAi.ToString(), said, StringComparison.Ordinal);
        Assert.Contains("store=" + OpenAi.ToString().Split('/')[0], said, StringComparison.Ordinal);
        Assert.All(NeverSaid.Append("sk-"), secret => Assert.DoesNotContain(secret, said, StringComparison.Ordinal));
    }

    /// <summary>As messages name the store.</summary>
    private protected abstract string Name { get; }

    private protected abstract string VariableOfWhoAsks { get; }

    private protected abstract string VariableToSet { get; }

    private protected abstract IEnumerable<string> NeverSaid { get; }

    private protected abstract Task<TStore> StartAsync();

    /// <summary>Whether a request reads a secret, and is no login.</summary>
    private protected abstract bool IsRead(ReceivedRequest request);

    private protected abstract GatewayConfig SetUp();

    /// <summary>Set up with credentials that the store does not know.</summary>
    private protected abstract GatewayConfig OfStranger();

    private protected virtual GatewayConfig NotSetUp() => Empty;

    private protected static GatewayConfig Empty => new() { FileName = "config.yaml", Version = "1" };

    private protected string? Value(SecretLocation location) => Keeper.Reveal(new Secret(location));

    private protected Task<IReadOnlyList<string>> PrepareAsync(SecretLocation[] places, GatewayConfig? configuration = null) => Keeper.PrepareAsync(
        (configuration ?? SetUp()) with
        {
            Models = [.. places.Select(static place => new ModelDeployment
            {
                ModelName = "m", DeploymentId = "d", Provider = "openai", ProviderModel = "m", Protocol = ProviderProtocol.OpenAi, ApiBase = "http://h", ApiKey = new Secret(place),
            })],
        }, default);
}
