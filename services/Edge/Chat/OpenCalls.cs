using System.Globalization;

namespace Gateway.Edge.Chat;

/// <summary>
/// The calls of tools that have no result yet. In OpenAI's words a result names its call by an id, which other clients may leave out: then it
/// answers the first call of its tool that is still open.
/// </summary>
internal sealed class OpenCalls
{
    private readonly List<(string Id, string Name)> open = [];
    private int made;

    /// <summary>The model calls tools anew: what it called before is not answered any more.</summary>
    public void Begin() => open.Clear();

    /// <summary>Notes a call and gives its id: its own, or one that is made.</summary>
    public string Add(string? id, string name)
    {
        id = id is { Length: > 0 } ? id : string.Create(CultureInfo.InvariantCulture, $"call{++made:D5}");
        open.Add((id, name));
        return id;
    }

    /// <summary>The id of the call that a result answers; null when there is none.</summary>
    /// <param name="id">The id that the result names; it need not.</param>
    /// <param name="name">The tool that it names; it need not.</param>
    public string? Answered(string? id, string? name)
    {
        var at = id is { Length: > 0 } ? open.FindIndex(call => call.Id == id)
            : name is { Length: > 0 } && open.FindIndex(call => call.Name == name) is >= 0 and var named ? named
            : open.Count > 0 ? 0 : -1;
        if (at >= 0)
        {
            id = open[at].Id;
            open.RemoveAt(at);
        }

        return id is { Length: > 0 } ? id : null;
    }
}
