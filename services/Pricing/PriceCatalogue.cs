namespace Gateway.Pricing;

/// <summary>Prices by provider and model.</summary>
public sealed class PriceCatalogue
{
    /// <summary>The prices that come with the gateway.</summary>
    public static PriceCatalogue BuiltIn => throw new NotImplementedException();

    /// <summary>The version: <c>2026-11</c>, and the mounted file's behind it.</summary>
    public string Version { get; private init; } = "";

    /// <summary>Every price.</summary>
    public IReadOnlyCollection<ModelPrice> Prices => throw new NotImplementedException();

    /// <summary>Reads a price file (the schema of <c>prices.json</c>); the errors name the entry, the value and the remedy.</summary>
    public static PriceFileResult Read(string json, string fileName) => throw new NotImplementedException();

    /// <summary>These prices, and where <paramref name="mounted"/> has the same model its prices instead.</summary>
    public PriceCatalogue With(PriceCatalogue mounted) => throw new NotImplementedException();

    /// <summary>The price of a model by exact name, else by its alias rules (dated and undated names); null when it has none.</summary>
    public ModelPrice? Find(string provider, string model) => throw new NotImplementedException();

    /// <summary>
    /// The price of a deployment: the catalogue's for <paramref name="baseModel"/>, else for the model, with the stated prices over it;
    /// null when there is none.
    /// </summary>
    public ModelPrice? Find(string provider, string model, string? baseModel, PriceOverride? stated) => throw new NotImplementedException();
}

/// <summary>What reading a price file gave.</summary>
/// <param name="Catalogue">The prices; null when there was an error.</param>
/// <param name="Errors">All errors, one line each.</param>
public sealed record PriceFileResult(PriceCatalogue? Catalogue, IReadOnlyList<string> Errors);
