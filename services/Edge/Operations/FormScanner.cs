using System.Buffers;
using System.Text;
using Microsoft.Net.Http.Headers;

namespace Gateway.Edge.Operations;

/// <summary>
/// Watches a form (<c>multipart/form-data</c>, RFC 7578) as its bytes pass, in whatever pieces they come: where the model's name stands, how
/// large the file is, and whether it asks for what no caller may. It holds no more than one part's head.
/// </summary>
internal sealed class FormScanner
{
    /// <summary>The largest head of a part, and the longest name of a model.</summary>
    private const int HeadBytesMax = 8 * 1024;
    private const int PartsMax = 128;

    private readonly byte[] delimiter;
    private readonly ArrayBufferWriter<byte> model = new(64);
    private byte[] pending = new byte[64 * 1024];
    private int pendingLength;
    private long pendingAt;
    private long partAt;
    private int parts;
    private string part = "";
    private bool partIsFile;
    private State state = State.Content;

    /// <param name="boundary">Of the content type.</param>
    public FormScanner(string boundary)
    {
        delimiter = Encoding.UTF8.GetBytes("\r\n--" + boundary);

        // The first delimiter begins the body, without the line end that stands before all others.
        "\r\n"u8.CopyTo(pending);
        pendingLength = 2;
        pendingAt = -2;
    }

    private enum State
    {
        Content,
        AfterDelimiter,
        Head,
        Ended,
    }

    /// <summary>The model's name; null until the whole of it was seen.</summary>
    public string? Model { get; private set; }

    /// <summary>Where its bytes begin in the body.</summary>
    public long ModelStart { get; private set; }

    /// <summary>Where they end.</summary>
    public long ModelEnd { get; private set; }

    /// <summary>Bytes of files seen so far.</summary>
    public long FileBytes { get; private set; }

    /// <summary>Whether the form's last delimiter was seen.</summary>
    public bool Ended => state == State.Ended;

    /// <summary>What is wrong with the form.</summary>
    public GatewayError? Problem { get; private set; }

    /// <summary>Whether the model was named already (by the path): then the form must not name one behind the point where it was looked for.</summary>
    public bool ModelIsGiven { get; set; }

    /// <summary>Takes the next bytes of the body.</summary>
    public void Feed(ReadOnlySpan<byte> bytes)
    {
        while (!bytes.IsEmpty && Problem is null && state != State.Ended)
        {
            var taken = Math.Min(bytes.Length, pending.Length - pendingLength);
            bytes[..taken].CopyTo(pending.AsSpan(pendingLength));
            pendingLength += taken;
            bytes = bytes[taken..];
            while (Problem is null && Step())
            {
            }
        }
    }

    private bool Step()
    {
        ReadOnlySpan<byte> seen = pending.AsSpan(0, pendingLength);
        switch (state)
        {
            case State.Content:
                var at = seen.IndexOf(delimiter);
                TakeContent(seen[..(at >= 0 ? at : Math.Max(0, seen.Length - delimiter.Length + 1))]);
                if (at < 0)
                {
                    Drop(Math.Max(0, seen.Length - delimiter.Length + 1));
                    return false;
                }

                EndPart(pendingAt + at);
                Drop(at + delimiter.Length);
                state = State.AfterDelimiter;
                return true;

            case State.AfterDelimiter:
                if (seen.Length < 2)
                {
                    return false;
                }

                if (seen.StartsWith("--"u8))
                {
                    state = State.Ended;
                }
                else if (seen.StartsWith("\r\n"u8))
                {
                    Drop(2);
                    state = State.Head;
                    Problem = ++parts > PartsMax ? Wrong($"The form has more than {PartsMax} parts.") : null;
                }
                else
                {
                    Problem = Wrong("The form is broken: a boundary is followed by something else than a line end.");
                }

                return true;

            case State.Head:
                var end = seen.IndexOf("\r\n\r\n"u8);
                if (end < 0)
                {
                    Problem = seen.Length > HeadBytesMax ? Wrong("The head of a part of the form is too large.") : null;
                    return false;
                }

                BeginPart(seen[..end]);
                Drop(end + 4);
                partAt = pendingAt;
                state = State.Content;
                return true;

            default:
                return false;
        }
    }

    private void BeginPart(ReadOnlySpan<byte> head)
    {
        part = "";
        partIsFile = false;
        foreach (var line in Encoding.UTF8.GetString(head).Split("\r\n"))
        {
            if (line.StartsWith("Content-Disposition:", StringComparison.OrdinalIgnoreCase)
                && ContentDispositionHeaderValue.TryParse(line["Content-Disposition:".Length..].Trim(), out var disposition))
            {
                part = HeaderUtilities.RemoveQuotes(disposition.Name).ToString();
                partIsFile = disposition.FileName.HasValue || disposition.FileNameStar.HasValue;
            }
        }

        switch (part)
        {
            case "api_key" or "api_base" or "base_url":
                Problem = new GatewayError(400, "invalid_request", "A caller cannot choose the provider's address or credential: leave api_base, base_url and api_key out.", part);
                break;
            case "model" when Model is not null || ModelIsGiven:
                Problem = Wrong("The form names the model twice, or behind its file though the path names it.", "model");
                break;
        }
    }

    private void TakeContent(ReadOnlySpan<byte> bytes)
    {
        if (partIsFile)
        {
            FileBytes += bytes.Length;
        }
        else if (part == "model")
        {
            if (model.WrittenCount + bytes.Length > HeadBytesMax)
            {
                Problem = Wrong("The model's name is too long.", "model");
                return;
            }

            model.Write(bytes);
        }
    }

    private void EndPart(long at)
    {
        if (part == "model")
        {
            Model = Encoding.UTF8.GetString(model.WrittenSpan).Trim();
            (ModelStart, ModelEnd) = (partAt, at);
        }

        part = "";
        partIsFile = false;
    }

    private void Drop(int count)
    {
        pending.AsSpan(count, pendingLength - count).CopyTo(pending);
        pendingLength -= count;
        pendingAt += count;
    }

    private static GatewayError Wrong(string message, string? param = null) => new(400, "invalid_request", message, param);
}
