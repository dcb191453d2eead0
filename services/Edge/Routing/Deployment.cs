using System.Text.Json;
using Gateway.Configuration;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Credentials;
using Gateway.Edge.Providers;
using Gateway.Pricing;

namespace Gateway.Edge.Routing;

/// <summary>A deployment ready to be called: everything that does not change from request to request is made once.</summary>
internal sealed class Deployment
{
    private readonly Uri?[] passedAddresses;
    private readonly Uri?[] passedStreamAddresses;
    private readonly ProviderTarget target;
    private readonly LiveTarget? live;

    public Deployment(
        ModelDeployment configuration, string providerModel, IChatProvider protocol, ProviderTarget target, ModelPrice? price, DeploymentHealth health, BudgetSlot[] budgets,
        LiveTarget? live = null)
    {
        Configuration = configuration;
        ProviderModel = providerModel;
        Protocol = protocol;
        this.target = target;
        this.live = live;
        Price = price;
        Health = health;
        Budgets = budgets;
        ModelJson = JsonSerializer.SerializeToUtf8Bytes(providerModel, EdgeJson.Default.String);
        Address = protocol.ChatAddress(target, stream: false);
        StreamAddress = protocol.ChatAddress(target, stream: true);
        CountTokensAddress = configuration.MockResponse is null ? protocol.CountTokensAddress(target) : null;
        passedAddresses = PassedAddresses(stream: false);
        passedStreamAddresses = PassedAddresses(stream: true);

        Uri?[] PassedAddresses(bool stream) =>
            [.. Enum.GetValues<SurfaceProtocol>().Select(surface => configuration.MockResponse is null ? protocol.PassedAddress(target, surface, stream) : null)];
    }

    public ModelDeployment Configuration { get; }

    public string Id => Configuration.DeploymentId;

    public string Provider => Configuration.Provider;

    /// <summary>The provider's name of the model.</summary>
    public string ProviderModel { get; }

    /// <summary>The name that tells what the model can do: a deployment's own name, as Azure has them, does not.</summary>
    public string KnownModel => Configuration.BaseModel ?? ProviderModel;

    /// <summary>Which model of OpenAI's it is; null for those of others.</summary>
    public string? OpenAiModel => Provider is "openai" or "azure" ? ProviderModel : null;

    public IChatProvider Protocol { get; }

    /// <summary>Where to and as whom. Where a credential is kept elsewhere, it is the one of now.</summary>
    public ProviderTarget Target => live is null ? target : live.Current;

    /// <summary>What reports call the credential; null when none is sent.</summary>
    public string? CredentialName => Configuration.CredentialName;

    /// <summary>Null for a model without a price: its requests are flagged, never silently free.</summary>
    public ModelPrice? Price { get; }

    /// <summary>How it has done of late. It outlives a reload of the configuration.</summary>
    public DeploymentHealth Health { get; }

    /// <summary>The provider's and the deployment's own budgets.</summary>
    public BudgetSlot[] Budgets { get; }

    /// <summary>The model's name as it is spliced into a request: with its quotes.</summary>
    public byte[] ModelJson { get; }

    public Uri Address { get; }

    public Uri StreamAddress { get; }

    /// <summary>Where the bytes of another surface pass to; null when the provider does not speak its protocol.</summary>
    public Uri? PassedAddress(SurfaceProtocol protocol, bool stream = false) => Volatile.Read(ref (stream ? passedStreamAddresses : passedAddresses)[(int)protocol]);

    /// <summary>Where its provider keeps files and batches; null when it has none of OpenAI's kind.</summary>
    /// <param name="path">What is asked for: <c>files</c>, <c>batches/batch_1</c>.</param>
    public Uri? StoreAddress(string path) => Configuration.MockResponse is null ? Protocol.StoreAddress(Target, path) : null;

    /// <summary>Where the tokens of Anthropic's messages are counted; null when they are counted here.</summary>
    public Uri? CountTokensAddress { get; }

    /// <summary>The provider refused the credential: whether there is another one by now where it is kept.</summary>
    /// <param name="refused">What was called.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    public ValueTask<bool> CredentialRenewedAsync(ProviderTarget refused, CancellationToken cancellation) => live is null ? new(false) : new(live.RenewedAsync(refused, cancellation));

    /// <summary>The server has no such route after all: from now on the hub's words are used.</summary>
    public void LacksRouteOf(SurfaceProtocol protocol)
    {
        Volatile.Write(ref passedAddresses[(int)protocol], null);
        Volatile.Write(ref passedStreamAddresses[(int)protocol], null);
    }

    /// <summary>Whether it makes vectors and does not chat.</summary>
    public bool Embeds => (Configuration.Mode != "chat" ? Configuration.Mode : Price?.Mode) == "embedding";

    /// <summary>The most tokens that one answer may have; null when nobody says.</summary>
    public int? MaxOutputTokens => Configuration.MaxTokens ?? Price?.MaxOutputTokens;
}

/// <summary>All deployments of one public name.</summary>
internal sealed class ModelGroup(string name, Deployment[] deployments)
{
    public string Name { get; } = name;

    public Deployment[] Deployments { get; } = deployments;

    /// <summary>Those that may be called at all: where models without a price are refused, the ones that have one.</summary>
    public Deployment[] Callable { get; init; } = deployments;

    /// <summary>The public names that are tried when this one has failed.</summary>
    public IReadOnlyList<string> Fallbacks { get; init; } = [];

    /// <summary>… when the prompt was too long.</summary>
    public IReadOnlyList<string> ContextWindowFallbacks { get; init; } = [];

    /// <summary>… when a provider's content policy refused.</summary>
    public IReadOnlyList<string> ContentPolicyFallbacks { get; init; } = [];

    /// <summary>The same group with other deployments: as somebody calls it who has credentials of their own.</summary>
    public ModelGroup With(Deployment[] others) => new(Name, others)
    {
        // A price hangs on the model and not on who calls it.
        Callable = Callable.Length == Deployments.Length ? others : Array.FindAll(others, static deployment => deployment.Price is not null),
        Fallbacks = Fallbacks, ContextWindowFallbacks = ContextWindowFallbacks, ContentPolicyFallbacks = ContentPolicyFallbacks, Retries = Retries,
    };

    /// <summary>Tries after the first, within the group.</summary>
    public RetryRule Retries { get; init; } = new(0, new RetryPolicy());
}
