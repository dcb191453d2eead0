using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Gateway.Configuration.Schema;
using Gateway.Configuration.Yaml;
using Gateway.Pricing;

namespace Gateway.Configuration.Reading;

/// <summary>Reads <c>model_list</c>.</summary>
internal sealed class ModelListReader(Findings findings, IReadOnlyDictionary<string, NamedCredential?> named)
{
    private const long PerMinuteMax = 1_000_000_000_000;
    private static readonly string[] Modes =
    [
        "chat", "completion", "embedding", "image_generation", "image_edit", "audio_transcription", "audio_speech", "rerank", "moderation",
        "batch", "realtime", "responses",
    ];

    private readonly Credentials credentials = new(findings);
    private readonly Dictionary<string, int> idLines = new(StringComparer.Ordinal);

    /// <summary>The public names, those of wrong entries too: what refers to one of them is not wrong as well.</summary>
    public HashSet<string> Names { get; } = new(StringComparer.Ordinal);

    /// <summary>The ids of the deployments.</summary>
    public IReadOnlyCollection<string> Ids => idLines.Keys;

    public List<ModelDeployment> Read(YamlNode? modelList)
    {
        var deployments = new List<ModelDeployment>();
        foreach (var (node, path) in Values.List(findings, modelList, "model_list"))
        {
            if (Section.Of(findings, node, path, ConfigSchema.ModelEntry) is { } entry && ReadEntry(entry) is { } deployment)
            {
                deployments.Add(deployment);
            }
        }

        credentials.Announce();
        return deployments;
    }

    private ModelDeployment? ReadEntry(Section entry)
    {
        var name = entry.Required("model_name", "gpt-4o");
        if (name is not null)
        {
            Names.Add(name);
        }

        if (entry.Value("litellm_params") is null)
        {
            findings.Missing(entry.Node, entry.PathOf("litellm_params"), "Write it with at least 'model: openai/gpt-4o' below it.");
        }

        var parameters = entry.Child("litellm_params", ConfigSchema.LitellmParams);
        var info = entry.Child("model_info", ConfigSchema.ModelInfo);
        if (parameters is null)
        {
            return null;
        }

        RefuseClientsideAuth(parameters);
        var model = ReadModel(parameters, name);
        var mode = info?.Text("mode");
        if (mode is not null && !Modes.Contains(mode))
        {
            findings.Error(info!.Value("mode")!, info.PathOf("mode"), mode, $"'{mode}' is no mode.", Suggest(mode, Modes));
        }

        var isMocked = parameters.Value("mock_response") is not null;
        var access = model is { } found ? credentials.Read(parameters, found.Provider, isMocked, Named(parameters)) : null;
        var budget = Budget.Read(findings, parameters, "max_budget", "budget_duration");
        var deployment = new ModelDeployment
        {
            ModelName = name ?? "",
            DeploymentId = ReadId(entry, info, name),
            Provider = model?.Provider.Name ?? "",
            ProviderModel = model?.Model ?? "",
            Protocol = model?.Provider.Protocol ?? ProviderProtocol.OpenAi,
            ApiBase = access?.ApiBase,
            ApiBaseIsStated = access?.ApiBaseIsStated ?? false,
            ApiKey = access?.ApiKey,
            ApiKeyVariable = access?.Variable,
            CredentialName = access?.CredentialName,
            UsesSampleProvider = access?.UsesSampleProvider ?? false,
            Aws = access?.Aws,
            Vertex = access?.Vertex,
            ApiVersion = access?.ApiVersion,
            Organization = access?.Organization,
            ExtraHeaders = ReadHeaders(parameters),
            Weight = parameters.Number("weight", 0, 1_000_000),
            Order = parameters.Count("order", int.MinValue),
            Rpm = parameters.Whole("rpm", 0, PerMinuteMax),
            Tpm = parameters.Whole("tpm", 0, PerMinuteMax),
            MaxParallelRequests = parameters.Count("max_parallel_requests", 1),
            Timeout = parameters.Seconds("timeout", 0.001m),
            StreamTimeout = parameters.Seconds("stream_timeout", 0.001m),
            CooldownTime = parameters.Seconds("cooldown_time"),
            NumRetries = parameters.Count("num_retries") ?? parameters.Count("max_retries"),
            Tags = [.. (parameters.Texts("tags") ?? []).Select(tag => tag.Text)],
            MaxBudget = budget.Limit,
            BudgetDuration = budget.Period,
            DropParams = parameters.Flag("drop_params"),
            MockResponse = parameters.Text("mock_response"),
            BaseModel = info?.Text("base_model"),
            MaxTokens = info?.Count("max_tokens", 1) ?? info?.Count("max_output_tokens", 1),
            MaxInputTokens = info?.Count("max_input_tokens", 1),
            Price = PriceKeys.Read(parameters, info),
        };
        if (name is null || model is null)
        {
            return null;
        }

        var price = PriceCatalogue.BuiltIn.Find(deployment.Provider, deployment.ProviderModel, deployment.BaseModel, deployment.Price);
        return deployment with { Mode = mode ?? price?.Mode ?? "chat" };
    }

    /// <summary>Without effect it would look as if callers could be trusted with it: their requests would be refused one by one.</summary>
    private void RefuseClientsideAuth(Section parameters)
    {
        const string Key = "configurable_clientside_auth_params";
        if (parameters.Value(Key) is { } node)
        {
            findings.Error(
                node, parameters.PathOf(Key), null, "no caller of this gateway chooses a provider's address or key.",
                "Remove it, and write a deployment with its own api_base and api_key for each address that is to be called.");
        }
    }

