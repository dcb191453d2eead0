using Gateway.Configuration.Yaml;

namespace Gateway.Configuration.Reading;

/// <summary>Where a deployment is called and with what.</summary>
internal sealed record ProviderAccess
{
    public string? ApiBase { get; init; }

    public bool ApiBaseIsStated { get; init; }

    public Secret? ApiKey { get; init; }

    public string? Variable { get; init; }

    public bool UsesSampleProvider { get; init; }

    public AwsSettings? Aws { get; init; }

    public VertexSettings? Vertex { get; init; }
}

/// <summary>
/// Finds each deployment's credential: stated, in the provider's own environment variable, or, in Development, none at all, and then the
/// sample provider answers.
/// </summary>
internal sealed class Credentials(Findings findings)
{
    // Provider and missing variable: one notice for each, however many deployments there are.
    private readonly SortedSet<(string Variable, string Provider)> sampled = [];

    public ProviderAccess Read(Section parameters, Provider provider, bool isMocked)
    {
        var stated = parameters.Url("api_base");
        var baseIsStated = parameters.Value("api_base") is not null;
        var apiBase = stated ?? (baseIsStated ? null : BaseFromEnvironment(parameters, provider) ?? provider.ApiBase);
        var access = new ProviderAccess { ApiBase = apiBase, ApiBaseIsStated = baseIsStated, Variable = Name(provider) };
        var aws = provider.Protocol == ProviderProtocol.Bedrock ? Aws(parameters) : null;
        var vertex = provider.Protocol == ProviderProtocol.Vertex ? Vertex(parameters) : null;
        access = access with { Aws = aws, Vertex = vertex };

        // 1. A stated key wins. An empty one says that none is to be sent.
        if (parameters.Scalar("api_key") is { Value.Length: > 0 } key)
        {
            return StatedKey(access, parameters, provider, key, isMocked);
        }

        // 2. A cloud's own kind of credential, or a fixed answer: no key is needed.
        if (isMocked || aws is { AccessKeyId: not null, SecretAccessKey: not null } || vertex is { Credentials: not null })
        {
            return access with { ApiKey = FromEnvironment(provider, aws, vertex) };
        }

        // 3. An address of one's own gets no key of the provider's: it would be sent to somebody else.
        if (baseIsStated && (provider.ApiBase is not null || provider.KeyIsOptional))
        {
            return access with { ApiKey = provider.KeyIsOptional ? FromEnvironment(provider, aws, vertex) : null };
        }

        // 4. The provider's environment variable.
        if (FromEnvironment(provider, aws, vertex) is { } found)
        {
            return NeedsAddress(access with { ApiKey = found, Variable = provider.KeyVariables.First(name => findings.Variable(name) is not null) }, parameters, provider);
        }

        if (provider.KeyIsOptional)
        {
            return NeedsAddress(access, parameters, provider);
        }

        // 5. Nothing.
        return Missing(access, parameters.Value("model")!, parameters.PathOf("model"), provider, Name(provider)!, provider.KeyVariables.Count > 1
            ? $"Set it ({string.Join(" or ", provider.KeyVariables.Skip(1))} will do too), or write api_key below litellm_params."
            : "Set it, or write api_key below litellm_params.");
    }

    /// <summary>Says which providers the sample provider stands in for.</summary>
    public void Announce()
    {
        foreach (var (variable, provider) in sampled)
        {
            findings.Notice("model_list", $"{variable} is not set: {provider} models are answered by the sample provider.");
        }
    }

    private ProviderAccess StatedKey(ProviderAccess access, Section parameters, Provider provider, YamlScalar key, bool isMocked)
    {
        if (Findings.ReferenceIn(key.Value) is not { } variable)
        {
            return NeedsAddress(access with { ApiKey = new Secret(key.Value), Variable = null }, parameters, provider);
        }

        if (findings.Variable(variable) is { } value)
        {
            return NeedsAddress(access with { ApiKey = new Secret(value), Variable = variable }, parameters, provider);
        }

        access = access with { Variable = variable };
        if (isMocked)
        {
            return access;
        }

        if (access.ApiBaseIsStated)
        {
            findings.Error(key, parameters.PathOf("api_key"), key.Value, $"the environment variable {variable} is not set.", "Set it, or remove api_key when the server at api_base needs none.");
            return access;
        }

        return Missing(access, key, parameters.PathOf("api_key"), provider, variable, "Set it, or write another credential.");
    }

