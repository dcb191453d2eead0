namespace Gateway.Edge.Providers;

/// <summary>
/// What a provider's reply says and the client's format has no place for: citations, log probabilities, further candidates. It is named in the
/// header <c>x-gateway-dropped-reply</c> of an answer that comes whole; a stream's headers are gone by then, and it stands in the log.
/// </summary>
internal sealed class ReplyLosses
{
    private List<string>? names;

    /// <summary>The names, each once.</summary>
    public IReadOnlyList<string> Names => names ?? (IReadOnlyList<string>)[];

    /// <summary>Names what is lost.</summary>
    public void Add(string name)
    {
        names ??= [];
        if (!names.Contains(name))
        {
            names.Add(name);
        }
    }

    /// <summary>Forgets what another target's reply lost.</summary>
    public void Clear() => names = null;
}
