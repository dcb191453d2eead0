using Gateway.ServiceDefaults;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Ledger.Tests.Duties;

public sealed class BackgroundJobTests
{
    [Fact]
    public async Task It_goes_on_after_a_failure_that_nobody_foresaw_and_ends_when_it_is_told_to()
    {
        using var job = new Failing();
        await job.StartAsync(CancellationToken.None);
        await job.Third.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await job.StopAsync(CancellationToken.None);
        Assert.True(job.ExecuteTask!.IsCompletedSuccessfully);
    }

    private sealed class Failing() : BackgroundJob(TimeProvider.System, NullLogger.Instance, TimeSpan.FromMilliseconds(1))
    {
        private int round;

        public TaskCompletionSource Third { get; } = new(TaskCreationOptions.RunContinuationsAsynchronously);

        protected override async Task WorkAsync(CancellationToken stoppingToken)
        {
            switch (round++)
            {
                case 0:
                    throw new OverflowException();
                case 1:
                    // Not told to stop: somebody else's time was over.
                    throw new OperationCanceledException();
                default:
                    Third.TrySetResult();
                    await Task.Delay(Timeout.Infinite, stoppingToken);
                    break;
            }
        }
    }
}
