using Gateway.Configuration;
using Gateway.Edge.Providers.Vertex;

namespace Gateway.Edge.Credentials;

/// <summary>Every store that a configuration can name, as it says where they are. One of an unchanged configuration is the same, with its tokens.</summary>
internal sealed class SecretStores
{
    private readonly (HttpMessageInvoker Http, ServiceAccountTokens Accounts, TimeProvider Time) means;
    private readonly FileSecrets files = new();
    private readonly (VaultSettings Settings, ISecretStore Store) vault;
    private readonly (AwsSecretsSettings Settings, ISecretStore Store) aws;
    private readonly (GoogleSecretsSettings Settings, ISecretStore Store) google;
    private readonly (AzureSecretsSettings Settings, ISecretStore Store) azure;

    /// <param name="configuration">Where they are.</param>
    /// <param name="http">Sends.</param>
    /// <param name="accounts">The tokens of Google's service accounts.</param>
    /// <param name="time">The clock.</param>
    public SecretStores(GatewayConfig configuration, HttpMessageInvoker http, ServiceAccountTokens accounts, TimeProvider time)
        : this(configuration, (http, accounts, time), null)
    {
    }

    private SecretStores(GatewayConfig configuration, (HttpMessageInvoker Http, ServiceAccountTokens Accounts, TimeProvider Time) means, SecretStores? before)
    {
        this.means = means;
        var (http, accounts, time) = means;
        vault = Kept(configuration.Vault, before?.vault, settings => new VaultSecrets(settings, http, time));
        aws = Kept(configuration.AwsSecrets, before?.aws, settings => new AwsSecrets(settings, http, time));
        google = Kept(configuration.GoogleSecrets, before?.google, settings => new GoogleSecrets(settings, http, accounts, time));
        azure = Kept(configuration.AzureSecrets, before?.azure, settings => new AzureSecrets(settings, http, time));
    }

    /// <summary>The stores of another configuration.</summary>
    public SecretStores For(GatewayConfig configuration) => new(configuration, means, this);

    /// <summary>The store of a kind.</summary>
    public ISecretStore Of(SecretStoreKind kind) => kind switch
    {
        SecretStoreKind.Vault => vault.Store,
        SecretStoreKind.Aws => aws.Store,
        SecretStoreKind.Google => google.Store,
        SecretStoreKind.Azure => azure.Store,
        _ => files,
    };

    private static (T Settings, ISecretStore Store) Kept<T>(T settings, (T Settings, ISecretStore Store)? before, Func<T, ISecretStore> make)
        where T : class =>
        before is { } kept && kept.Settings.Equals(settings) ? kept : (settings, make(settings));
}
