using System.Text;

namespace Gateway.Edge.Chat;

/// <summary>A call of a tool that comes in pieces.</summary>
/// <param name="index">Where it stands in the answer that is being made.</param>
/// <param name="id">Its id.</param>
/// <param name="name">The tool.</param>
internal sealed class StreamedCall(int index, string id, string name)
{
    private int scanned;
    private int depth;
    private bool inText;
    private bool escaped;
    private bool whole;

    public int Index { get; } = index;

    public string Id { get; } = id;

    public string Name { get; } = name;

    /// <summary>What came of its arguments.</summary>
    public StringBuilder Arguments { get; } = new();

    /// <summary>What Google's models want back with a call; null for those of others.</summary>
    public string? Signature { get; set; }

    /// <summary>Whether its arguments are an object that has ended: nothing can follow. None at all are not whole, they may be still to come.</summary>
    public bool IsWhole
    {
        get
        {
            if (!whole && scanned < Arguments.Length)
            {
                Scan(Arguments.ToString(scanned, Arguments.Length - scanned));
                scanned = Arguments.Length;
            }

            return whole;
        }
    }

    private void Scan(string piece)
    {
        foreach (var character in piece)
        {
            if (inText)
            {
                inText = escaped || character != '"';
                escaped = !escaped && character == '\\';
            }
            else if (character == '"')
            {
                inText = true;
            }
            else if (character is '{' or '[')
            {
                depth++;
            }
            else if (character is '}' or ']')
            {
                whole |= --depth == 0;
            }
        }
    }
}
