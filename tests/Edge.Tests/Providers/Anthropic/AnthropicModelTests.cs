using Gateway.Edge.Providers.Anthropic;

namespace Gateway.Edge.Tests.Providers.Anthropic;

public sealed class AnthropicModelTests
{
    [Theory]
    [InlineData("claude-2", 200)]
    [InlineData("claude-2.1", 201)]
    [InlineData("claude-instant-1.2", 102)]
    [InlineData("claude-3-haiku-20240307", 300)]
    [InlineData("claude-3-5-sonnet-latest", 305)]
    [InlineData("claude-3-7-sonnet-20250219", 307)]
    [InlineData("claude-sonnet-4-20250514", 400)]
    [InlineData("claude-opus-4-1-20250805", 401)]
    [InlineData("claude-sonnet-4-5@20250929", 405)]
    [InlineData("us.anthropic.claude-haiku-4-5-20251001-v1:0", 405)]
    [InlineData("anthropic/claude-opus-4.6", 406)]
    [InlineData("claude-opus-4-7", 407)]
    [InlineData("claude-sonnet-5", 500)]
    [InlineData("some-new-name", 9900)]
    public void The_version_is_read_from_the_name(string name, int version) => Assert.Equal(version, AnthropicModel.Of(name).Version);
}
