using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Scripts;
using Microsoft.AspNetCore.Http;

namespace Gateway.SampleProvider.Delivery;

/// <summary>One route of one provider: turns a request into a reply, with no knowledge of connections.</summary>
internal abstract class ProviderRoute(string path, Dialect dialect)
{
    /// <summary>What the statistics count under.</summary>
    public string Path { get; } = path;

    public Dialect Dialect { get; } = dialect;
}

/// <summary>A route whose reply depends on the request's body alone.</summary>
internal abstract class Surface(string path, Dialect dialect) : ProviderRoute(path, dialect)
{
    /// <summary>The reply to this body. It must depend on nothing else: it is remembered.</summary>
    public abstract PreparedReply Prepare(ReadOnlySpan<byte> body, Script script);
}

/// <summary>A route that keeps something from one request to the next. It is asked only for a request that nothing else refuses.</summary>
internal abstract class KeepingRoute(string path, Dialect dialect) : ProviderRoute(path, dialect)
{
    public abstract PreparedReply Reply(HttpRequest request, ReadOnlySpan<byte> body, Script script);
}

/// <summary>What all routes of one provider share: where the key stands, what an error looks like, which headers a reply has.</summary>
internal abstract class Dialect
{
    /// <summary>The caller's key as it stands in its header, or null.</summary>
    public abstract string? Credential(IHeaderDictionary headers);

    public abstract PreparedReply Refuse(Fault fault, string model, Script script);

    /// <summary>The refusal of a key that does not exist.</summary>
    public abstract PreparedReply RefuseCredential(string credential, string model);

    /// <summary>What the provider says, by its own account, with this status.</summary>
    public abstract Fault FaultFor(int status, string model);

    /// <summary>The error that the script wants in the reply's place, or null.</summary>
    public PreparedReply? RefuseByScript(Script script, string model) =>
        script.Status is { } status ? Refuse(FaultFor(status, model), model, script) : null;

    /// <summary>A header that the provider demands and that is not there.</summary>
    public virtual Fault? Check(IHeaderDictionary headers) => null;

    public abstract void Stamp(IHeaderDictionary headers, long id);
}
