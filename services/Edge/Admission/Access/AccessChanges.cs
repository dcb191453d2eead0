using Gateway.Contracts;

namespace Gateway.Edge.Admission.Access;

/// <summary>Listens to Auth: a revoked key stops here within a second. After a pause it goes on with the last change that it saw.</summary>
internal sealed class AccessChanges(AuthClient auth, KeyCache keys, EdgeLog log) : BackgroundService
{
    private long sequence;

    /// <summary>Whether the stream is open now.</summary>
    public bool Connected { get; private set; }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = TimeSpan.FromMilliseconds(100);
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await foreach (var change in auth.ChangesAsync(sequence, stoppingToken))
                {
                    Connected = true;
                    pause = TimeSpan.FromMilliseconds(100);
                    keys.Apply(change);
                    keys.Heard();
                    sequence = Math.Max(sequence, change.Sequence);
                }
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception error) when (error is not OutOfMemoryException)
            {
                if (Connected)
                {
                    log.AccessStreamLost(error);
                }
            }

            Connected = false;
            await Task.Delay(pause, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = TimeSpan.FromMilliseconds(Math.Min(2_000, pause.TotalMilliseconds * 2));
        }
    }
}
