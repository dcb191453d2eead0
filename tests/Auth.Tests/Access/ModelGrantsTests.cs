using Gateway.Auth.Access;

namespace Gateway.Auth.Tests.Access;

public sealed class ModelGrantsTests
{
    // key | team (- for none) | user | organization => granted; words are separated by spaces, * alone is every model, 0 is none.
    [Theory]
    [InlineData("", "-", "", "", "*")]
    [InlineData("gpt-4", "-", "", "", "gpt-4")]
    [InlineData("", "-", "gpt-4 claude-2", "", "gpt-4 claude-2")]
    [InlineData("gpt-4 claude-2", "-", "gpt-4", "", "gpt-4")]
    [InlineData("gpt-4", "-", "claude-2", "", "0")]
    [InlineData("", "gpt-4", "claude-2", "", "gpt-4")]
    [InlineData("", "", "claude-2", "", "*")]
    [InlineData("all-team-models", "gpt-4", "claude-2", "", "gpt-4")]
    [InlineData("all-team-models", "-", "claude-2", "", "0")]
    [InlineData("all-proxy-models", "gpt-4", "", "", "gpt-4")]
    [InlineData("all-proxy-models", "-", "", "", "*")]
    [InlineData("*", "-", "", "", "*")]
    [InlineData("no-default-models", "-", "", "", "0")]
    [InlineData("", "-", "no-default-models", "", "0")]
    [InlineData("", "-", "", "gpt-4", "gpt-4")]
    [InlineData("anthropic/*", "anthropic/claude-2 gpt-4", "", "", "anthropic/claude-2")]
    [InlineData("anthropic/claude-*", "anthropic/*", "", "", "anthropic/claude-*")]
    [InlineData("a*", "*b", "", "", "0")]
    public void A_key_may_call_what_it_and_its_owner_grant(string key, string team, string user, string organization, string granted)
    {
        var models = ModelGrants.Of(Words(key), team != "-", team == "-" ? [] : Words(team), Words(user), Words(organization));
        Assert.Equal(granted, models is null ? "*" : models.Length == 0 ? "0" : string.Join(' ', models));
    }

    [Theory]
    [InlineData("*", "", true)]
    [InlineData("a*c", "abc", true)]
    [InlineData("a*c", "abcd", false)]
    [InlineData("*-4*", "gpt-4-turbo", true)]
    [InlineData("gpt-4", "gpt-4o", false)]
    [InlineData("*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false)]
    public void A_star_stands_for_any_text(string pattern, string name, bool matches) => Assert.Equal(matches, ModelGrants.Matches(pattern, name));

    private static string[] Words(string text) => text.Split(' ', StringSplitOptions.RemoveEmptyEntries);
}
