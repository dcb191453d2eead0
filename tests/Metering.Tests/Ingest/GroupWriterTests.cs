using System.Collections.Concurrent;
using Gateway.ServiceDefaults;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Metering.Tests.Ingest;

public sealed class GroupWriterTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Gather = TimeSpan.FromSeconds(2);
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly LateClock time = new();
    private readonly Writer writer;

    public GroupWriterTests() => writer = new Writer(time);

    public Task InitializeAsync() => writer.StartAsync(None);

    public Task DisposeAsync() => writer.StopAsync(None);

    public void Dispose() => writer.Dispose();

    [Fact]
    public async Task TheFirstAfterAPause_IsWrittenAtOnce_AndThoseThatFollow_GatherForOneWrite()
    {
        await writer.WriteAsync([1], true, None);
        var (two, three) = (writer.WriteAsync([2], true, None), writer.WriteAsync([3, 4], true, None));
        time.Advance(Gather - TimeSpan.FromMilliseconds(1));
        Assert.False(two.IsCompleted || three.IsCompleted);
        var both = Task.WhenAll(two, three);
        while (!both.IsCompleted)
        {
            time.Advance(TimeSpan.FromMilliseconds(1));
            await Task.Yield();
        }

        await both;
        Assert.Equal([[1], [2, 3, 4]], writer.Written);

        time.Advance(Gather * 2);
        await writer.WriteAsync([5], true, None);
        Assert.Equal([[1], [2, 3, 4], [5]], writer.Written);
    }

    [Fact]
    public async Task NobodyWaits_WhenAPersonDoes_OrWhenThereIsEnough()
    {
        await writer.WriteAsync([1], true, None);
        var patient = writer.WriteAsync([2], true, None);
        await Task.WhenAll(patient, writer.WriteAsync([3], false, None));

        await Task.WhenAll(writer.WriteAsync([4, 5], true, None), writer.WriteAsync([6, 7, 8], true, None));
        await Task.WhenAll(writer.WriteAsync([9], true, None), writer.WriteAsync([10], true, None), writer.WriteAsync([11], true, None));
        Assert.Equal([[1], [2, 3], [4, 5, 6, 7, 8], [9, 10, 11]], writer.Written);
    }

    [Fact]
    public async Task AGroupThatFails_IsWrittenPartByPart_AndEachIsToldOfItsOwn()
    {
        await writer.WriteAsync([1], true, None);
        var (good, bad, other) = (writer.WriteAsync([2], true, None), writer.WriteAsync([-3], true, None), writer.WriteAsync([4], false, None));
        await Task.WhenAll(good, other);
        Assert.Equal("-3", (await Assert.ThrowsAsync<InvalidOperationException>(() => bad)).Message);
        Assert.Equal([[1], [2], [4]], writer.Written);

        await writer.WriteAsync([5], false, None);
        Assert.Equal(4, writer.Written.Count);
    }

    [Fact]
    public async Task WhoWaitsWhenItStops_IsToldThatNothingWasWritten()
    {
        await writer.WriteAsync([1], true, None);
        var waits = writer.WriteAsync([2], true, None);
        await writer.StopAsync(None);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waits);
        Assert.Equal([[1]], writer.Written);
    }

    [Fact]
    public async Task ATimerThatFires_WhenItsGroupIsLongWritten_EndsNothing()
    {
        await writer.WriteAsync([1], true, None);
        await writer.WriteAsync([2], false, None);
        await Task.WhenAll(writer.WriteAsync([3], true, None), writer.WriteAsync([4], false, None));
        Assert.Equal([[1], [2], [3, 4]], writer.Written);

        Assert.NotEmpty(time.Disposed);
        Assert.All(time.Disposed, static fire => fire());
        await writer.WriteAsync([5], false, None);
        Assert.Equal([5], writer.Written[^1]);
    }

    /// <summary>A clock that remembers what its timers would have called, because a timer may be about to fire while it is disposed of.</summary>
    private sealed class LateClock : FakeTimeProvider
    {
        public ConcurrentBag<Action> Disposed { get; } = [];

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            new LateTimer(base.CreateTimer(callback, state, dueTime, period), () => Disposed.Add(() => callback(state)));

        private sealed class LateTimer(ITimer timer, Action disposed) : ITimer
        {
            public bool Change(TimeSpan dueTime, TimeSpan period) => timer.Change(dueTime, period);

            public void Dispose()
            {
                disposed();
                timer.Dispose();
            }

            public ValueTask DisposeAsync()
            {
                disposed();
                return timer.DisposeAsync();
            }
        }
    }

    private sealed class Writer(TimeProvider clock) : GroupWriter<int>(5, 3, Gather, clock)
    {
        public List<int[]> Written { get; } = [];

        protected override Task WriteGroupAsync(IReadOnlyList<int> items, CancellationToken cancellation)
        {
            if (items.FirstOrDefault(static item => item < 0) is var bad and < 0)
            {
                throw new InvalidOperationException($"{bad}");
            }

            Written.Add([.. items]);
            return Task.CompletedTask;
        }
    }
}
