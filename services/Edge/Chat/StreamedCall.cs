using System.Text;
using System.Text.Json;

namespace Gateway.Edge.Chat;

/// <summary>A call of a tool that comes in pieces.</summary>
/// <param name="index">Where it stands in the answer that is being made.</param>
/// <param name="id">Its id.</param>
/// <param name="name">The tool.</param>
internal sealed class StreamedCall(int index, string id, string name)
{
    public int Index { get; } = index;

    public string Id { get; } = id;

    public string Name { get; } = name;

    /// <summary>What came of its arguments.</summary>
    public StringBuilder Arguments { get; } = new();

    /// <summary>What Google's models want back with a call; null for those of others.</summary>
    public string? Signature { get; init; }

    public bool Closed { get; set; }

    /// <summary>Whether its arguments are complete, as far as their text tells.</summary>
    public bool IsWhole
    {
        get
        {
            try
            {
                JsonDocument.Parse(Arguments.ToString()).Dispose();
                return true;
            }
            catch (JsonException)
            {
                return Arguments.Length == 0;
            }
        }
    }
}
