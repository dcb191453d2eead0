using System.Net.Http.Headers;
using System.Text.Json;

namespace Gateway.Edge.Providers.Anthropic;

/// <summary>
/// The header <c>anthropic-beta</c> for what a request in Anthropic's words uses: a member of a beta is refused without it. Source: Anthropic's
/// "Beta headers", and its pages on files, the MCP connector, context editing and skills.
/// </summary>
internal static class AnthropicBetas
{
    private const string Header = "anthropic-beta";

    /// <summary>Adds those that are needed and not there yet: an administrator or the caller may have named some.</summary>
    /// <param name="body">The request.</param>
    /// <param name="headers">Takes the header.</param>
    public static void Add(ReadOnlyMemory<byte> body, HttpRequestHeaders headers)
    {
        // Nearly no request uses one: it is not parsed again.
        if (body.Span.IndexOf("\"mcp_servers\""u8) < 0 && body.Span.IndexOf("\"context_management\""u8) < 0 && body.Span.IndexOf("\"container"u8) < 0 &&
            body.Span.IndexOf("\"file_id\""u8) < 0)
        {
            return;
        }

        // As deep as what was written: a call's arguments, which may be deep themselves, stand deeper in it than in the caller's request.
        using var document = JsonDocument.Parse(body, new JsonDocumentOptions { MaxDepth = int.MaxValue });
        var given = headers.TryGetValues(Header, out var values)
            ? values.SelectMany(static value => value.Split(',', StringSplitOptions.TrimEntries)).ToHashSet(StringComparer.Ordinal)
            : [];
        foreach (var beta in Of(document.RootElement).Where(given.Add))
        {
            headers.TryAddWithoutValidation(Header, beta);
        }
    }

    private static IEnumerable<string> Of(JsonElement request)
    {
        if (request.Field("messages"u8).Items().SelectMany(static message => message.Field("content"u8).Items()).Any(HasFile))
        {
            yield return "files-api-2025-04-14";
        }

        if (request.Field("mcp_servers"u8).Given())
        {
            // The older version has a server's tools in the server, the newer one among the tools.
            yield return request.Field("mcp_servers"u8).Items().Any(static server => server.Field("tool_configuration"u8).Given()) ? "mcp-client-2025-04-04" : "mcp-client-2025-11-20";
        }

        if (request.Field("context_management"u8).Given())
        {
            yield return "context-management-2025-06-27";
            if (request.Field("context_management"u8).Field("edits"u8).Items().Any(static edit => edit.Field("type"u8).Text()?.StartsWith("compact_", StringComparison.Ordinal) == true))
            {
                yield return "compact-2026-01-12";
            }
        }

        if (request.Field("container"u8).Given())
        {
            yield return "code-execution-2025-08-25";
            if (request.Field("container"u8).Field("skills"u8).Given())
            {
                yield return "skills-2025-10-02";
            }
        }
    }

    private static bool HasFile(JsonElement block) =>
        block.Field("source"u8).Field("type"u8).Is("file"u8) || block.Field("type"u8).Is("container_upload"u8) || block.Field("content"u8).Items().Any(HasFile);
}
