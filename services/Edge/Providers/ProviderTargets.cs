using System.Globalization;
using Gateway.Configuration;
using Gateway.Edge.Credentials;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.Providers;

/// <summary>Makes the part of a configured deployment that a protocol needs.</summary>
internal static class ProviderTargets
{
    /// <summary>The target of a deployment.</summary>
    /// <param name="model">The deployment.</param>
    /// <param name="providerModel">The provider's name of the model, without a pattern.</param>
    /// <param name="keeper">Knows the values of secrets that are kept elsewhere.</param>
    /// <exception cref="InvalidOperationException">The deployment has no address and its provider has none of its own.</exception>
    public static ProviderTarget Of(ModelDeployment model, string providerModel, CredentialKeeper keeper)
    {
        var cloud = CloudOf(model, keeper);
        var address = model.ApiBase ?? AddressIn(model.Protocol, cloud) ??
            throw new InvalidOperationException($"{model.ModelName} needs api_base: {model.Provider} has no address of its own.");
        return new ProviderTarget(providerModel, new Uri(address), keeper.Reveal(model.ApiKey), model.ApiVersion, model.Organization)
        {
            LacksCredential = model.Secrets.Any(secret => keeper.Reveal(secret) is null),
            Cloud = cloud,
            HasCompletions = HasCompletions(model, providerModel),
            HasBatches = ProviderCatalogue.Find(model.Provider)?.HasBatches == true,
            HasResponses = ProviderCatalogue.Find(model.Provider)?.HasResponses == true,
        };
    }

    /// <summary>
    /// Whether the legacy route is there for a model: said by the configuration or by the provider's entry, told by the model's name, or
    /// supposed of a server at an address of one's own, where it is learned when it is not.
    /// </summary>
    public static bool HasCompletions(ModelDeployment model, string providerModel) =>
        model.Mode == "completion" || OpenAiModel.Completes(providerModel) || model.ApiBaseIsStated || ProviderCatalogue.Find(model.Provider) is { HasCompletions: true };

    private static CloudAccess? CloudOf(ModelDeployment model, CredentialKeeper keeper) => model switch
    {
        { Aws: { } aws } => new CloudAccess
        {
            Region = aws.Region,
            AccessKeyId = keeper.Reveal(aws.AccessKeyId),
            SecretAccessKey = keeper.Reveal(aws.SecretAccessKey),
            SessionToken = keeper.Reveal(aws.SessionToken),
        },
        { Vertex: { } vertex } => new CloudAccess { Project = vertex.Project, Region = vertex.Location, Credentials = keeper.Reveal(vertex.Credentials) },
        _ => null,
    };

    /// <summary>The clouds' addresses are made of the region.</summary>
    private static string? AddressIn(ProviderProtocol protocol, CloudAccess? cloud) => protocol switch
    {
        ProviderProtocol.Bedrock => string.Create(CultureInfo.InvariantCulture, $"https://bedrock-runtime.{cloud?.Region ?? "us-east-1"}.amazonaws.com"),
        ProviderProtocol.Vertex when cloud?.Region is null or "global" => "https://aiplatform.googleapis.com",
        ProviderProtocol.Vertex => string.Create(CultureInfo.InvariantCulture, $"https://{cloud.Region}-aiplatform.googleapis.com"),
        _ => null,
    };
}
