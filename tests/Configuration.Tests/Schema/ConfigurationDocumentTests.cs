using System.Runtime.CompilerServices;
using System.Text;
using Gateway.Configuration.Reading;
using Gateway.Configuration.Schema;

namespace Gateway.Configuration.Tests.Schema;

/// <summary>Holds docs/configuration.md, the schema and the reader to each other.</summary>
public sealed class ConfigurationDocumentTests
{
    private const string Begin = "<!-- keys: written from ConfigSchema.cs by ConfigurationDocumentTests; do not edit by hand -->";
    private const string End = "<!-- end of keys -->";

    [Fact]
    public void The_document_lists_every_key_of_the_schema_and_no_other()
    {
        var path = DocumentPath();
        var document = File.ReadAllText(path);
        var begin = document.IndexOf(Begin, StringComparison.Ordinal) + Begin.Length;
        var end = document.IndexOf(End, StringComparison.Ordinal);
        Assert.True(begin > Begin.Length && end >= begin, "docs/configuration.md has lost the marks around its tables.");
        var expected = Tables();
        if (Environment.GetEnvironmentVariable("UPDATE_DOCS") == "1")
        {
            File.WriteAllText(path, document[..begin] + expected + document[end..]);
            return;
        }

        Assert.True(expected == document[begin..end], "docs/configuration.md is out of date. Run this test with UPDATE_DOCS=1 to write it.");
    }

    [Fact]
    public void The_document_lists_every_provider()
    {
        var document = File.ReadAllText(DocumentPath());
        Assert.All(ProviderCatalogue.All, provider => Assert.Contains($"| `{provider.Name}` |", document, StringComparison.Ordinal));
    }

    [Fact]
    public void Every_key_of_the_schema_is_read()
    {
        const string yaml = """
            environment_variables: {A: b}
            model_list:
              - model_name: m
                litellm_params: {model: bedrock/m}
                model_info: {}
              - model_name: v
                litellm_params: {model: vertex_ai/m}
            router_settings:
              routing_strategy_args: {}
              retry_policy: {}
              model_group_alias: {n: {model: m}}
              provider_budget_config: {openai: {budget_limit: 1}}
            credential_list:
              - credential_name: c
                credential_values: {api_key: x}
            general_settings: {key_management_settings: {}}
            litellm_settings: {}
            user_access:
              - {user_id: u, models: [m]}
            """;
        var findings = new Findings("config.yaml", Config.Environment("Development"));

        _ = ConfigReader.Read(yaml, "config.yaml", findings);

        Assert.Empty(findings.Errors);
        var keys = ConfigSchema.All.SelectMany(set => set.Keys.Where(key => key.IsSupported), (set, key) => $"{set.Title}.{key.Name}");
        Assert.Empty(keys.Except(findings.Asked));
    }

    private static string Tables()
    {
        var text = new StringBuilder();
        foreach (var set in ConfigSchema.All)
        {
            text.Append($"\n\n### {set.Title}\n\n| key | type | default | meaning |\n| --- | --- | --- | --- |\n");
            foreach (var key in set.Keys.Where(key => key.IsSupported))
            {
                text.Append($"| `{key.Name}` | {key.Type} | {key.Default} | {key.Meaning} |\n");
            }

            if (set.AllowsOthers)
            {
                text.Append("\nAny other key is allowed and has no effect.\n");
            }

            if (set.Keys.Any(key => !key.IsSupported))
            {
                text.Append($"\nKnown and without effect (the reader warns): {string.Join(", ", set.Keys.Where(key => !key.IsSupported).Select(key => $"`{key.Name}`"))}.\n");
            }
        }

        text.Append("\n\n### Providers\n\n| provider | protocol | address | key | address from |\n| --- | --- | --- | --- | --- |\n");
        foreach (var provider in ProviderCatalogue.All)
        {
            var keys = string.Join(", ", provider.KeyVariables.Select(name => $"`{name}`")) + (provider.KeyIsOptional ? " (optional)" : "");
            text.Append($"| `{provider.Name}` | {provider.Protocol} | {provider.ApiBase ?? "`api_base`"} | {keys.Trim()} | {string.Join(", ", provider.BaseVariables.Select(name => $"`{name}`"))} |\n");
        }

        return text.Append('\n').ToString();
    }

    private static string DocumentPath([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../docs/configuration.md"));
}
