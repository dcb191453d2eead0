using System.Collections.Concurrent;
using System.Collections.Frozen;
using Gateway.Configuration;

namespace Gateway.Edge.Routing;

/// <summary>Which public names there are and where they lead: made from one configuration, never changed, replaced as a whole.</summary>
internal sealed class RoutingTable
{
    private const int PatternMatchesMax = 4_096;

    private readonly FrozenDictionary<string, ModelGroup> groups;
    private readonly IReadOnlyDictionary<string, ModelAlias> aliases;
    private readonly (string Pattern, Func<string, ModelGroup> Make)[] patterns;
    private readonly ConcurrentDictionary<string, ModelGroup> matched = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<(Deployment Deployment, string Credential), Deployment> ofOwners = new();
    private readonly Func<Deployment, string, Deployment> withCredential;

    public RoutingTable(
        GatewayConfig configuration, IEnumerable<ModelGroup> groups, IEnumerable<(string Pattern, Func<string, ModelGroup> Make)> patterns, IRoutingStrategy strategy,
        Func<Deployment, string, Deployment> withCredential)
    {
        Configuration = configuration;
        Strategy = strategy;
        this.withCredential = withCredential;
        aliases = configuration.Router.ModelGroupAlias;
        this.groups = groups.ToFrozenDictionary(group => group.Name, StringComparer.Ordinal);
        // The pattern with the most text is the most particular one.
        this.patterns = [.. patterns.OrderByDescending(pattern => pattern.Pattern.Length)];
    }

    public GatewayConfig Configuration { get; }

    public IRoutingStrategy Strategy { get; }

    /// <summary>The public names, for <c>/v1/models</c>: groups, and aliases that are not hidden.</summary>
    public IEnumerable<string> PublicNames => groups.Keys
        .Concat(aliases.Where(static alias => !alias.Value.Hidden).Select(static alias => alias.Key))
        .Order(StringComparer.Ordinal);

    /// <summary>Every deployment with a name of its own.</summary>
    public IEnumerable<Deployment> Deployments => groups.Values.SelectMany(static group => group.Deployments).Concat(matched.Values.SelectMany(static group => group.Deployments)).Distinct();

    /// <summary>The deployments of a public name: by name, alias or pattern; null when there is none.</summary>
    public ModelGroup? Find(string name)
    {
        if (aliases.TryGetValue(name, out var alias))
        {
            name = alias.Model;
        }

        if (groups.TryGetValue(name, out var group) || matched.TryGetValue(name, out group))
        {
            return group;
        }

        foreach (var (pattern, make) in patterns)
        {
            if (ModelPattern.Matches(pattern, name))
            {
                group = make(name);
                if (matched.Count < PatternMatchesMax)
                {
                    matched.TryAdd(name, group);
                }

                return group;
            }
        }

        return null;
    }

    /// <summary>A group as it is called by an owner that has credentials of its own for some of its deployments.</summary>
    /// <param name="group">The group.</param>
    /// <param name="credentials">The credential's name by deployment, public name or provider; the most particular one wins.</param>
    public ModelGroup With(ModelGroup group, IReadOnlyDictionary<string, string> credentials)
    {
        Deployment[] owned = [.. group.Deployments.Select(deployment => NameIn(credentials, deployment.Configuration) is { } name ? Of(deployment, name) : deployment)];
        return owned.SequenceEqual(group.Deployments) ? group : group.With(owned);
    }

    private Deployment Of(Deployment deployment, string credential)
    {
        if (ofOwners.TryGetValue((deployment, credential), out var known))
        {
            return known;
        }

        var made = withCredential(deployment, credential);
        return ofOwners.Count < PatternMatchesMax ? ofOwners.GetOrAdd((deployment, credential), made) : made;
    }

    private static string? NameIn(IReadOnlyDictionary<string, string> credentials, ModelDeployment model) =>
        model.MockResponse is not null ? null
        : credentials.TryGetValue(model.DeploymentId, out var name) || credentials.TryGetValue(model.ModelName, out name) || credentials.TryGetValue(model.Provider, out name) ? name
        : null;
}
