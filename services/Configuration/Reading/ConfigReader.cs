using System.Text;
using Gateway.Configuration.Reading;
using Gateway.Configuration.Schema;
using Gateway.Configuration.Yaml;
using Gateway.Pricing;

namespace Gateway.Configuration;

/// <summary>Reads <c>config.yaml</c>. All errors are found at once, each with line, key, value and remedy.</summary>
public static class ConfigReader
{
    /// <summary>The largest file that is read.</summary>
    public const int FileBytesMax = 8 << 20;

    private static readonly string[] UnpricedNames = ["flag", "allow", "refuse"];

    /// <summary>Reads <paramref name="text"/>; <paramref name="fileName"/> is what messages call it, and relative paths start from its folder.</summary>
    public static ConfigResult Read(string text, string fileName, ConfigEnvironment environment) =>
        Read(text, fileName, new Findings(fileName, environment));

    /// <summary>Reads the file at <paramref name="path"/>; one that is missing, unreadable or too large is an error in the result.</summary>
    public static ConfigResult ReadFile(string path, ConfigEnvironment environment) => ReadFile(path, environment, out _);

    // version: of what was read, right or wrong; null when nothing could be.
    internal static ConfigResult ReadFile(string path, ConfigEnvironment environment, out string? version)
    {
        version = null;
        try
        {
            // Read through one handle and no further than the bound: the file may be swapped or grow meanwhile.
            using var file = File.OpenRead(path);
            var bytes = new byte[Math.Min(file.Length, FileBytesMax) + 1];
            var count = file.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false);
            if (count > FileBytesMax)
            {
                return Failed(path, "the file is larger than 8 MiB.", "Split it, or remove what is not used.");
            }

            using var reader = new StreamReader(new MemoryStream(bytes, 0, count), Encoding.UTF8);
            var findings = new Findings(path, environment);
            var result = Read(reader.ReadToEnd(), path, findings);
            version = findings.Version;
            return result;
        }
        catch (Exception wrong) when (wrong is FileNotFoundException or DirectoryNotFoundException)
        {
            return Failed(path, "there is no such file.", "Create it, or name another one.");
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            return Failed(path, $"the file cannot be read: {wrong.Message}", "Check its permissions.");
        }
    }

    internal static ConfigResult Read(string text, string fileName, Findings findings)
    {
        // 1. The text as YAML.
        if (text.Length > FileBytesMax)
        {
            return Failed(fileName, "the file is larger than 8 MiB.", "Split it, or remove what is not used.");
        }

        findings.Covers(text);
        var problems = new List<YamlProblem>();
        var root = YamlComposer.Compose(text, problems);
        foreach (var problem in problems)
        {
            findings.Add(findings.Errors, problem.Line, problem.Column, "", problem.Value, problem.Message, problem.Remedy);
        }

        if (root is null or YamlScalar { IsNull: true })
        {
            if (problems.Count == 0)
            {
                findings.Add(findings.Errors, 0, 0, "", null, "the file is empty.", "Write at least a model_list.");
            }

            return Result(null, findings);
        }

        var config = Section.Of(findings, root, "", ConfigSchema.Top) is { } top ? ReadTop(top, fileName, findings) : null;
        return Result(config, findings);
    }

    private static GatewayConfig ReadTop(Section top, string fileName, Findings findings)
    {
        // 2. Variables that the file states come first: everything after may use them.
        foreach (var (name, value) in Values.TextMap(findings, top.Value("environment_variables"), "environment_variables"))
        {
            findings.State(name, value);
        }

        var generalSection = top.Child("general_settings", ConfigSchema.General);
        KeyManagement.Read(generalSection, findings);

        // 3. Each section by itself.
        var names = new List<NameInUse>();
        if (top.Value("model_list") is null or YamlList { Items.Count: 0 })
        {
            findings.Missing(top.Value("model_list") ?? top.Node, "model_list", "Write at least one deployment: '- model_name: gpt-4o' with 'litellm_params: {model: openai/gpt-4o}'.");
        }

        var credentials = new CredentialListReader(findings).Read(top.Value("credential_list"));
        var modelList = new ModelListReader(findings, credentials);
        var deployments = modelList.Read(top.Value("model_list"));
        var liteLlmSection = top.Child("litellm_settings", ConfigSchema.LiteLlm);
        var router = new RouterReader(findings, names).Read(top.Child("router_settings", ConfigSchema.Router), liteLlmSection);
        var general = ReadGeneral(generalSection, fileName, findings);
        var prices = general.PriceFile is null ? PriceCatalogue.BuiltIn : ReadPrices(generalSection!, general.PriceFile, findings);
        var users = new UserAccessReader(findings, names, new CredentialUses(findings, credentials, deployments)).Read(top.Value("user_access"), general.MasterKey);
        var unpricedElsewhere = generalSection is null ? null : ReadUnpriced(generalSection, findings);
        var zoneElsewhere = liteLlmSection is null ? null : ReadTimeZone(liteLlmSection, findings);

        // 4. What the sections say of each other.
        NameChecks.Check(findings, modelList, router, names);
        return new GatewayConfig
        {
            FileName = fileName,
            Version = findings.Version,
            Models = deployments,
            Credentials = credentials.Values.OfType<NamedCredential>().ToDictionary(static credential => credential.Name, StringComparer.Ordinal),
            Vault = VaultSettings.Of(findings.Variable),
            AwsSecrets = AwsSecretsSettings.Of(findings.Variable),
            GoogleSecrets = GoogleSecretsSettings.Of(findings.Variable),
            AzureSecrets = AzureSecretsSettings.Of(findings.Variable),
            Router = router,
            General = general,
            Prices = prices,
            LiteLlm = ReadLiteLlm(liteLlmSection, findings),
            UserAccess = users,
            UnpricedModels = ReadUnpriced(top, findings) ?? unpricedElsewhere ?? UnpricedModels.Flag,
            TimeZone = ReadTimeZone(top, findings) ?? zoneElsewhere ?? "UTC",
        };
    }

    private static GeneralSettings ReadGeneral(Section? section, string fileName, Findings findings)
    {
        var defaults = new GeneralSettings();
        if (section is null)
        {
            return defaults;
        }

        var priceFile = section.Text("price_file");
        if (priceFile is not null)
        {
            priceFile = Path.GetFullPath(priceFile, Path.GetDirectoryName(Path.GetFullPath(fileName))!);
        }

        return new GeneralSettings
        {
            MasterKey = section.Secret("master_key"),
            MaxRequestBytes = section.Number("max_request_size_mb", 0.001m, 1_024) is { } megabytes ? (long)(megabytes * (1 << 20)) : defaults.MaxRequestBytes,
            MaxFileBytes = section.Number("max_file_size_mb", 0.001m, 8_192) is { } largest ? (long)(largest * (1 << 20)) : defaults.MaxFileBytes,
            GlobalMaxParallelRequests = section.Count("global_max_parallel_requests", 1),
            MaxParallelRequests = section.Count("max_parallel_requests", 1),
            KeyHeaderName = section.Text("litellm_key_header_name"),
            UserHeaderName = section.Text("user_header_name"),
            AllowedUpstreamNetworks = UpstreamRules.Networks(section, findings),
            ForwardedClientHeaders = UpstreamRules.Headers(section, findings),
            RejectClientsideTags = section.Flag("reject_clientside_metadata_tags") ?? false,
            EnforceUserParam = section.Flag("enforce_user_param") ?? false,
            BudgetWait = section.Number("budget_wait", 0, 60) is { } wait ? TimeSpan.FromMilliseconds((double)(wait * 1_000)) : defaults.BudgetWait,
            MaxStale = section.Seconds("max_stale") ?? defaults.MaxStale,
            CredentialRefresh = section.Seconds("credential_refresh", 0.1m) ?? defaults.CredentialRefresh,
            CredentialMaxStale = section.Seconds("credential_max_stale", 1) ?? defaults.CredentialMaxStale,
            PriceFile = priceFile,
        };
    }

    private static PriceCatalogue ReadPrices(Section section, string path, Findings findings)
    {
        var node = section.Value("price_file")!;
        var key = section.PathOf("price_file");
        try
        {
            if (new FileInfo(path).Length > FileBytesMax)
            {
                findings.Error(node, key, path, $"the file '{path}' is larger than 8 MiB.", "Leave out the models that are not used.");
                return PriceCatalogue.BuiltIn;
            }

            var text = File.ReadAllText(path);
            findings.Covers(text);
            var read = PriceCatalogue.Read(text, Path.GetFileName(path));
            foreach (var error in read.Errors)
            {
                findings.Error(node, key, path, error, "");
            }

            return read.Catalogue is null ? PriceCatalogue.BuiltIn : PriceCatalogue.BuiltIn.With(read.Catalogue);
        }
        catch (Exception wrong) when (wrong is FileNotFoundException or DirectoryNotFoundException)
        {
            findings.Error(node, key, path, $"there is no file '{path}'.", "Mount it there, or name another path.");
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            findings.Error(node, key, path, $"the file '{path}' cannot be read: {wrong.Message}", "Check its permissions.");
        }

        return PriceCatalogue.BuiltIn;
    }

    private static LiteLlmSettings ReadLiteLlm(Section? section, Findings findings)
    {
        if (section is null)
        {
            return new LiteLlmSettings();
        }

        var budget = Budget.Read(findings, section, "max_budget", "budget_duration");
        return new LiteLlmSettings
        {
            DropParams = section.Flag("drop_params") ?? false,
            MaxBudget = budget.Limit,
            BudgetDuration = budget.Period,
            IncludeCostInStreamingUsage = section.Flag("include_cost_in_streaming_usage") ?? false,
        };
    }

    private static UnpricedModels? ReadUnpriced(Section section, Findings findings)
    {
        if (section.Text("unpriced_models") is not { } written)
        {
            return null;
        }

        if (UnpricedNames.Contains(written))
        {
            return Enum.Parse<UnpricedModels>(written, ignoreCase: true);
        }

        findings.Error(section.Value("unpriced_models")!, section.PathOf("unpriced_models"), written, $"'{written}' is none of refuse, allow and flag.", "Write one of these.");
        return null;
    }

    private static string? ReadTimeZone(Section section, Findings findings)
    {
        if (section.Text("timezone") is { } written)
        {
            if (TimeZoneInfo.TryFindSystemTimeZoneById(written, out _))
            {
                return written;
            }

            findings.Error(
                section.Value("timezone")!, section.PathOf("timezone"), written, $"'{written}' is no time zone that this system knows.",
                "Write an IANA name such as Europe/Berlin (the package tzdata has them), or UTC.");
        }

        return null;
    }

    private static ConfigResult Failed(string path, string message, string remedy) =>
        new(null, [new ConfigProblem(path, 0, 0, "", null, message, remedy)], [], []);

    private static ConfigResult Result(GatewayConfig? config, Findings findings) => new(
        findings.Errors.Count == 0 ? config : null, Sorted(findings.Errors), Sorted(findings.Warnings), findings.Notices);

    private static List<ConfigProblem> Sorted(List<ConfigProblem> problems) =>
        [.. problems.OrderBy(problem => problem.Line).ThenBy(problem => problem.Column)];
}
