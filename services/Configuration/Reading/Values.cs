using Gateway.Configuration.Yaml;

namespace Gateway.Configuration.Reading;

/// <summary>Lists and maps whose names are the user's own.</summary>
internal static class Values
{
    public static IReadOnlyList<(string Text, YamlNode Node, string Path)> Texts(Findings findings, YamlList list, string path)
    {
        var texts = new List<(string, YamlNode, string)>();
        for (var i = 0; i < list.Items.Count; i++)
        {
            var at = $"{path}[{i}]";
            switch (list.Items[i])
            {
                case YamlScalar scalar when findings.Resolve(scalar, at) is { } text:
                    if (string.IsNullOrWhiteSpace(text))
                    {
                        findings.Error(scalar, at, "", "it is empty.", "Write a value, or remove the item.");
                    }
                    else
                    {
                        texts.Add((text.Trim(), scalar, at));
                    }

                    break;
                case YamlScalar:
                    break;
                case var other:
                    findings.Error(other, at, null, $"a text is expected here, and this is {other.Kind}.", "Write one value for each item.");
                    break;
            }
        }

        return texts;
    }

    /// <summary>A map of name to text.</summary>
    public static IReadOnlyDictionary<string, string> TextMap(Findings findings, YamlNode? node, string path)
    {
        var texts = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        if (node is null)
        {
            return texts;
        }

        foreach (var (name, value, at) in Map(findings, node, path))
        {
            if (value is not YamlScalar scalar)
            {
                findings.Error(value, at, null, $"a text is expected here, and this is {value.Kind}.", "Write one value behind the colon.");
            }
            else if (findings.Resolve(scalar, at) is { } text)
            {
                texts[name.Value] = text;
            }
        }

        return texts;
    }

    public static IEnumerable<(YamlScalar Name, YamlNode Value, string Path)> Map(Findings findings, YamlNode node, string path)
    {
        if (node is YamlMap map)
        {
            return map.Entries.Select(entry => (entry.Key, entry.Value, $"{path}.{entry.Key.Value}"));
        }

        findings.Error(node, path, null, $"a map is expected here, and this is {node.Kind}.", "Write 'name: value' below it, indented.");
        return [];
    }

    public static IEnumerable<(YamlNode Node, string Path)> List(Findings findings, YamlNode? node, string path)
    {
        switch (node)
        {
            case null:
                return [];
            case YamlList list:
                return list.Items.Select((item, index) => (item, $"{path}[{index}]"));
            default:
                findings.Error(node, path, null, $"a list is expected here, and this is {node.Kind}.", "Begin each item with '- ' below it.");
                return [];
        }
    }
}
