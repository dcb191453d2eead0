using System.Collections.Concurrent;

namespace Gateway.TestKit.Providers;

/// <summary>A cloud's store of secrets over real HTTP, as far as the gateway asks it. A test writes secrets, takes away who may read them, and stops it from answering.</summary>
public abstract class ScriptedSecretStore : IAsyncDisposable
{
    private readonly ScriptedProvider server;
    private volatile bool isAway;
    private volatile bool refuses;

    private protected ScriptedSecretStore(ScriptedProvider server)
    {
        this.server = server;
        server.OnRequest(exchange => exchange.Send(isAway ? Reply.Json(503, """{"error":{"code":503}}""") : Answer(exchange.Request)));
    }

    public string Url => server.Url;

    public IReadOnlyList<ReceivedRequest> Requests => server.Requests;

    /// <summary>While it is away it answers 503.</summary>
    public bool IsAway
    {
        get => isAway;
        set => isAway = value;
    }

    /// <summary>Whether nobody may read a secret any more; who asks is still known.</summary>
    public bool Refuses
    {
        get => refuses;
        set => refuses = value;
    }

    private protected ConcurrentDictionary<string, string> Secrets { get; } = new(StringComparer.Ordinal);

    /// <summary>Writes a version of a secret.</summary>
    public void Write(string name, string value) => Secrets[name] = value;

    public void Delete(string name) => Secrets.TryRemove(name, out _);

    public ValueTask DisposeAsync()
    {
        GC.SuppressFinalize(this);
        return server.DisposeAsync();
    }

    private protected abstract Reply Answer(ReceivedRequest request);
}
