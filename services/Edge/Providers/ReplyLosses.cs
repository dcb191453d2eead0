using System.Text.Json;

namespace Gateway.Edge.Providers;

/// <summary>
/// What a provider's reply says and the client's format has no place for: citations, log probabilities, further candidates. It is named in the
/// header <c>x-gateway-dropped-reply</c> of an answer that comes whole; a stream's headers are gone by then, and it stands in the log.
/// </summary>
internal sealed class ReplyLosses
{
    private const int NameLengthMax = 100;

    private List<string>? names;

    /// <summary>The names, each once.</summary>
    public IReadOnlyList<string> Names => names ?? (IReadOnlyList<string>)[];

    /// <summary>Names what is lost, as a header can say it: a provider may make up any number of names, and of <see cref="DroppedFields.NamesMax"/> on they are left out.</summary>
    public void Add(string name)
    {
        names ??= [];
        if (names.Count < DroppedFields.NamesMax && !names.Contains(name) && Printable(name) is var printable && !names.Contains(printable))
        {
            names.Add(printable);
        }
    }

    /// <summary>Names each member of an object but those that are said.</summary>
    /// <param name="said">The object.</param>
    /// <param name="known">The names of what is said.</param>
    /// <exception cref="MalformedReplyException">The name of another is broken (half a surrogate pair).</exception>
    public void AddOthers(JsonElement said, params ReadOnlySpan<string> known)
    {
        try
        {
            foreach (var field in said.Fields())
            {
                if (!field.IsOneOf(known))
                {
                    Add(field.Name);
                }
            }
        }
        catch (InvalidOperationException)
        {
            throw new MalformedReplyException("A name in the provider's reply is no text.");
        }
    }

    /// <summary>Forgets what another target's reply lost.</summary>
    public void Clear() => names = null;

    /// <summary>A name that a caller or a provider chose, as it may stand in a header. One that is too long is an answer that no client reads.</summary>
    public static string Printable(string name) =>
        string.Concat(name.Take(NameLengthMax).Select(static c => c is > ' ' and < '\x7f' and not ',' ? c : '?'));
}
