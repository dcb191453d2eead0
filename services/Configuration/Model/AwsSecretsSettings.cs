namespace Gateway.Configuration;

/// <summary>Where AWS Secrets Manager is and who asks it: from the environment, under the names of Amazon's own tools or LiteLLM's.</summary>
public sealed record AwsSecretsSettings
{
    private const string TaskAgent = "http://169.254.170.2";

    /// <summary><c>AWS_REGION_NAME</c>, <c>AWS_REGION</c> or <c>AWS_DEFAULT_REGION</c>. A secret named by its ARN is in the ARN's.</summary>
    public string? Region { get; init; }

    /// <summary><c>AWS_ENDPOINT_URL_SECRETS_MANAGER</c>; null for Amazon's own address of the region.</summary>
    public string? Endpoint { get; init; }

    /// <summary><c>AWS_ACCESS_KEY_ID</c>.</summary>
    public string? AccessKeyId { get; init; }

    /// <summary><c>AWS_SECRET_ACCESS_KEY</c>.</summary>
    public Secret? SecretAccessKey { get; init; }

    /// <summary><c>AWS_SESSION_TOKEN</c>.</summary>
    public Secret? SessionToken { get; init; }

    /// <summary><c>AWS_ROLE_ARN</c>: a role that a pod takes with its token (IRSA).</summary>
    public string? RoleArn { get; init; }

    /// <summary><c>AWS_WEB_IDENTITY_TOKEN_FILE</c>: that token. It is read each time.</summary>
    public string? WebIdentityTokenFile { get; init; }

    /// <summary><c>AWS_ROLE_SESSION_NAME</c>: what the role is called by in Amazon's trail.</summary>
    public string RoleSessionName { get; init; } = "gateway";

    /// <summary><c>AWS_ENDPOINT_URL_STS</c>: where the role is taken; null for Amazon's own address of the region.</summary>
    public string? TokenEndpoint { get; init; }

    /// <summary>Whether a pod takes a role with its token.</summary>
    public bool IsPod => RoleArn is not null && WebIdentityTokenFile is not null;

    /// <summary><c>AWS_CONTAINER_CREDENTIALS_FULL_URI</c> or <c>…_RELATIVE_URI</c>: where a container of EKS or ECS fetches the keys of its role.</summary>
    public string? RoleAddress { get; init; }

    /// <summary><c>AWS_CONTAINER_AUTHORIZATION_TOKEN</c>: what is sent there to be let in.</summary>
    public Secret? RoleToken { get; init; }

    /// <summary><c>AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE</c>: the same in a file, which is read each time.</summary>
    public string? RoleTokenFile { get; init; }

    /// <summary>Why it cannot be asked, and what to do; null when it can.</summary>
    public string? Problem => this switch
    {
        { AccessKeyId: null, IsPod: false, RoleAddress: null } =>
            "AWS Secrets Manager has to be told who asks: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or give the pod or container a role (IRSA, EKS Pod Identity, an ECS task role).",
        { AccessKeyId: not null, SecretAccessKey: null } => "AWS_ACCESS_KEY_ID is set and AWS_SECRET_ACCESS_KEY is not: set both.",
        _ => SecretStoreAddress.Problem("AWS_ENDPOINT_URL_SECRETS_MANAGER", Endpoint, "https://secretsmanager.eu-central-1.amazonaws.com")
            ?? SecretStoreAddress.Problem("AWS_ENDPOINT_URL_STS", TokenEndpoint, "https://sts.eu-central-1.amazonaws.com")
            ?? SecretStoreAddress.Problem("AWS_CONTAINER_CREDENTIALS_FULL_URI", RoleAddress, "http://169.254.170.23/v1/credentials"),
    };

    /// <summary>The region, no key.</summary>
    public override string ToString() => $"AWS Secrets Manager in {Region}";

    internal static AwsSecretsSettings Of(Func<string, string?> variable) => new()
    {
        Region = variable("AWS_REGION_NAME") ?? variable("AWS_REGION") ?? variable("AWS_DEFAULT_REGION"),
        Endpoint = variable("AWS_ENDPOINT_URL_SECRETS_MANAGER")?.TrimEnd('/'),
        AccessKeyId = variable("AWS_ACCESS_KEY_ID"),
        SecretAccessKey = Secret.OfVariable(variable, "AWS_SECRET_ACCESS_KEY"),
        SessionToken = Secret.OfVariable(variable, "AWS_SESSION_TOKEN"),
        RoleArn = variable("AWS_ROLE_ARN"),
        WebIdentityTokenFile = variable("AWS_WEB_IDENTITY_TOKEN_FILE"),
        RoleSessionName = variable("AWS_ROLE_SESSION_NAME") ?? "gateway",
        TokenEndpoint = variable("AWS_ENDPOINT_URL_STS")?.TrimEnd('/'),
        RoleAddress = variable("AWS_CONTAINER_CREDENTIALS_FULL_URI") ?? (variable("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") is { } path ? TaskAgent + path : null),
        RoleToken = Secret.OfVariable(variable, "AWS_CONTAINER_AUTHORIZATION_TOKEN"),
        RoleTokenFile = variable("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE"),
    };
}
