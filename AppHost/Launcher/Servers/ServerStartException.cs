namespace Gateway.Launcher.Servers;

/// <summary>A server or service did not come up. The message says what to do and holds the last lines that it wrote.</summary>
public sealed class ServerStartException : Exception
{
    public ServerStartException()
    {
    }

    public ServerStartException(string message)
        : base(message)
    {
    }

    public ServerStartException(string message, Exception innerException)
        : base(message, innerException)
    {
    }
}
