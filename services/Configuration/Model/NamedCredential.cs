using Gateway.Configuration.Reading;

namespace Gateway.Configuration;

/// <summary>An entry of <c>credential_list</c>: what deployments and owners call by name. What it does not state is the deployment's own.</summary>
public sealed record NamedCredential
{
    /// <summary><c>credential_name</c>.</summary>
    public required string Name { get; init; }

    /// <summary>The key; null for a cloud's kind of credential.</summary>
    public Secret? ApiKey { get; init; }

    /// <summary>The address that it is for, without a slash at its end.</summary>
    public string? ApiBase { get; init; }

    /// <summary><c>api_version</c> (Azure).</summary>
    public string? ApiVersion { get; init; }

    /// <summary><c>organization</c> (OpenAI).</summary>
    public string? Organization { get; init; }

    /// <summary>Amazon's kind; null when none of it is stated.</summary>
    public AwsSettings? Aws { get; init; }

    /// <summary>Google's kind; null when none of it is stated.</summary>
    public VertexSettings? Vertex { get; init; }

    /// <summary>The environment variable that is not set, in Development: the sample provider answers instead.</summary>
    public string? MissingVariable { get; init; }

    /// <summary>Every secret that it is made of.</summary>
    public IEnumerable<Secret> Secrets => SecretsOf(ApiKey, Aws, Vertex);

    internal static IEnumerable<Secret> SecretsOf(Secret? key, AwsSettings? aws, VertexSettings? vertex) =>
        new[] { key, aws?.AccessKeyId, aws?.SecretAccessKey, aws?.SessionToken, vertex?.Credentials }.OfType<Secret>();

    /// <summary>The name, no credential.</summary>
    public override string ToString() => $"credential {Name}";

    /// <summary>A deployment called with this credential instead of its own.</summary>
    /// <param name="model">The deployment.</param>
    public ModelDeployment Of(ModelDeployment model) => model with
    {
        ApiKey = ApiKey,
        ApiBase = ApiBase ?? model.ApiBase,
        ApiBaseIsStated = ApiBase is not null || model.ApiBaseIsStated,
        ApiVersion = ApiVersion ?? model.ApiVersion,
        Organization = Organization,
        Aws = Aws is null && model.Aws is null ? null : new AwsSettings(Aws?.Region ?? model.Aws?.Region, Aws?.AccessKeyId, Aws?.SecretAccessKey, Aws?.SessionToken),
        Vertex = Vertex is null && model.Vertex is null
            ? null
            : new VertexSettings(Vertex?.Project ?? model.Vertex?.Project, Vertex?.Location ?? model.Vertex?.Location, Vertex?.Credentials),
        CredentialName = Name,
        UsesSampleProvider = MissingVariable is not null,
        // A header of the deployment's may be its credential, too.
        ExtraHeaders = model.ExtraHeaders.Where(static header => !UpstreamRules.IsCredential(header.Key)).ToDictionary(StringComparer.OrdinalIgnoreCase),
    };
}
