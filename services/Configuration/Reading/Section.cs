using System.Globalization;
using Gateway.Configuration.Schema;
using Gateway.Configuration.Yaml;
using Gateway.Contracts;

namespace Gateway.Configuration.Reading;

/// <summary>
/// One map of the file, read key by key. Each method gives the value in its type, or null when the key is absent or wrong; what is wrong is
/// noted and the reading goes on, so that all errors are found at once.
/// </summary>
internal sealed class Section
{
    private const decimal DollarsMax = 9_000_000_000m;
    private const decimal SecondsMax = 10 * 366 * 86_400m;

    private readonly Findings findings;
    private readonly YamlMap map;
    private readonly KeySet keys;

    private Section(Findings findings, YamlMap map, string path, KeySet keys)
    {
        this.findings = findings;
        this.map = map;
        this.keys = keys;
        Path = path;
        foreach (var entry in map.Entries)
        {
            CheckKey(entry);
        }
    }

    public string Path { get; }

    public YamlNode Node => map;

    public IEnumerable<YamlEntry> Entries => map.Entries;

    /// <summary>The map as a section; null (and an error) when it is none.</summary>
    public static Section? Of(Findings findings, YamlNode node, string path, KeySet keys)
    {
        if (node is YamlMap map)
        {
            return new Section(findings, map, path, keys);
        }

        var value = node is YamlScalar scalar ? scalar.Value : null;
        findings.Error(node, path, value, $"a map of keys is expected here, and this is {node.Kind}.", "Write its keys below it, indented, each as 'key: value'.");
        return null;
    }

    public string PathOf(string key) => Path.Length == 0 ? key : $"{Path}.{key}";

    /// <summary>What stands behind the key; null when it is absent or null.</summary>
    public YamlNode? Value(string key)
    {
        if (keys.Find(key) is not { IsSupported: true })
        {
            throw new InvalidOperationException($"{keys.Title} has no key {key} in the schema.");
        }

        findings.Asked.Add($"{keys.Title}.{key}");
        var value = map.Find(key)?.Value;
        return value is YamlScalar { IsNull: true } ? null : value;
    }

    public Section? Child(string key, KeySet childKeys) =>
        Value(key) is { } node ? Of(findings, node, PathOf(key), childKeys) : null;

    public YamlScalar? Scalar(string key)
    {
        switch (Value(key))
        {
            case null:
                return null;
            case YamlScalar scalar:
                return scalar;
            case var other:
                findings.Error(other, PathOf(key), null, $"{keys.Find(key)!.Type} is expected here, and this is {other.Kind}.", "Write one value behind the colon.");
                return null;
        }
    }

    public string? Text(string key)
    {
        if (Scalar(key) is not { } scalar || findings.Resolve(scalar, PathOf(key)) is not { } text)
        {
            return null;
        }

        if (string.IsNullOrWhiteSpace(text))
        {
            findings.Error(scalar, PathOf(key), "", "it is empty.", "Write a value, or remove the key.");
            return null;
        }

        return text.Trim();
    }

    /// <summary>A secret of the gateway's own, which is not read from files or stores.</summary>
    public Secret? Secret(string key)
    {
        if (Scalar(key) is { } scalar && SecretPlaces.IsPlace(scalar.Value))
        {
            findings.Error(scalar, PathOf(key), null, "only credentials of providers are read from files and stores.", "Write os.environ/NAME.");
            return null;
        }

        return Text(key) is { } text ? new Secret(text) : null;
    }

    /// <summary>A provider's credential: written out, of the environment, of a file or of a store.</summary>
    public Secret? Credential(string key)
    {
        if (Scalar(key) is not { } scalar)
        {
            return null;
        }

        var secret = string.IsNullOrWhiteSpace(scalar.Value) ? null : findings.Places.Read(scalar, PathOf(key), out _);
        // What is missing or empty is said as of any other text.
        return secret ?? (SecretPlaces.IsPlace(scalar.Value) ? null : Text(key) is { } text ? new Secret(text) : null);
    }

    public string? Required(string key, string example)
    {
        if (Value(key) is null)
        {
            findings.Missing(map, PathOf(key), $"Write '{key}: {example}'.");
            return null;
        }

        return Text(key);
    }

    public bool? Flag(string key)
    {
        if (Scalar(key) is not { } scalar || findings.Resolve(scalar, PathOf(key)) is not { } text)
        {
            return null;
        }

        switch (text.Trim().ToLowerInvariant())
        {
            case "true" or "yes" or "on":
                return true;
            case "false" or "no" or "off":
                return false;
            default:
                Wrong(scalar, key, scalar.Value, "true or false", "Write true or false.");
                return null;
        }
    }

