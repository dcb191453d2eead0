using Gateway.Edge.Credentials;
using Microsoft.Extensions.Logging;

namespace Gateway.Edge.Tests.Credentials;

/// <summary>What the keeper has logged.</summary>
internal sealed class KeeperLog : ILogger<CredentialKeeper>
{
    private string awaited = "";
    private TaskCompletionSource said = new();

    public List<string> Lines { get; } = [];

    /// <summary>Ends at the next line with that text.</summary>
    public Task Said(string text)
    {
        lock (Lines)
        {
            (awaited, said) = (text, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously));
            return said.Task;
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (Lines)
        {
            Lines.Add($"{formatter(state, exception)} {exception}");
            if (Lines[^1].Contains(awaited, StringComparison.Ordinal))
            {
                said.TrySetResult();
            }
        }
    }
}
