namespace Gateway.Configuration;

/// <summary>Where Google Secret Manager is and who asks it: from the environment, under the names of Google's own tools or LiteLLM's.</summary>
public sealed record GoogleSecretsSettings
{
    /// <summary><c>GOOGLE_SECRET_MANAGER_PROJECT_ID</c> or <c>GOOGLE_CLOUD_PROJECT</c>: the project of secrets that are named without one.</summary>
    public string? Project { get; init; }

    /// <summary><c>GOOGLE_SECRET_MANAGER_ENDPOINT</c>.</summary>
    public string Endpoint { get; init; } = "https://secretmanager.googleapis.com";

    /// <summary><c>GOOGLE_APPLICATION_CREDENTIALS</c>: a service account's file. Without it the machine's own account asks.</summary>
    public string? ServiceAccountFile { get; init; }

    /// <summary><c>GCE_METADATA_HOST</c>: where the machine's own account gets its tokens.</summary>
    public string MetadataHost { get; init; } = "metadata.google.internal";

    /// <summary>Why it cannot be asked, and what to do; null when it can.</summary>
    public string? Problem => SecretStoreAddress.Problem("GOOGLE_SECRET_MANAGER_ENDPOINT", Endpoint, "https://secretmanager.googleapis.com")
        ?? SecretStoreAddress.Problem("GCE_METADATA_HOST", $"http://{MetadataHost}", "metadata.google.internal");

    /// <summary>The project.</summary>
    public override string ToString() => $"Google Secret Manager of {Project}";

    internal static GoogleSecretsSettings Of(Func<string, string?> variable)
    {
        var otherwise = new GoogleSecretsSettings();
        return new GoogleSecretsSettings
        {
            Project = variable("GOOGLE_SECRET_MANAGER_PROJECT_ID") ?? variable("GOOGLE_CLOUD_PROJECT"),
            Endpoint = variable("GOOGLE_SECRET_MANAGER_ENDPOINT")?.TrimEnd('/') ?? otherwise.Endpoint,
            ServiceAccountFile = variable("GOOGLE_APPLICATION_CREDENTIALS"),
            MetadataHost = variable("GCE_METADATA_HOST") ?? otherwise.MetadataHost,
        };
    }
}
