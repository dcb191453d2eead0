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

    public RoutingTable(
        GatewayConfig configuration, IEnumerable<ModelGroup> groups, IEnumerable<(string Pattern, Func<string, ModelGroup> Make)> patterns, IRoutingStrategy strategy)
    {
        Configuration = configuration;
        Strategy = strategy;
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
}
