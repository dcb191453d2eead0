namespace Gateway.Configuration.Yaml;

/// <summary>A value of the file, with the place where it stands.</summary>
internal abstract record YamlNode(int Line, int Column)
{
    /// <summary>How many values a walk from here visits: an alias counts as often as it is used.</summary>
    public long Size { get; init; } = 1;

    public abstract string Kind { get; }
}

/// <summary>A text, number, truth value or nothing.</summary>
internal sealed record YamlScalar(int Line, int Column, string Value, bool IsQuoted) : YamlNode(Line, Column)
{
    public bool IsNull => !IsQuoted && Value is "" or "~" or "null" or "Null" or "NULL" && !IsQuoted;

    public override string Kind => "a single value";
}

internal sealed record YamlList(int Line, int Column, IReadOnlyList<YamlNode> Items) : YamlNode(Line, Column)
{
    public override string Kind => "a list";
}

internal sealed record YamlMap(int Line, int Column, IReadOnlyList<YamlEntry> Entries) : YamlNode(Line, Column)
{
    public override string Kind => "a map";

    public YamlEntry? Find(string key) => Entries.FirstOrDefault(entry => entry.Key.Value == key);
}

internal sealed record YamlEntry(YamlScalar Key, YamlNode Value);
