using System.Reflection;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gateway.Configuration;

/// <summary>The providers that the gateway knows (<c>providers.json</c>).</summary>
public static partial class ProviderCatalogue
{
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
        return JsonSerializer.Deserialize(stream, ProviderJson.Default.ProviderArray)!;
    }

    // What a line does not say comes as null, whatever the property begins with: lists make an empty one of that.
    [JsonSourceGenerationOptions(
        JsonSerializerDefaults.Web,
        UnmappedMemberHandling = JsonUnmappedMemberHandling.Disallow,
        Converters = [typeof(ProtocolNames)])]
    [JsonSerializable(typeof(Provider[]))]
    private sealed partial class ProviderJson : JsonSerializerContext;

    private sealed class ProtocolNames() : JsonStringEnumConverter<ProviderProtocol>(JsonNamingPolicy.CamelCase);
}
