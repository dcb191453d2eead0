using System.Threading.Channels;
using Microsoft.Extensions.Hosting;

namespace Gateway.ServiceDefaults;

/// <summary>
/// Writes in group commits: one writer takes whatever waits, up to a bound, into one write, and everybody who waits for it goes on together.
/// While more keeps coming it lets it gather for a moment, because a small write costs a database nearly what a large one does; the first
/// after a pause is written at once, and so is everything when somebody asks who cannot wait. A group that fails is written once more, each
/// part by itself: everybody is told of its own.
/// </summary>
/// <typeparam name="T">What is written.</typeparam>
/// <param name="itemsMax">Items in one write: at so many nothing is waited for. A single part may have more.</param>
/// <param name="partsMax">Parts in one write: no more than can come before one of them is done.</param>
/// <param name="gather">How long parts gather while more are coming; zero for not at all.</param>
/// <param name="clock">The time.</param>
public abstract class GroupWriter<T>(int itemsMax, int partsMax, TimeSpan gather, TimeProvider clock) : BackgroundService
{
    // Who asks bounds how much can wait here; the channel's own bound only states it.
    private readonly Channel<Part> waiting = Channel.CreateBounded<Part>(1_024);
    private readonly List<Part> group = [];
    private int items;
    private bool hurried;
    private long? wroteAt;

    /// <summary>The time.</summary>
    protected TimeProvider Clock { get; } = clock;

    /// <summary>Returns when all of <paramref name="items"/> are written.</summary>
    /// <param name="items">What to write.</param>
    /// <param name="patient">Whether they may wait for others. False where a person waits for the answer.</param>
    /// <param name="cancellation">Ends the waiting, and not the write.</param>
    public async Task WriteAsync(IReadOnlyList<T> items, bool patient, CancellationToken cancellation)
    {
        var part = new Part(items, patient);
        await waiting.Writer.WriteAsync(part, cancellation);
        await part.Done.Task.WaitAsync(cancellation);
    }

    /// <summary>Writes a group. What it throws is told to whoever waits for it.</summary>
    protected abstract Task WriteGroupAsync(IReadOnlyList<T> items, CancellationToken cancellation);

    /// <inheritdoc />
    protected sealed override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            while (await waiting.Reader.WaitToReadAsync(stoppingToken))
            {
                await GatherAsync(stoppingToken);
                await WriteTogetherAsync(stoppingToken);
                wroteAt = Clock.GetTimestamp();
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // Whoever waits was not told that it is done, and asks another time.
        }
        finally
        {
            waiting.Writer.TryComplete();
            while (waiting.Reader.TryRead(out var left))
            {
                group.Add(left);
            }

            group.ForEach(part => part.Done.TrySetCanceled(CancellationToken.None));
        }
    }

    private async Task GatherAsync(CancellationToken cancellation)
    {
        Take();
        if (wroteAt is not { } last || Clock.GetElapsedTime(last) >= gather * 2)
        {
            return;
        }

        // A source's own timer may fire as late as it likes, also once the source is disposed: a timer of ours that cancels one may not.
        using var over = new CancellationTokenSource(Left(last), Clock);
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(cancellation, over.Token);
        try
        {
            while (!hurried && items < itemsMax && group.Count < partsMax && await waiting.Reader.WaitToReadAsync(enough.Token))
            {
                Take();
            }
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            // Gathered for long enough.
        }
    }

    private TimeSpan Left(long last) => Clock.GetElapsedTime(last) is var passed && passed < gather ? gather - passed : TimeSpan.Zero;

    private void Take()
    {
        while (items < itemsMax && group.Count < partsMax && waiting.Reader.TryRead(out var part))
        {
            group.Add(part);
            items += part.Items.Count;
            hurried |= !part.Patient;
        }
    }

    private async Task WriteTogetherAsync(CancellationToken cancellation)
    {
        try
        {
            await WriteGroupAsync(group.Count == 1 ? group[0].Items : [.. group.SelectMany(static part => part.Items)], cancellation);
            group.ForEach(static part => part.Done.TrySetResult());
        }
        catch (Exception error) when (error is not OperationCanceledException || !cancellation.IsCancellationRequested)
        {
            await WriteApartAsync(error, cancellation);
        }

        group.Clear();
        (items, hurried) = (0, false);
    }

    private async Task WriteApartAsync(Exception together, CancellationToken cancellation)
    {
        if (group.Count == 1)
        {
            group[0].Done.TrySetException(together);
            return;
        }

        foreach (var part in group)
        {
            try
            {
                await WriteGroupAsync(part.Items, cancellation);
                part.Done.TrySetResult();
            }
#pragma warning disable CA1031 // Whatever it is, it is its owner's and must not end the only writer.
            catch (Exception error) when (error is not OperationCanceledException || !cancellation.IsCancellationRequested)
#pragma warning restore CA1031
            {
                part.Done.TrySetException(error);
            }
        }
    }

    private sealed record Part(IReadOnlyList<T> Items, bool Patient)
    {
        public TaskCompletionSource Done { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);
    }
}