    private NamedCredential? Named(Section parameters)
    {
        if (parameters.Text("litellm_credential_name") is not { } name)
        {
            return null;
        }

        if (named.TryGetValue(name, out var credential))
        {
            return credential;
        }

        findings.Error(
            parameters.Value("litellm_credential_name")!, parameters.PathOf("litellm_credential_name"), name, $"there is no credential '{name}' in credential_list.",
            Nearest.To(name, named.Keys) is { } nearest ? $"Did you mean '{nearest}'?" : "Add it there, or write api_key here.");
        return null;
    }

    private (Provider Provider, string Model)? ReadModel(Section parameters, string? publicName)
    {
        var stated = parameters.Text("custom_llm_provider");
        if (stated is not null && ProviderCatalogue.Find(stated) is null)
        {
            findings.Error(
                parameters.Value("custom_llm_provider")!, parameters.PathOf("custom_llm_provider"), stated,
                $"'{stated}' is no provider that the gateway knows.", Suggest(stated, ProviderCatalogue.Names));
            return null;
        }

        if (parameters.Required("model", "openai/gpt-4o") is not { } model)
        {
            return null;
        }

        var node = parameters.Value("model")!;
        var path = parameters.PathOf("model");
        if (model.Contains('*', StringComparison.Ordinal) && publicName?.Contains('*', StringComparison.Ordinal) == false)
        {
            findings.Error(node, path, model, $"'{model}' has a '*', and model_name '{publicName}' has none to fill it with.", "Write '*' in model_name too, or the model's full name here.");
            return null;
        }

        var slash = model.IndexOf('/', StringComparison.Ordinal);
        var first = slash < 0 ? model : model[..slash];
        if (slash > 0 && ProviderCatalogue.Find(first) is { } named && (stated is null || named == ProviderCatalogue.Find(stated)))
        {
            return WithModel(named, model[(slash + 1)..], node, path);
        }

        if (stated is not null)
        {
            return WithModel(ProviderCatalogue.Find(stated)!, model, node, path);
        }

        if (slash > 0)
        {
            var nearest = Nearest.To(first, ProviderCatalogue.Names);
            findings.Error(
                node, path, model,
                $"'{model}' names no provider that the gateway knows{(nearest is null ? "." : $"; did you mean '{nearest}{model[slash..]}'?")}",
                $"Write provider/model, for a server that speaks OpenAI's protocol 'openai/{model}' with api_base.");
            return null;
        }

        // A bare name is the provider's whose price list has it.
        foreach (var provider in new[] { "openai", "anthropic", "cohere" })
        {
            if (PriceCatalogue.BuiltIn.Find(provider, model) is not null)
            {
                return (ProviderCatalogue.Find(provider)!, model);
            }
        }

        findings.Error(node, path, model, $"'{model}' names no provider.", $"Write it with its provider: 'openai/{model}', 'anthropic/{model}', …");
        return null;
    }

    private (Provider, string)? WithModel(Provider provider, string model, YamlNode node, string path)
    {
        if (model.Length == 0)
        {
            findings.Error(node, path, provider.Name + "/", $"the name of {provider.Name}'s model is missing.", $"Write it behind the slash: {provider.Name}/model.");
            return null;
        }

        return (provider, model);
    }

    private Dictionary<string, string> ReadHeaders(Section parameters)
    {
        var path = parameters.PathOf("extra_headers");
        var node = parameters.Value("extra_headers");
        var headers = (Dictionary<string, string>)Values.TextMap(findings, node, path);
        foreach (var (name, value) in headers)
        {
            // A line break would let a value add headers of its own.
            if (name.Length == 0 || name.Any(letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '_')) || value.Any(char.IsControl))
            {
                findings.Error(node!, $"{path}.{name}", null, "this is no HTTP header.", "Write letters, digits and '-' in the name, and one line of text behind it.");
            }
        }

        return headers;
    }

    private string ReadId(Section entry, Section? info, string? name)
    {
        if (info?.Text("id") is { } id)
        {
            var node = info.Value("id")!;
            if (!idLines.TryAdd(id, node.Line))
            {
                findings.Error(node, info.PathOf("id"), id, $"the id '{id}' has a deployment already, on line {idLines[id]}.", "Write another id, or remove it to have one made.");
            }

            return id;
        }

        var text = new StringBuilder(name).Append('\n');
        AppendTo(text, entry.Value("litellm_params")!);
        var made = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())));

        // Two entries that are alike letter for letter are two deployments with the second one's place in its id.
        var distinct = made;
        for (var copy = 2; !idLines.TryAdd(distinct, entry.Node.Line); copy++)
        {
            distinct = string.Create(CultureInfo.InvariantCulture, $"{made}-{copy}");
        }

        if (distinct != made)
        {
            findings.Warn(entry.Node, entry.Path, null, $"this entry is the same as the one on line {idLines[made]}.", "Remove it, or give it a model_info.id of its own.");
        }

        return distinct;
    }

    // The keys in order of name and the references unresolved: the id survives a reordering and a new value of a variable.
    private static void AppendTo(StringBuilder text, YamlNode node)
    {
        switch (node)
        {
            case YamlMap map:
                foreach (var entry in map.Entries.OrderBy(entry => entry.Key.Value, StringComparer.Ordinal))
                {
                    text.Append('{').Append(entry.Key.Value).Append('=');
                    AppendTo(text, entry.Value);
                    text.Append('}');
                }

                break;
            case YamlList list:
                foreach (var item in list.Items)
                {
                    text.Append('[');
                    AppendTo(text, item);
                    text.Append(']');
                }

                break;
            case YamlScalar scalar:
                text.Append(scalar.Value);
                break;
        }
    }

    private static string Suggest(string written, IEnumerable<string> names) =>
        Nearest.To(written, names) is { } nearest ? $"Did you mean '{nearest}'?" : "See docs/configuration.md for the names.";
}
