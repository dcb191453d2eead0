using Gateway.Configuration.Yaml;

namespace Gateway.Configuration.Reading;

/// <summary>Reads which credentials an owner's calls use: <c>{deployment, model or provider: name in credential_list}</c>.</summary>
internal sealed class CredentialUses(Findings findings, IReadOnlyDictionary<string, NamedCredential?> credentials, IReadOnlyList<ModelDeployment> models)
{
    public IReadOnlyDictionary<string, string> Read(YamlNode? node, string path)
    {
        var uses = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var (name, value, at) in node is null ? [] : Values.Map(findings, node, path))
        {
            var target = ProviderCatalogue.Find(name.Value)?.Name ?? name.Value;
            if (value is not YamlScalar scalar)
            {
                findings.Error(value, at, null, $"the name of a credential is expected here, and this is {value.Kind}.", "Write 'openai: payments-openai'.");
            }
            else if (findings.Resolve(scalar, at) is not { } credential)
            {
                // What is wrong with it is noted.
                continue;
            }
            else if (!credentials.ContainsKey(credential))
            {
                findings.Error(
                    value, at, credential, $"there is no credential '{credential}' in credential_list.",
                    Nearest.To(credential, credentials.Keys) is { } nearest ? $"Did you mean '{nearest}'?" : "Add it there.");
            }
            else if (!models.Any(model => model.Provider == target || model.ModelName == target || model.DeploymentId == target))
            {
                findings.Error(
                    name, at, null, $"'{target}' is no provider, model_name or model_info.id of a deployment.",
                    Nearest.To(target, models.SelectMany(static model => new[] { model.Provider, model.ModelName })) is { } nearest ? $"Did you mean '{nearest}'?" : "Write one of model_list.");
            }
            else
            {
                uses[target] = credential;
            }
        }

        return uses;
    }
}
