using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gateway.Configuration;

/// <summary>The providers that the gateway knows (<c>providers.json</c>).</summary>
public static class ProviderCatalogue
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web)
    {
        Converters = { new JsonStringEnumConverter<ProviderProtocol>(JsonNamingPolicy.CamelCase) },
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
    };

    private static readonly Lazy<Provider[]> Embedded = new(Read);

    private static readonly Lazy<Dictionary<string, Provider>> ByName = new(() =>
        All.SelectMany(provider => provider.Aliases.Prepend(provider.Name), (provider, name) => (provider, name))
            .ToDictionary(pair => pair.name, pair => pair.provider, StringComparer.OrdinalIgnoreCase));

    /// <summary>All of them.</summary>
    public static IReadOnlyList<Provider> All => Embedded.Value;

    /// <summary>Every name and alias.</summary>
    public static IReadOnlyCollection<string> Names => ByName.Value.Keys;

    /// <summary>The provider of that name or alias; null when there is none.</summary>
    public static Provider? Find(string name) => ByName.Value.GetValueOrDefault(name);

    private static Provider[] Read()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("providers.json")!;
        return JsonSerializer.Deserialize<Provider[]>(stream, Json)!;
    }
}
