namespace Gateway.SampleProvider.OpenAi.Batches;

/// <summary>A batch while it lives: what is said of it, and the two words that can come from outside, release and cancel.</summary>
internal sealed class Batch(BatchObject first, BatchScript script, byte[] input, TimeSpan? outputLifetime)
{
    private readonly Lock gate = new();
    private readonly TaskCompletionSource released = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource cancelled = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public BatchObject Object { get; private set; } = first;

    public BatchScript Script { get; } = script;

    public byte[] Input { get; } = input;

    public TimeSpan? OutputLifetime { get; } = outputLifetime;

    public bool IsCancelled => cancelled.Task.IsCompleted;

    public static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    /// <summary>Lets it go on, now or where it would be held later.</summary>
    public void Release() => released.TrySetResult();

    /// <summary>False when the batch has ended.</summary>
    public bool Cancel()
    {
        lock (gate)
        {
            if (Object.Status is BatchStatus.Validating or BatchStatus.InProgress or BatchStatus.Finalizing)
            {
                Object = Object with { Status = BatchStatus.Cancelling, CancellingAt = Now };
                cancelled.TrySetResult();
            }

            return Object.Status is BatchStatus.Cancelling;
        }
    }

    /// <summary>The next step, which a batch that was cancelled does not take.</summary>
    public bool Advance(Func<BatchObject, BatchObject> step)
    {
        lock (gate)
        {
            Object = IsCancelled ? Object : step(Object);
            return !IsCancelled;
        }
    }

    /// <summary>Says how far it is. A line that was under way when the batch was cancelled counts too.</summary>
    public void Count(int completed, int failed)
    {
        lock (gate)
        {
            Object = Object with { RequestCounts = Object.RequestCounts with { Completed = completed, Failed = failed } };
        }
    }

    /// <summary>The last step of a batch that was cancelled.</summary>
    public void EndCancelled(Func<BatchObject, BatchObject> step)
    {
        lock (gate)
        {
            Object = step(Object);
        }
    }

    /// <summary>Waits where the script holds the batch: until it is released or cancelled.</summary>
    public Task Hold(string status, CancellationToken stopping) =>
        !Script.Hold.Contains(status) ? Task.CompletedTask
        : status == BatchStatus.Cancelling ? released.Task.WaitAsync(stopping)
        : Task.WhenAny(released.Task, cancelled.Task).WaitAsync(stopping);
}
