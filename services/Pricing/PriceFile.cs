using System.Globalization;
using System.Text.Json;

namespace Gateway.Pricing;

/// <summary>
/// Reads a price file: <c>{"schema": 1, "version": "…", "prices": [{"provider", "model", "input", "output", …, "source", "date"}]}</c>, prices in
/// dollars per million tokens. A file that cannot be read is an error, never a catalogue without prices.
/// </summary>
internal static class PriceFile
{
    public const int EntriesMax = 20_000;

    // A dollar for each token. Nothing costs near to it: it catches a price that was written per million in a field per token.
    public const decimal DollarsPerMillionMax = 1_000_000;

    private static readonly string[] RateKeys =
        ["input", "cachedInput", "cacheWrite5m", "cacheWrite1h", "output", "reasoning", "inputAudio", "outputAudio"];

    private static readonly HashSet<string> EntryKeys =
    [
        .. RateKeys, "provider", "model", "mode", "perImage", "perRequest", "perSecond", "perCharacter", "free", "context", "maxOutput",
        "tiers", "source", "date",
    ];

    private static readonly HashSet<string> TierKeys = [.. RateKeys, "service", "above"];

    public static (string Version, List<ModelPrice> Prices, List<string> Errors) Read(string json, string fileName)
    {
        var errors = new List<string>();
        var prices = new List<ModelPrice>();
        var version = "";
        try
        {
            using var document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = 8, CommentHandling = JsonCommentHandling.Skip });
            var root = document.RootElement;
            if (root.ValueKind != JsonValueKind.Object
                || !root.TryGetProperty("prices", out var entries) || entries.ValueKind != JsonValueKind.Array)
            {
                errors.Add($"{fileName}: it is not an object with a list 'prices'. Write {{\"schema\": 1, \"version\": \"…\", \"prices\": [ … ]}}.");
                return (version, prices, errors);
            }

            version = Text(root, "version") ?? "unversioned";
            if (entries.GetArrayLength() > EntriesMax)
            {
                errors.Add($"{fileName}: prices: there are more than {EntriesMax} entries. Leave out those that are not used.");
                return (version, prices, errors);
            }

