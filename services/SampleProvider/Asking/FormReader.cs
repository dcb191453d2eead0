using System.Text;

namespace Gateway.SampleProvider.Asking;

/// <summary>Reads a form (<c>multipart/form-data</c>) that is here as a whole: its first line is its boundary.</summary>
internal static class FormReader
{
    /// <summary>The parts by name; none when it is no form.</summary>
    public static Dictionary<string, FormPart> Read(ReadOnlySpan<byte> body)
    {
        var parts = new Dictionary<string, FormPart>(StringComparer.Ordinal);
        var firstLine = body.IndexOf("\r\n"u8);
        if (firstLine < 3)
        {
            return parts;
        }

        byte[] delimiter = [.. "\r\n"u8, .. body[..firstLine]];
        body = body[firstLine..];
        while (body.StartsWith("\r\n"u8))
        {
            body = body[2..];
            var headEnd = body.IndexOf("\r\n\r\n"u8);
            var end = headEnd < 0 ? -1 : body.IndexOf(delimiter);
            if (end < headEnd + 4)
            {
                break;
            }

            var head = Encoding.UTF8.GetString(body[..headEnd]);
            if (Field(head, "name=") is { } name)
            {
                parts[name] = new(body[(headEnd + 4)..end].ToArray(), Field(head, "filename=") ?? "");
            }

            body = body[(end + delimiter.Length)..];
        }

        return parts;
    }

    private static string? Field(string head, string name)
    {
        foreach (var piece in head.Split([';', '\r', '\n'], StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
        {
            if (piece.StartsWith(name, StringComparison.OrdinalIgnoreCase))
            {
                return piece[name.Length..].Trim('"');
            }
        }

        return null;
    }
}

/// <param name="FileName">The name it was sent under; empty for a field.</param>
internal sealed record FormPart(byte[] Content, string FileName)
{
    public string Text => Encoding.UTF8.GetString(Content);
}