    public decimal? Number(string key, decimal min, decimal max)
    {
        if (Scalar(key) is not { } scalar || findings.Resolve(scalar, PathOf(key)) is not { } text)
        {
            return null;
        }

        if (!decimal.TryParse(text.Trim().Replace("_", "", StringComparison.Ordinal), NumberStyles.Float, CultureInfo.InvariantCulture, out var number))
        {
            Wrong(scalar, key, scalar.Value, keys.Find(key)!.Type is "dollars" ? "an amount of dollars" : "a number", $"Write a number such as {Example(min)}, without a unit or a sign.");
            return null;
        }

        if (number < min || number > max)
        {
            findings.Error(
                scalar, PathOf(key), scalar.Value, number < min && min == 0 ? $"{scalar.Value} is negative." : $"{scalar.Value} is out of range.",
                string.Create(CultureInfo.InvariantCulture, $"Write a number from {min} to {max}."));
            return null;
        }

        return number;
    }

    public long? Whole(string key, long min, long max)
    {
        if (Number(key, min, max) is not { } number)
        {
            return null;
        }

        if (number != decimal.Truncate(number))
        {
            Wrong(map.Find(key)!.Value, key, ((YamlScalar)map.Find(key)!.Value).Value, "a whole number", "Write it without a fraction.");
            return null;
        }

        return (long)number;
    }

    public int? Count(string key, int min = 0) => (int?)Whole(key, min, int.MaxValue);

    public TimeSpan? Seconds(string key, decimal min = 0) =>
        Number(key, min, SecondsMax) is { } seconds ? TimeSpan.FromTicks((long)(seconds * TimeSpan.TicksPerSecond)) : null;

    public Money? Dollars(string key) => Number(key, 0, DollarsMax) is { } dollars ? Money.FromDollars(dollars) : null;

    public string? Period(string key)
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        if (!BudgetPeriod.TryParse(text, out _))
        {
            Wrong(map.Find(key)!.Value, key, Scalar(key)!.Value, "a period", "Write a number and a unit, at most ten years: 30s, 30m, 24h, 7d, 30d or 1mo.");
            return null;
        }

        return text;
    }

    /// <summary>An address without the slash at its end.</summary>
    public string? Url(string key)
    {
        if (Text(key) is not { } text)
        {
            return null;
        }

        if (Addresses.WhatIsWrongWith(text) is { } wrong)
        {
            findings.Error(map.Find(key)!.Value, PathOf(key), Addresses.Masked(text), $"'{Addresses.Masked(text)}' {wrong}.", "Write it as https://host/path, and credentials as api_key.");
            return null;
        }

        return text.TrimEnd('/');
    }

    public IReadOnlyList<(string Text, YamlNode Node, string Path)>? Texts(string key)
    {
        switch (Value(key))
        {
            case null:
                return null;
            case YamlList list:
                return Values.Texts(findings, list, PathOf(key));
            case YamlScalar one:
                findings.Error(one, PathOf(key), one.Value, "a list is expected here, and this is a single value.", $"Write it as [{one.Value}].");
                return null;
            case var other:
                findings.Error(other, PathOf(key), null, $"a list is expected here, and this is {other.Kind}.", "Write it as [first, second].");
                return null;
        }
    }

    private void Wrong(YamlNode at, string key, string value, string expected, string remedy) =>
        findings.Error(at, PathOf(key), value, $"'{value.Trim()}' is not {expected}.", remedy);

    private static string Example(decimal min) => min > 1 ? min.ToString(CultureInfo.InvariantCulture) : "1";

    private void CheckKey(YamlEntry entry)
    {
        var name = entry.Key.Value;
        switch (keys.Find(name))
        {
            case { IsSupported: true }:
                break;
            case { IsSupported: false }:
                findings.Warn(entry.Key, PathOf(name), null, "this key of LiteLLM's has no effect here.", "Remove it, or see docs/configuration.md for what there is instead.");
                break;
            case null when !keys.AllowsOthers:
                var nearest = Nearest.To(name, keys.Keys.Where(key => key.IsSupported).Select(key => key.Name));
                findings.Warn(
                    entry.Key, PathOf(name), null, "this key is unknown and has no effect.",
                    nearest is null ? "Remove it, or see docs/configuration.md for the keys." : $"Did you mean '{nearest}'?");
                break;
        }
    }
}