            var seen = new HashSet<string>(StringComparer.OrdinalIgnoreCase);
            var index = 0;
            foreach (var entry in entries.EnumerateArray())
            {
                var reader = new EntryReader(fileName, index++, entry, errors);
                if (reader.Read(version) is { } price)
                {
                    if (seen.Add($"{price.Provider}/{price.Model}"))
                    {
                        prices.Add(price);
                    }
                    else
                    {
                        reader.Fail("model", $"{price.Provider}/{price.Model} has a price already. Remove one of the two.");
                    }
                }
            }
        }
        catch (JsonException wrong)
        {
            errors.Add(string.Create(
                CultureInfo.InvariantCulture, $"{fileName}:{wrong.LineNumber + 1}: it is not JSON. Mend it at byte {wrong.BytePositionInLine + 1} of this line."));
        }

        return (version, prices, errors);
    }

    private static string? Text(JsonElement element, string key) =>
        element.TryGetProperty(key, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;

    private sealed class EntryReader(string fileName, int index, JsonElement entry, List<string> errors)
    {
        private readonly int errorsBefore = errors.Count;

        public void Fail(string key, string message) =>
            errors.Add(string.Create(CultureInfo.InvariantCulture, $"{fileName}: prices[{index}].{key}: {message}"));

        public ModelPrice? Read(string version)
        {
            if (entry.ValueKind != JsonValueKind.Object)
            {
                Fail("", "it is not an object. Write {\"provider\": …, \"model\": …, \"input\": …, \"output\": …}.");
                return null;
            }

            Unknown(entry, EntryKeys, "");
            var provider = Required("provider");
            var model = Required("model");
            var rates = Rates(entry, "");
            var tiers = new List<PriceTier>();
            if (entry.TryGetProperty("tiers", out var list) && list.ValueKind == JsonValueKind.Array)
            {
                foreach (var tier in list.EnumerateArray())
                {
                    ReadTier(tier, tiers);
                }
            }

            var perImage = Number(entry, "perImage", "");
            var perRequest = Number(entry, "perRequest", "");
            var perSecond = Number(entry, "perSecond", "");
            var perCharacter = Number(entry, "perCharacter", "");
            var free = entry.TryGetProperty("free", out var flag) && flag.ValueKind == JsonValueKind.True;
            if (!free && rates is { Input: 0, Output: 0, InputAudio: 0, OutputAudio: 0 } && (perImage ?? perRequest ?? perSecond ?? perCharacter ?? 0) == 0)
            {
                Fail("input", "every price is 0. State the price, or \"free\": true when it costs nothing.");
            }

            if (provider is null || model is null || rates is null || errors.Count > errorsBefore)
            {
                return null;
            }

            tiers.Insert(0, new PriceTier(ServiceTier.Standard, 0, rates));
            return new ModelPrice(provider, model, tiers)
            {
                PerImage = perImage ?? 0,
                PerRequest = perRequest ?? 0,
                PerSecond = perSecond ?? 0,
                PerCharacter = perCharacter ?? 0,
                ContextWindow = (int?)Number(entry, "context", ""),
                MaxOutputTokens = (int?)Number(entry, "maxOutput", ""),
                Mode = Text(entry, "mode") ?? "chat",
                Source = Text(entry, "source") ?? "",
                Date = Text(entry, "date") ?? "",
                Version = version,
            };
        }

        private void ReadTier(JsonElement tier, List<PriceTier> tiers)
        {
            if (tier.ValueKind != JsonValueKind.Object)
            {
                Fail("tiers", "a tier is not an object. Write {\"above\": 200000, \"input\": …, \"output\": …}.");
                return;
            }

            Unknown(tier, TierKeys, "tiers.");
            var name = Text(tier, "service") ?? "standard";
            if (!Enum.TryParse<ServiceTier>(name, ignoreCase: true, out var service) || !Enum.IsDefined(service))
            {
                Fail("tiers.service", $"'{name}' is no service tier. Write standard, priority, flex or batch.");
                return;
            }

            var above = (long)(Number(tier, "above", "tiers.") ?? 0);
            if (service == ServiceTier.Standard && above == 0)
            {
                Fail("tiers", "a tier needs 'above' or 'service'. The ordinary prices stand in the entry itself.");
            }
            else if (tiers.Exists(other => other.Service == service && other.AbovePromptTokens == above))
            {
                Fail("tiers", $"the tier {name} above {above} stands there twice. Remove one.");
            }
            else if (Rates(tier, "tiers.") is { } rates)
            {
                tiers.Add(new PriceTier(service, above, rates));
            }
        }

        private TokenRates? Rates(JsonElement element, string path)
        {
            var input = Number(element, "input", path);
            var output = Number(element, "output", path);
            if (input is null || output is null)
            {
                Fail(path + (input is null ? "input" : "output"), "it is missing. State dollars per million tokens.");
                return null;
            }

            var rates = new TokenRates { Input = input.Value, Output = output.Value };
            rates = Number(element, "cachedInput", path) is { } cached ? rates with { CachedInput = cached } : rates;
            rates = Number(element, "cacheWrite5m", path) is { } write5m ? rates with { CacheWrite5m = write5m } : rates;
            rates = Number(element, "cacheWrite1h", path) is { } write1h ? rates with { CacheWrite1h = write1h } : rates;
            rates = Number(element, "reasoning", path) is { } reasoning ? rates with { Reasoning = reasoning } : rates;
            rates = Number(element, "inputAudio", path) is { } inputAudio ? rates with { InputAudio = inputAudio } : rates;
            return Number(element, "outputAudio", path) is { } outputAudio ? rates with { OutputAudio = outputAudio } : rates;
        }

        private string? Required(string key)
        {
            var text = Text(entry, key);
            if (string.IsNullOrWhiteSpace(text))
            {
                Fail(key, "it is missing. Name it as a configuration does: openai and gpt-4 for openai/gpt-4.");
                return null;
            }

            return text;
        }

        private decimal? Number(JsonElement element, string key, string path)
        {
            if (!element.TryGetProperty(key, out var value) || value.ValueKind == JsonValueKind.Null)
            {
                return null;
            }

            var tokens = key is "context" or "maxOutput" or "above";
            var max = tokens ? int.MaxValue : DollarsPerMillionMax;
            if (value.ValueKind != JsonValueKind.Number || !value.TryGetDecimal(out var number) || number < 0 || number > max
                || (tokens && number != decimal.Truncate(number)))
            {
                Fail(path + key, $"{value.GetRawText()} is no {(tokens ? "count of tokens" : "price")}. Write a number from 0 to {max:0}.");
                return null;
            }

            return number;
        }

        private void Unknown(JsonElement element, HashSet<string> known, string path)
        {
            foreach (var property in element.EnumerateObject().Where(property => !known.Contains(property.Name)))
            {
                Fail(path + property.Name, $"this key is unknown. Known are: {string.Join(", ", known)}.");
            }
        }
    }
}
