using System.Diagnostics;
using System.Net;
using System.Threading.Channels;
using Gateway.Auth.Tests.Hosting;
using Gateway.Contracts;
using Gateway.TestKit;
using Xunit.Abstractions;

namespace Gateway.Auth.Tests.Access;

/// <summary>What edges are told: everything, in order, soon (T-68).</summary>
public sealed class ChangeStreamTests(SharedAuth shared, ITestOutputHelper output) : IClassFixture<SharedAuth>
{
    private readonly AuthHost auth = shared.Host;

    [Fact]
    public async Task A_new_reader_is_told_at_once_to_forget_everything_and_then_hears_a_heartbeat_each_second()
    {
        using var reading = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var started = Stopwatch.GetTimestamp();
        await using var lines = auth.ChangesAsync(0, reading.Token).GetAsyncEnumerator(reading.Token);
        await lines.MoveNextAsync();
        Assert.Equal(AccessChangeKind.Everything, lines.Current.Kind);
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(1), "the first line comes at once");
        var position = lines.Current.Sequence;
        await lines.MoveNextAsync();
        await lines.MoveNextAsync();
        Assert.True(lines.Current.Sequence >= position);
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(5), "heartbeats come each second");
    }

    [Fact]
    public async Task A_revoked_key_reaches_the_readers_of_every_process_well_within_a_second()
    {
        await using var other = await AuthHost.StartAsync(new AuthSetup { Database = auth.Database });
        using var reading = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var (here, there) = (Read(auth, 0, reading.Token), Read(other, 0, reading.Token));
        await here.ReadAsync(reading.Token);
        await there.ReadAsync(reading.Token);

        var times = new List<TimeSpan>();
        for (var round = 0; round < 10; round++)
        {
            var key = await auth.NewKeyAsync(new { });
            var id = (await auth.SnapshotAsync(key)).KeyId;
            var made = (await auth.SnapshotAsync(key)).Revision;
            // From before the revocation is asked for, so the mutation itself counts too.
            var started = Stopwatch.GetTimestamp();
            (await auth.PostAsync("/key/block", new { key })).Ok();
            await Task.WhenAll(UntilAsync(here, id, made + 1), UntilAsync(there, id, made + 1));
            times.Add(Stopwatch.GetElapsedTime(started));
            Assert.Equal(KeyStatus.Blocked, (await other.SnapshotAsync(key)).Status);
        }

        output.WriteLine($"Revoked on both processes: median {times.Order().ElementAt(5).TotalMilliseconds:0.0} ms, slowest {times.Max().TotalMilliseconds:0.0} ms.");
        Assert.True(times.Max() < TimeSpan.FromMilliseconds(500), $"The slowest took {times.Max().TotalMilliseconds} ms.");

        async Task UntilAsync(ChannelReader<AccessChange> reader, string id, long revision)
        {
            await foreach (var change in reader.ReadAllAsync(reading.Token))
            {
                if (change is { Kind: AccessChangeKind.Key } && change.Id == id && change.Sequence >= revision)
                {
                    return;
                }
            }
        }
    }

    [Fact]
    public async Task Changes_made_at_once_by_two_processes_arrive_without_a_gap_and_a_reader_that_reconnects_misses_none()
    {
        await using var host = await AuthHost.StartAsync();
        await using var other = await AuthHost.StartAsync(new AuthSetup { Database = host.Database });
        using var reading = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        long first;
        await using (var lines = host.ChangesAsync(0, reading.Token).GetAsyncEnumerator(reading.Token))
        {
            await lines.MoveNextAsync();
            first = lines.Current.Sequence;
        }

        const int each = 25;
        var work = Task.WhenAll(Enumerable.Range(0, 4).Select(async worker =>
        {
            for (var index = 0; index < each; index++)
            {
                await (worker % 2 == 0 ? host : other).NewKeyAsync(new { key_alias = $"gap-{worker}-{index}" });
            }
        }));

        // The reader hangs up after every few lines, and asks the other process where it stopped.
        var seen = new List<AccessChange>();
        for (var turn = 0; seen.Count < 4 * each; turn++)
        {
            await using var lines = (turn % 2 == 0 ? other : host).ChangesAsync(seen.Count == 0 ? first : seen[^1].Sequence, reading.Token).GetAsyncEnumerator(reading.Token);
            for (var taken = 0; taken < 7 && seen.Count < 4 * each; taken++)
            {
                await lines.MoveNextAsync();
                if (lines.Current.Kind != AccessChangeKind.Heartbeat)
                {
                    seen.Add(lines.Current);
                }
            }
        }

        await work;
        Assert.All(seen, change => Assert.Equal(AccessChangeKind.Key, change.Kind));
        Assert.Equal(Enumerable.Range(1, 4 * each).Select(step => first + step), seen.Select(change => change.Sequence));
        Assert.Equal(4 * each, seen.Select(change => change.Id).Distinct().Count());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(long.MaxValue)]
    public async Task A_reader_that_was_away_for_too_long_or_knows_another_database_forgets_everything(long after)
    {
        using var reading = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await foreach (var line in auth.ChangesAsync(after, reading.Token))
        {
            Assert.Equal(AccessChangeKind.Everything, line.Kind);
            return;
        }
    }

    [Fact]
    public async Task A_process_that_starts_later_knows_the_changes_that_came_before()
    {
        await using var host = await AuthHost.StartAsync();
        var before = await host.SqlAsync<long>("select last from access_revision");
        await host.NewKeyAsync(new { });
        await host.NewKeyAsync(new { });
        await using var later = await AuthHost.StartAsync(new AuthSetup { Database = host.Database });
        using var reading = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        await using var lines = later.ChangesAsync(before, reading.Token).GetAsyncEnumerator(reading.Token);
        await lines.MoveNextAsync();
        Assert.Equal((before + 1, AccessChangeKind.Key), (lines.Current.Sequence, lines.Current.Kind));
        await lines.MoveNextAsync();
        Assert.Equal(before + 2, lines.Current.Sequence);
    }

    [Fact]
    public async Task While_the_database_hangs_there_is_no_heartbeat_and_keys_are_unavailable_not_invalid_and_all_comes_back()
    {
        await using var postgres = await Servers.NewPostgresAsync("auth");
        await using var host = await AuthHost.StartAsync(new AuthSetup { Database = postgres.ConnectionStringOf("auth") });
        var key = await host.NewKeyAsync(new { });
        using var reading = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        var lines = Read(host, 0, reading.Token);
        await lines.ReadAsync(reading.Token);

        postgres.Pause();
        var (status, _) = await host.ResolveAsync(key);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        // The stream ends: silence would be taken for "nothing has changed".
        while (await lines.WaitToReadAsync(reading.Token))
        {
            while (lines.TryRead(out _))
            {
            }
        }

        await host.UntilAsync(async () => (await host.Client.GetAsync("/health/ready")).StatusCode == HttpStatusCode.ServiceUnavailable, "not ready");
        Assert.Equal(HttpStatusCode.OK, (await host.Client.GetAsync("/health/live")).StatusCode);
        (await host.PostAsync("/key/generate", new { })).Refused(503, "temporarily_unavailable");
        Assert.Equal(HttpStatusCode.OK, (await host.ResolveAsync(AuthSetup.MasterKey)).Status);

        postgres.Resume();
        await host.UntilAsync(async () => (await host.ResolveAsync(key)).Status == HttpStatusCode.OK, "the key is known again");
        await host.UntilAsync(async () => (await host.Client.GetAsync("/health/ready")).IsSuccessStatusCode, "ready again");
    }

    private static ChannelReader<AccessChange> Read(AuthHost host, long after, CancellationToken cancellation)
    {
        var lines = Channel.CreateUnbounded<AccessChange>();
        _ = Task.Run(async () =>
        {
            try
            {
                await foreach (var line in host.ChangesAsync(after, cancellation))
                {
                    lines.Writer.TryWrite(line);
                }
            }
            catch (Exception error) when (error is OperationCanceledException or HttpRequestException or IOException)
            {
            }

            lines.Writer.TryComplete();
        }, cancellation);
        return lines.Reader;
    }
}
