using System.Net;
using System.Net.Http.Json;
using Gateway.Contracts;
using Gateway.Edge;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Admission.Budgets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Edge.Tests.Admission.Access;

/// <summary>What an edge keeps of the keys it has asked for, and what a change makes it forget.</summary>
public sealed class KeyCacheTests : IDisposable
{
    private const string Key = "sk-1";
    private static readonly KeyHash s_hash = KeyHash.Of(Key);

    private readonly ScriptedAuth auth = new();
    private readonly HttpClient http;
    private readonly KeyCache keys;

    public KeyCacheTests()
    {
        http = new HttpClient(auth) { BaseAddress = new Uri("http://auth") };
        // The keys of these tests have neither budgets nor limits.
        keys = new KeyCache(new AuthClient(http), null!, null!, new ExpectationBook(), TimeProvider.System, new EdgeLog(NullLogger<EdgeLog>.Instance));
    }

    public void Dispose() => http.Dispose();

    [Fact]
    public async Task A_change_that_came_after_the_answer_makes_the_key_unknown_again()
    {
        await ResolveAsync(revision: 7);
        keys.Apply(new(8, AccessChangeKind.Key, "key-1"));
        Assert.False(keys.TryGet(s_hash, out _));
    }

    [Theory]
    [InlineData(AccessChangeKind.Key, "key-1")]
    [InlineData(AccessChangeKind.User, "user-1")]
    public async Task Word_of_a_change_that_the_answer_contains_forgets_nothing(AccessChangeKind kind, string id)
    {
        await ResolveAsync(revision: 8);
        keys.Apply(new(8, kind, id));
        Assert.True(keys.TryGet(s_hash, out _));
    }

    [Fact]
    public async Task An_answer_that_was_overtaken_by_a_change_serves_once_and_is_not_kept()
    {
        auth.Meanwhile = () => keys.Apply(new(9, AccessChangeKind.Key, "key-1"));
        await ResolveAsync(revision: 8);
        Assert.False(keys.TryGet(s_hash, out _));
    }

    [Fact]
    public async Task An_answer_that_has_the_change_in_it_is_kept_though_the_word_came_while_it_was_under_way()
    {
        auth.Meanwhile = () => keys.Apply(new(8, AccessChangeKind.Key, "key-1"));
        await ResolveAsync(revision: 8);
        Assert.True(keys.TryGet(s_hash, out _));
    }

    [Fact]
    public async Task Word_to_forget_everything_forgets_whatever_revision_an_answer_has()
    {
        await ResolveAsync(revision: 100);
        keys.Apply(new(5, AccessChangeKind.Everything, null));
        Assert.False(keys.TryGet(s_hash, out _));

        auth.Meanwhile = () => keys.Apply(new(6, AccessChangeKind.Everything, null));
        await ResolveAsync(revision: 100);
        Assert.False(keys.TryGet(s_hash, out _));
    }

    [Fact]
    public async Task T50_While_Auth_is_away_a_known_key_is_believed_until_max_stale_is_over_and_no_key_is_ever_unknown()
    {
        await ResolveAsync(revision: 7);
        auth.Meanwhile = static () => throw new HttpRequestException("Auth is away.");
        Assert.True(keys.TryGet(s_hash, out _));
        Assert.Equal(KeyState.Unavailable, (await keys.ResolveAsync(KeyHash.Of("sk-2"), "sk-2")).State);

        // Its time is over: it is asked for again, and nobody can say.
        keys.MaxStale = TimeSpan.Zero;
        Assert.False(keys.TryGet(s_hash, out _));
        Assert.Equal(KeyState.Unavailable, (await keys.ResolveAsync(s_hash, Key)).State);

        auth.Meanwhile = null;
        Assert.Equal(KeyState.Known, (await keys.ResolveAsync(s_hash, Key)).State);
    }

    private async Task ResolveAsync(long revision)
    {
        auth.Revision = revision;
        var (state, caller) = await keys.ResolveAsync(s_hash, Key);
        Assert.Equal(KeyState.Known, state);
        Assert.Equal(revision, caller!.Snapshot.Revision);
    }

    /// <summary>An Auth that knows one key, and lets something happen between its answer and the edge's hearing it.</summary>
    private sealed class ScriptedAuth : HttpMessageHandler
    {
        public long Revision { get; set; }

        public Action? Meanwhile { get; set; }

        protected override Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, CancellationToken cancellationToken)
        {
            var snapshot = new AccessSnapshot { KeyId = "key-1", UserId = "user-1", Revision = Revision };
            Meanwhile?.Invoke();
            return Task.FromResult(new HttpResponseMessage(HttpStatusCode.OK) { Content = JsonContent.Create(snapshot, ContractsJson.Default.AccessSnapshot) });
        }
    }
}
