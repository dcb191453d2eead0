using Gateway.Configuration.Yaml;

namespace Gateway.Configuration.Reading;

/// <summary>Where a deployment is called and with what.</summary>
internal sealed record ProviderAccess
{
    public string? ApiBase { get; init; }

    public bool ApiBaseIsStated { get; init; }

    public Secret? ApiKey { get; init; }

    public string? Variable { get; init; }

    public string? CredentialName { get; init; }

    public string? ApiVersion { get; init; }

    public string? Organization { get; init; }

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

    /// <summary>How a deployment is called. What it states itself goes before what its named credential has.</summary>
    public ProviderAccess Read(Section parameters, Provider provider, bool isMocked, NamedCredential? named)
    {
        var access = Find(parameters, provider, isMocked, named);
        return access with
        {
            CredentialName = access.UsesSampleProvider ? null
                : named is not null && parameters.Value("api_key") is null ? named.Name
                : (access.ApiKey ?? access.Aws?.AccessKeyId ?? access.Vertex?.Credentials)?.Origin,
            ApiVersion = parameters.Text("api_version") ?? named?.ApiVersion,
            Organization = parameters.Text("organization") ?? named?.Organization,
        };
    }

    private ProviderAccess Find(Section parameters, Provider provider, bool isMocked, NamedCredential? named)
    {
        var stated = parameters.Url("api_base") ?? named?.ApiBase;
        var baseIsStated = parameters.Value("api_base") is not null || named?.ApiBase is not null;
        var apiBase = stated ?? (baseIsStated ? null : BaseFromEnvironment(parameters, provider) ?? provider.ApiBase);
        var access = new ProviderAccess { ApiBase = apiBase, ApiBaseIsStated = baseIsStated, Variable = Name(provider) };
        var aws = provider.Protocol == ProviderProtocol.Bedrock ? Aws(parameters, named) : null;
        var vertex = provider.Protocol == ProviderProtocol.Vertex ? Vertex(parameters, named) : null;
        access = access with { Aws = aws, Vertex = vertex };

        // 1. A stated key wins. An empty one says that none is to be sent.
        if (parameters.Scalar("api_key") is { Value.Length: > 0 } key)
        {
            return StatedKey(access, parameters, provider, key, isMocked);
        }

        // 2. Then the named credential, and nothing of the environment: its calls are somebody's.
        if (named is { MissingVariable: { } missing })
        {
            return isMocked ? access : Missing(access, parameters.Value("litellm_credential_name")!, parameters.PathOf("litellm_credential_name"), provider, missing, "Set it.");
        }

        if (named is not null)
        {
            return NeedsAddress(access with { ApiKey = named.ApiKey, Variable = null }, parameters, provider);
        }

        // 3. A cloud's own kind of credential, or a fixed answer: no key is needed.
        if (isMocked || aws is { AccessKeyId: not null, SecretAccessKey: not null } || vertex is { Credentials: not null })
        {
            return access with { ApiKey = FromEnvironment(provider, aws, vertex) };
        }

        // 4. An address of one's own gets no key of the provider's: it would be sent to somebody else.
        if (baseIsStated && (provider.ApiBase is not null || provider.KeyIsOptional))
        {
            return access with { ApiKey = provider.KeyIsOptional ? FromEnvironment(provider, aws, vertex) : null };
        }

        // 5. The provider's environment variable.
        if (FromEnvironment(provider, aws, vertex) is { } found)
        {
            return NeedsAddress(access with { ApiKey = found, Variable = provider.KeyVariables.FirstOrDefault(name => findings.Variable(name) is not null) }, parameters, provider);
        }

        if (provider.KeyIsOptional)
        {
            return NeedsAddress(access, parameters, provider);
        }

        // 6. Nothing.
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
        if (findings.Places.Read(key, parameters.PathOf("api_key"), out var variable) is { } secret)
        {
            return NeedsAddress(access with { ApiKey = secret, Variable = Findings.ReferenceIn(secret.Origin) }, parameters, provider);
        }

        if (variable is null)
        {
            // What is wrong with its place is noted.
            return access;
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
            return aws is not null ? Variable("AWS_BEARER_TOKEN_BEDROCK") : null;
        }

        return provider.KeyVariables.Select(Variable).FirstOrDefault(static value => value is not null);
    }

    private AwsSettings Aws(Section parameters, NamedCredential? named)
    {
        var region = parameters.Text("aws_region_name") ?? named?.Aws?.Region ?? findings.Variable("AWS_REGION_NAME") ?? findings.Variable("AWS_REGION") ?? findings.Variable("AWS_DEFAULT_REGION");
        var stated = new AwsSettings(region, parameters.Credential("aws_access_key_id"), parameters.Credential("aws_secret_access_key"), parameters.Credential("aws_session_token"));
        return named is null
            ? new AwsSettings(
                region, stated.AccessKeyId ?? Variable("AWS_ACCESS_KEY_ID"), stated.SecretAccessKey ?? Variable("AWS_SECRET_ACCESS_KEY"),
                stated.SessionToken ?? Variable("AWS_SESSION_TOKEN"))
            : new AwsSettings(
                region, stated.AccessKeyId ?? named.Aws?.AccessKeyId, stated.SecretAccessKey ?? named.Aws?.SecretAccessKey, stated.SessionToken ?? named.Aws?.SessionToken);
    }

    private VertexSettings Vertex(Section parameters, NamedCredential? named) => new(
        parameters.Text("vertex_project") ?? named?.Vertex?.Project ?? findings.Variable("VERTEXAI_PROJECT") ?? findings.Variable("GOOGLE_CLOUD_PROJECT"),
        parameters.Text("vertex_location") ?? named?.Vertex?.Location ?? findings.Variable("VERTEXAI_LOCATION") ?? findings.Variable("GOOGLE_CLOUD_LOCATION"),
        parameters.Credential("vertex_credentials") ?? (named is null ? Variable("GOOGLE_APPLICATION_CREDENTIALS") ?? Variable("VERTEXAI_CREDENTIALS") : named.Vertex?.Credentials));

    // Of the process's environment alone: only a name that somebody wrote is looked for in a store.
    private Secret? Variable(string name) => findings.Variable(name) is { } value ? new Secret(value, Findings.EnvironmentPrefix + name) : null;

    private static string? Name(Provider provider) => provider.KeyVariables.Count > 0 ? provider.KeyVariables[0] : null;
}
