namespace Gateway.Configuration.Schema;

/// <summary>A key that a configuration may have.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Type">What stands behind it, in words.</param>
/// <param name="Default">What holds when it is absent.</param>
/// <param name="Meaning">What it does.</param>
/// <param name="IsSupported">False for a key of LiteLLM's that the gateway knows and does not heed: the reader warns.</param>
internal sealed record ConfigKey(string Name, string Type, string Default, string Meaning, bool IsSupported = true);

/// <summary>The keys of one map of the file.</summary>
/// <param name="Title">Where it stands: <c>model_list[].litellm_params</c>.</param>
/// <param name="Keys">The keys.</param>
/// <param name="AllowsOthers">Whether any other key is fine too.</param>
internal sealed record KeySet(string Title, IReadOnlyList<ConfigKey> Keys, bool AllowsOthers = false)
{
    private readonly Dictionary<string, ConfigKey> byName = Keys.ToDictionary(key => key.Name);

    public ConfigKey? Find(string name) => byName.GetValueOrDefault(name);
}
