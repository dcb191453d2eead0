using Gateway.Edge.Metering;
using Microsoft.Extensions.Time.Testing;

namespace Gateway.Edge.Tests.Metering;

public sealed class ReleasedWhenIdleTests
{
    private readonly FakeTimeProvider clock = new();
    private int made;

    [Fact]
    public void It_is_made_once_and_stays_while_it_is_used()
    {
        var large = Large();
        Assert.False(large.Made);
        var first = large.Value;
        for (var minute = 0; minute < 10; minute++)
        {
            clock.Advance(TimeSpan.FromSeconds(59));
            Assert.Same(first, large.Value);
        }

        Assert.Equal(1, made);
    }

    [Fact]
    public void It_is_let_go_when_nobody_needs_it_and_made_anew_when_somebody_does()
    {
        var large = Large();
        var first = WeakReferenceTo(large);
        clock.Advance(TimeSpan.FromMinutes(1));
        Assert.False(large.Made);
        Assert.False(first.TryGetTarget(out _));
        Assert.NotNull(large.Value);
        Assert.Equal(2, made);
        clock.Advance(TimeSpan.FromMinutes(2));
        Assert.False(large.Made);
    }

    // Apart, so that nothing of this method's keeps it.
    [System.Runtime.CompilerServices.MethodImpl(System.Runtime.CompilerServices.MethodImplOptions.NoInlining)]
    private static WeakReference<object> WeakReferenceTo(ReleasedWhenIdle<object> large) => new(large.Value);

    private ReleasedWhenIdle<object> Large() => new(() => new byte[++made * 100_000], TimeSpan.FromMinutes(1), clock);
}
