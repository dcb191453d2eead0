using System.Buffers;
using System.Text;
using System.Text.Json;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Messages;

/// <summary>
/// The ids of tools' calls that Anthropic refuses, in a conversation that passes to it: another model made them (<c>functions.Bash:0</c>), and the client
/// sends them back. They are left as they were made on the way to the client, because the model that made them may go by them.
/// </summary>
internal static class ForeignToolIds
{
    private static readonly SearchValues<byte> Taken = SearchValues.Create("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-"u8);

    /// <summary>
    /// Whether a target refuses them: Anthropic, and Anthropic's models at Google's and Microsoft's addresses. Another's server that speaks the protocol (Kimi's, vLLM)
    /// may have made them, and its model may go by them.
    /// </summary>
    public static bool AreRefusedBy(Deployment target) =>
        target.Protocol.WrapsPassed || target.Address.Host is var host && (host.EndsWith(".anthropic.com", StringComparison.Ordinal) || host.EndsWith(".azure.com", StringComparison.Ordinal));

    /// <summary>The ids of a request's calls and results, in the form that Anthropic takes; empty, and nothing is parsed, where it takes them all.</summary>
    /// <param name="body">Anthropic's request, known to be a JSON object.</param>
    public static IReadOnlyList<Splice> In(ReadOnlyMemory<byte> body) => MayBeIn(body.Span) ? Find(body) : [];

    /// <summary>Whether a result has such an id: Anthropic takes no call without its result, so each call's is among them. One search.</summary>
    private static bool MayBeIn(ReadOnlySpan<byte> rest)
    {
        var name = "\"tool_use_id\""u8;
        for (var at = rest.IndexOf(name); at >= 0; at = rest.IndexOf(name))
        {
            rest = rest[(at + name.Length)..].TrimStart(" \t\r\n:"u8);
            if (rest is not [(byte)'"', .. var id])
            {
                continue;
            }

            var end = id.IndexOfAnyExcept(Taken);
            if (end <= 0 || id[end] != (byte)'"')
            {
                return true;
            }
        }

        return false;
    }

    private static List<Splice> Find(ReadOnlyMemory<byte> body)
    {
        using var document = RequestHead.Parse(body);
        var ids = new ToolIds(int.MaxValue);
        var splices = new List<Splice>();
        foreach (var block in document.RootElement.Field("messages"u8).Items().SelectMany(static message => message.Field("content"u8).Items()))
        {
            if (block.Field("type"u8).Is("tool_use"u8))
            {
                Change(block.Field("id"u8), ids.OfCall);
            }
            else if (block.Field("type"u8).Is("tool_result"u8))
            {
                Change(block.Field("tool_use_id"u8), ids.OfResult);
            }
        }

        return splices;

        void Change(JsonElement id, Func<string, string> fit)
        {
            // What is no text is for Anthropic to refuse; a signature of Gemini's goes anyway.
            if (id.Text() is { } text && SignedCallId.Split(text).Id is var bare && fit(bare) is var taken && taken != bare && body.Span.Overlaps(id.Raw(), out var start))
            {
                splices.Add(new Splice(start, start + id.Raw().Length, Encoding.ASCII.GetBytes($"\"{taken}\"")));
            }
        }
    }
}
