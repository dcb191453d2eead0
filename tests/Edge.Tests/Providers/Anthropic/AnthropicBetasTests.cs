using System.Text;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Tests.Providers.Anthropic;

public sealed class AnthropicBetasTests
{
    [Theory]
    [InlineData("""{"messages":[{"content":[{"type":"image","source":{"type":"file","file_id":"f"}}]}]}""", null, "files-api-2025-04-14")]
    [InlineData("""{"messages":[{"content":[{"type":"tool_result","content":[{"type":"document","source":{"type":"file","file_id":"f"}}]}]}]}""", null, "files-api-2025-04-14")]
    [InlineData("""{"messages":[{"content":[{"type":"container_upload","file_id":"f"}]}]}""", null, "files-api-2025-04-14")]
    [InlineData("""{"tools":[{"input_schema":{"properties":{"file_id":{},"container":{}}}}],"messages":[{"content":"\"file_id\""}]}""", null, "")]
    [InlineData("""{"mcp_servers":[{"name":"s"}]}""", null, "mcp-client-2025-11-20")]
    [InlineData("""{"mcp_servers":[{"name":"s","tool_configuration":{}}]}""", null, "mcp-client-2025-04-04")]
    [InlineData("""{"context_management":{"edits":[{"type":"clear_tool_uses_20250919"}]}}""", null, "context-management-2025-06-27")]
    [InlineData("""{"context_management":{"edits":[{"type":"compact_20260112"}]}}""", null, "context-management-2025-06-27,compact-2026-01-12")]
    [InlineData("""{"container":"c"}""", null, "code-execution-2025-08-25")]
    [InlineData("""{"container":{"skills":[]}}""", "mine, code-execution-2025-08-25", "mine, code-execution-2025-08-25,skills-2025-10-02")]
    public void AMemberOfABeta_BringsItsHeader_BesideThoseThatAreThere(string body, string? given, string expected)
    {
        using var request = new HttpRequestMessage();
        if (given is not null)
        {
            request.Headers.TryAddWithoutValidation("anthropic-beta", given);
        }

        ProviderCases.Provider("anthropic").AddHeadersFor(Encoding.UTF8.GetBytes(body), request.Headers);

        Assert.Equal(expected, request.Headers.TryGetValues("anthropic-beta", out var values) ? string.Join(',', values) : "");
    }

    [Fact]
    public void ClaudeOnVertex_GetsNone()
    {
        using var request = new HttpRequestMessage();
        ProviderCases.Provider("vertex-claude").AddHeadersFor("""{"mcp_servers":[]}"""u8.ToArray(), request.Headers);
        Assert.Empty(request.Headers);
    }
}
