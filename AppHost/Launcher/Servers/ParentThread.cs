using System.Collections.Concurrent;

namespace Gateway.Launcher.Servers;

/// <summary>
/// Starts every child from one thread that never ends. The kernel's "parent is gone" means the *thread* that started the child:
/// a child started from the thread pool would be killed whenever the pool lets that thread go.
/// </summary>
internal static class ParentThread
{
    private static readonly BlockingCollection<Action> s_work = Begin();

    public static void Run(Action start)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        s_work.Add(() =>
        {
            try
            {
                start();
                done.SetResult();
            }
#pragma warning disable CA1031 // Whatever it is, it is the caller's: it is thrown again there.
            catch (Exception e)
#pragma warning restore CA1031
            {
                done.SetException(e);
            }
        });
        done.Task.GetAwaiter().GetResult();
    }

    private static BlockingCollection<Action> Begin()
    {
        var work = new BlockingCollection<Action>();
        var thread = new Thread(() =>
        {
            foreach (var start in work.GetConsumingEnumerable())
            {
                start();
            }
        })
        { IsBackground = true, Name = "parent of the processes" };
        thread.Start();
        return work;
    }
}
