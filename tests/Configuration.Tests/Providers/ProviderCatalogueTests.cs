namespace Gateway.Configuration.Tests.Providers;

public sealed class ProviderCatalogueTests
{
    [Fact]
    public void The_missions_providers_and_more_than_forty_that_speak_OpenAis_protocol_are_known()
    {
        Assert.All(
            new[] { "openai", "anthropic", "cohere", "azure", "gemini", "vertex_ai", "bedrock", "mistral", "ollama" },
            name => Assert.NotNull(ProviderCatalogue.Find(name)));
        Assert.True(ProviderCatalogue.All.Count(provider => provider.Protocol == ProviderProtocol.OpenAi && provider.Name != "openai") >= 40);
    }

    [Fact]
    public void Every_address_is_one_and_has_no_slash_at_its_end() => Assert.All(
        ProviderCatalogue.All.Where(provider => provider.ApiBase is not null),
        provider =>
        {
            Assert.Null(Gateway.Configuration.Reading.Addresses.WhatIsWrongWith(provider.ApiBase!));
            Assert.False(provider.ApiBase!.EndsWith('/'), provider.Name);
            Assert.True(provider.ApiBase.StartsWith("https://", StringComparison.Ordinal) || new Uri(provider.ApiBase).IsLoopback, provider.Name);
        });

    [Fact]
    public void A_provider_is_reachable_without_a_key_only_if_it_says_so() => Assert.All(
        ProviderCatalogue.All, provider => Assert.True(provider.KeyVariables.Count > 0 || provider.KeyIsOptional, provider.Name));

    [Theory]
    [InlineData("OpenAI", "openai")]
    [InlineData("vllm", "hosted_vllm")]
    [InlineData("cohere_chat", "cohere")]
    [InlineData("ollama_chat", "ollama")]
    public void Aliases_and_case_do_not_matter(string written, string name) => Assert.Equal(name, ProviderCatalogue.Find(written)?.Name);
}
