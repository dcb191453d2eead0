using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Scripts;
using Microsoft.AspNetCore.Http;

namespace Gateway.SampleProvider.Delivery;

/// <summary>One route of one provider: turns a request's body into a reply, with no knowledge of connections.</summary>
internal abstract class Surface(string path, Dialect dialect)
{
    public string Path { get; } = path;

    public Dialect Dialect { get; } = dialect;

    /// <summary>The reply to this body. It must depend on nothing else: it is remembered.</summary>
    public abstract PreparedReply Prepare(ReadOnlySpan<byte> body, Script script);
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

    /// <summary>A header that the provider demands and that is not there.</summary>
    public virtual Fault? Check(IHeaderDictionary headers) => null;

    public abstract void Stamp(IHeaderDictionary headers, long id);
}
