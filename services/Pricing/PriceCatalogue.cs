using System.Reflection;

namespace Gateway.Pricing;

/// <summary>Prices by provider and model. Immutable; looked up when a configuration is loaded, never on the way of a request.</summary>
public sealed class PriceCatalogue
{
    private static readonly Lazy<PriceCatalogue> Embedded = new(ReadEmbedded);

    private readonly Dictionary<ModelKey, ModelPrice> exact;
    private readonly Dictionary<ModelKey, ModelPrice> byStem;
    private readonly ModelPrice[] prices;

    private PriceCatalogue(string version, IEnumerable<ModelPrice> prices)
    {
        Version = version;
        this.prices = [.. prices.OrderBy(price => price.Provider, StringComparer.Ordinal).ThenBy(price => price.Model, StringComparer.Ordinal)];
        exact = this.prices.ToDictionary(price => new ModelKey(price.Provider, price.Model));
        byStem = [];
        foreach (var price in this.prices)
        {
            var (stem, date) = ModelNames.SplitDate(price.Model);
            var key = new ModelKey(price.Provider, stem);
            if (date is not null && (!byStem.TryGetValue(key, out var known)
                || string.CompareOrdinal(ModelNames.SplitDate(known.Model).Date, date) < 0))
            {
                byStem[key] = price;
            }
        }
    }

    /// <summary>The prices that come with the gateway.</summary>
    public static PriceCatalogue BuiltIn => Embedded.Value;

    /// <summary>The version: <c>2026-11</c>, and the mounted file's behind it.</summary>
    public string Version { get; }

    /// <summary>Every price, by provider and model.</summary>
    public IReadOnlyCollection<ModelPrice> Prices => prices;

    /// <summary>Reads a price file (the schema of <c>prices.json</c>); the errors name the entry, the value and the remedy.</summary>
    public static PriceFileResult Read(string json, string fileName)
    {
        var (version, read, errors) = PriceFile.Read(json, fileName);
        return errors.Count > 0 ? new PriceFileResult(null, errors) : new PriceFileResult(new PriceCatalogue(version, read), []);
    }

    /// <summary>These prices, and where <paramref name="mounted"/> has the same model its prices instead.</summary>
    public PriceCatalogue With(PriceCatalogue mounted) =>
        new($"{Version}+{mounted.Version}", mounted.prices.Concat(prices.Where(price => !mounted.exact.ContainsKey(new(price.Provider, price.Model)))));

    /// <summary>The price of a model by exact name, else by its alias rules (dated and undated names, regions); null when it has none.</summary>
    public ModelPrice? Find(string provider, string model)
    {
        foreach (var (candidateProvider, candidate) in ModelNames.Candidates(provider, model))
        {
            // The exact name, the name without its date, and the newest dated one of that name, in this order.
            if (exact.TryGetValue(new(candidateProvider, candidate), out var price))
            {
                return price;
            }

            var stem = ModelNames.SplitDate(candidate).Stem;
            if (exact.TryGetValue(new(candidateProvider, stem), out price) || byStem.TryGetValue(new(candidateProvider, stem), out price))
            {
                return price;
            }
        }

        return null;
    }

    /// <summary>
    /// The price of a deployment: the catalogue's for <paramref name="baseModel"/>, else for the model, with the stated prices over it;
    /// null when there is none.
    /// </summary>
    public ModelPrice? Find(string provider, string model, string? baseModel, PriceOverride? stated)
    {
        var known = baseModel is null ? null : FindBase(provider, baseModel);
        known ??= Find(provider, model);
        return stated is null ? known : stated.ApplyTo(known, provider, model);
    }

    private static PriceCatalogue ReadEmbedded()
    {
        using var stream = Assembly.GetExecutingAssembly().GetManifestResourceStream("prices.json")!;
        using var reader = new StreamReader(stream);
        var result = Read(reader.ReadToEnd(), "prices.json");
        return result.Catalogue ?? throw new InvalidOperationException(string.Join('\n', result.Errors));
    }

    // azure/gpt-4o names another provider's list; gpt-4o alone stands in the deployment's own.
    private ModelPrice? FindBase(string provider, string baseModel)
    {
        var slash = baseModel.IndexOf('/', StringComparison.Ordinal);
        return (slash > 0 ? Find(baseModel[..slash], baseModel[(slash + 1)..]) : null) ?? Find(provider, baseModel);
    }

    private readonly record struct ModelKey
    {
        public ModelKey(string provider, string model)
        {
            // Providers compare names without regard to case, and so do the people who write them down.
            Provider = provider.ToLowerInvariant();
            Model = model.ToLowerInvariant();
        }

        public string Provider { get; }

        public string Model { get; }
    }
}

/// <summary>What reading a price file gave.</summary>
/// <param name="Catalogue">The prices; null when there was an error.</param>
/// <param name="Errors">All errors, one line each.</param>
public sealed record PriceFileResult(PriceCatalogue? Catalogue, IReadOnlyList<string> Errors);
