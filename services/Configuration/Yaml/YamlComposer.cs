using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Gateway.Configuration.Yaml;

/// <summary>What is wrong with the text as YAML.</summary>
internal sealed record YamlProblem(int Line, int Column, string? Value, string Message, string Remedy);

/// <summary>
/// Makes values with their places out of YAML text. Bounded: depth, and the number of values once aliases are followed, so that a few lines
/// of nested aliases cannot stand for millions of values.
/// </summary>
internal sealed class YamlComposer
{
    public const int DepthMax = 40;
    public const long ValuesMax = 500_000;

    private readonly Dictionary<string, YamlNode> anchors = [];
    private readonly List<YamlProblem> problems;
    private readonly IParser parser;

    private YamlComposer(IParser parser, List<YamlProblem> problems)
    {
        this.parser = parser;
        this.problems = problems;
    }

    /// <summary>The value of the file; null when it is empty or when the text is not YAML (then there is a problem).</summary>
    public static YamlNode? Compose(string text, List<YamlProblem> problems)
    {
        try
        {
            var parser = new Parser(new StringReader(text));
            parser.Consume<StreamStart>();
            if (parser.Accept<StreamEnd>(out _))
            {
                return null;
            }

            parser.Consume<DocumentStart>();
            var root = new YamlComposer(parser, problems).Node(0);
            parser.Consume<DocumentEnd>();
            if (parser.Accept<DocumentStart>(out var second))
            {
                problems.Add(new((int)second.Start.Line, (int)second.Start.Column, null, "a second document begins here.", "Remove the line '---' and what follows it."));
            }

            return root;
        }
        catch (TooMuchException tooMuch)
        {
            problems.Add(tooMuch.Problem);
            return null;
        }
        catch (YamlException wrong)
        {
            var reason = wrong.InnerException is null ? wrong.Message : wrong.InnerException.Message;
            problems.Add(new(
                (int)wrong.Start.Line, (int)wrong.Start.Column, null, $"this is not YAML: {reason.TrimEnd('.')}.",
                "Check the indentation (spaces, no tabs), the colons behind keys and the quotes on this line and those beside it."));
            return null;
        }
    }

    private YamlNode Node(int depth)
    {
        if (depth > DepthMax)
        {
            var at = parser.Current!.Start;
            throw new TooMuchException(new((int)at.Line, (int)at.Column, null, $"the values are nested more than {DepthMax} deep.", "Write them flatter."));
        }

        switch (parser.Consume<ParsingEvent>())
        {
            case Scalar scalar:
                return Remember(scalar.Anchor, new YamlScalar(
                    (int)scalar.Start.Line, (int)scalar.Start.Column, scalar.Value, scalar.Style is not ScalarStyle.Plain));
            case SequenceStart start:
                var items = new List<YamlNode>();
                while (!parser.TryConsume<SequenceEnd>(out _))
                {
                    items.Add(Node(depth + 1));
                }

                var list = new YamlList((int)start.Start.Line, (int)start.Start.Column, items) { Size = 1 + items.Sum(item => item.Size) };
                return Remember(start.Anchor, Bounded(list));
            case MappingStart start:
                return Remember(start.Anchor, Bounded(Map(start, depth)));
            case AnchorAlias alias:
                if (anchors.TryGetValue(alias.Value.Value, out var node))
                {
                    return node;
                }

                problems.Add(new(
                    (int)alias.Start.Line, (int)alias.Start.Column, alias.Value.Value, $"the alias '*{alias.Value.Value}' has no anchor before it.",
                    $"Write '&{alias.Value.Value}' at the value that is meant, above this line and not around it."));
                return new YamlScalar((int)alias.Start.Line, (int)alias.Start.Column, "", false);
            case var other:
                throw new YamlException(other.Start, other.End, $"unexpected {other.GetType().Name}");
        }
    }

    private YamlMap Map(MappingStart start, int depth)
    {
        var entries = new List<YamlEntry>();
        var merged = new List<YamlEntry>();
        var lines = new Dictionary<string, int>(StringComparer.Ordinal);
        while (!parser.TryConsume<MappingEnd>(out _))
        {
            var key = Node(depth + 1);
            var value = Node(depth + 1);
            if (key is not YamlScalar name)
            {
                problems.Add(new(key.Line, key.Column, null, $"a key is {key.Kind}.", "Write a name before the colon."));
            }
            else if (name is { Value: "<<", IsQuoted: false })
            {
                merged.AddRange(Merged(value));
            }
            else if (lines.TryGetValue(name.Value, out var line))
            {
                problems.Add(new(name.Line, name.Column, name.Value, $"the key '{name.Value}' stands here a second time; the first is on line {line}.", "Remove one of the two."));
            }
            else
            {
                lines[name.Value] = name.Line;
                entries.Add(new YamlEntry(name, value));
            }
        }

        // What the map itself states wins over what it merges, and the first merge over later ones.
        entries.AddRange(merged.Where(entry => lines.TryAdd(entry.Key.Value, entry.Key.Line)));
        return new YamlMap((int)start.Start.Line, (int)start.Start.Column, entries) { Size = 1 + entries.Sum(entry => 1 + entry.Value.Size) };
    }

    private IEnumerable<YamlEntry> Merged(YamlNode value)
    {
        switch (value)
        {
            case YamlMap map:
                return map.Entries;
            case YamlList list when list.Items.All(item => item is YamlMap):
                return list.Items.Cast<YamlMap>().SelectMany(map => map.Entries);
            default:
                problems.Add(new(value.Line, value.Column, "<<", $"'<<' merges maps, and this is {value.Kind}.", "Write an alias of a map: '<<: *name'."));
                return [];
        }
    }

    private YamlNode Remember(AnchorName anchor, YamlNode node)
    {
        if (!anchor.IsEmpty)
        {
            anchors[anchor.Value] = node;
        }

        return node;
    }

    private static YamlNode Bounded(YamlNode node) =>
        node.Size <= ValuesMax ? node : throw new TooMuchException(new(
            node.Line, node.Column, null, $"with its aliases followed, this is more than {ValuesMax} values.", "Use fewer aliases, or split the file."));

#pragma warning disable CA1032, CA1064 // It leaves this file only as a problem.
    private sealed class TooMuchException(YamlProblem problem) : Exception
    {
        public YamlProblem Problem { get; } = problem;
    }
#pragma warning restore CA1032, CA1064
}
