namespace Gateway.Launcher.Running;

/// <summary>The cluster cannot start. The message is all that the person sees: what is wrong and the one thing to do.</summary>
public sealed class LaunchException : Exception
{
    public LaunchException()
    {
    }

    public LaunchException(string message)
        : base(message)
    {
    }

    public LaunchException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