    private ProviderAccess Missing(ProviderAccess access, YamlNode at, string path, Provider provider, string variable, string remedy)
    {
        if (findings.IsDevelopment)
        {
            sampled.Add((variable, provider.Name));
            return access with { UsesSampleProvider = true, Variable = variable };
        }

        findings.Error(
            at, path, at is YamlScalar scalar ? scalar.Value : null, $"the environment variable {variable} is not set, and {provider.Name} needs a credential.",
            $"{remedy} (In the Development environment the sample provider would answer instead; this one is {findings.EnvironmentName}.)");
        return access;
    }

    private ProviderAccess NeedsAddress(ProviderAccess access, Section parameters, Provider provider)
    {
        if (access.ApiBase is null && !access.ApiBaseIsStated && provider.ApiBase is null
            && provider.Protocol is not (ProviderProtocol.Bedrock or ProviderProtocol.Vertex))
        {
            var variables = provider.BaseVariables.Count > 0 ? $" or set {provider.BaseVariables[0]}" : "";
            findings.Error(
                parameters.Node, parameters.PathOf("api_base"), null, $"it is missing, and {provider.Name} has no address that is the same for all.",
                $"Write 'api_base: https://…'{variables}.");
        }

        return access;
    }

    private string? BaseFromEnvironment(Section parameters, Provider provider)
    {
        foreach (var name in provider.BaseVariables)
        {
            if (findings.Variable(name) is { } text)
            {
                if (Addresses.WhatIsWrongWith(text) is { } wrong)
                {
                    findings.Error(parameters.Node, parameters.PathOf("api_base"), null, $"the environment variable {name}, which stands in for it, {wrong}.", $"Mend {name}, or write api_base.");
                    return null;
                }

                return text.TrimEnd('/');
            }
        }

        return null;
    }

    private Secret? FromEnvironment(Provider provider, AwsSettings? aws, VertexSettings? vertex)
    {
        // Bedrock's and Vertex's credentials are not keys to send as they are, but for Bedrock's bearer token.
        if (aws is not null || vertex is not null)
        {
            return aws is not null && findings.Variable("AWS_BEARER_TOKEN_BEDROCK") is { } token ? new Secret(token) : null;
        }

        return provider.KeyVariables.Select(findings.Variable).FirstOrDefault(value => value is not null) is { } value ? new Secret(value) : null;
    }

    private AwsSettings Aws(Section parameters) => new(
        parameters.Text("aws_region_name") ?? findings.Variable("AWS_REGION_NAME") ?? findings.Variable("AWS_REGION") ?? findings.Variable("AWS_DEFAULT_REGION"),
        parameters.Secret("aws_access_key_id") ?? Variable("AWS_ACCESS_KEY_ID"),
        parameters.Secret("aws_secret_access_key") ?? Variable("AWS_SECRET_ACCESS_KEY"),
        parameters.Secret("aws_session_token") ?? Variable("AWS_SESSION_TOKEN"));

    private VertexSettings Vertex(Section parameters) => new(
        parameters.Text("vertex_project") ?? findings.Variable("VERTEXAI_PROJECT") ?? findings.Variable("GOOGLE_CLOUD_PROJECT"),
        parameters.Text("vertex_location") ?? findings.Variable("VERTEXAI_LOCATION") ?? findings.Variable("GOOGLE_CLOUD_LOCATION"),
        parameters.Secret("vertex_credentials") ?? Variable("GOOGLE_APPLICATION_CREDENTIALS") ?? Variable("VERTEXAI_CREDENTIALS"));

    private Secret? Variable(string name) => findings.Variable(name) is { } value ? new Secret(value) : null;

    private static string? Name(Provider provider) => provider.KeyVariables.Count > 0 ? provider.KeyVariables[0] : null;
}
