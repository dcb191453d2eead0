namespace Gateway.Edge.Providers.OpenAi;

/// <summary>Looks for a list in an answer without parsing it.</summary>
internal static class ListMember
{
    /// <summary>Whether a member of that name, at any depth, is a list.</summary>
    /// <param name="json">The answer, or a piece of it.</param>
    /// <param name="member">The name with its quotes.</param>
    /// <param name="ofObjects">Whether only a list that begins with an object counts.</param>
    public static bool IsIn(ReadOnlySpan<byte> json, ReadOnlySpan<byte> member, bool ofObjects = false)
    {
        while (json.IndexOf(member) is >= 0 and var at)
        {
            json = json[(at + member.Length)..].TrimStart(Spaces);
            if (json is [(byte)':', ..] && json[1..].TrimStart(Spaces) is [(byte)'[', .. var first] && (!ofObjects || first.TrimStart(Spaces) is [(byte)'{', ..]))
            {
                return true;
            }
        }

        return false;
    }

    private static ReadOnlySpan<byte> Spaces => " \t\r\n"u8;
}
