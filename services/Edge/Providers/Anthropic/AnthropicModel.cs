using System.Globalization;
using System.Text.RegularExpressions;

namespace Gateway.Edge.Providers.Anthropic;

/// <summary>The sizes of Claude that differ in what they take.</summary>
internal enum AnthropicFamily
{
    Other,
    Opus,
    Sonnet,
    Haiku,
}

/// <summary>What a Claude model can do, told by the version in its name. A name without one is taken for a new model.</summary>
internal readonly partial record struct AnthropicModel(int Version, AnthropicFamily Family)
{
    private const int Newest = 9900;

    /// <summary>Thinks at all (3.7 and later).</summary>
    public bool Thinks => Version >= 307;

    /// <summary>Decides itself how long to think and takes an effort (4.6 and later); before that it takes a number of tokens.</summary>
    public bool ThinksAdaptively => Version >= 406;

    /// <summary>Thinks unless it is told not to (5 and later).</summary>
    public bool ThinksUnasked => Version >= 500;

    /// <summary>Says what it thought only when it is asked to (4.7 and later).</summary>
    public bool HidesThoughts => Version >= 407;

    /// <summary>The type of <c>thinking</c> that keeps it from thinking ahead; null where nothing does.</summary>
    public string? QuietWord => (Family, Version) switch
    {
        (AnthropicFamily.Haiku, _) or (AnthropicFamily.Sonnet or AnthropicFamily.Opus, < 505) => "disabled",
        (AnthropicFamily.Sonnet, _) => "between_tools",
        _ => null,
    };

    /// <summary>Cannot be made to call a tool (5.1 and later).</summary>
    public bool RefusesForce => Version >= 501;

    /// <summary>Refuses temperature, top_p and top_k (4.7 and later).</summary>
    public bool RefusesSampling => Version >= 407;

    /// <summary>Takes temperature or top_p, and refuses both together (4.5 and later, Opus from 4.1).</summary>
    public bool TakesOneOfSampling => TakesSchema;

    /// <summary>Holds to a JSON schema (4.5 and later, Opus from 4.1).</summary>
    public bool TakesSchema => Version >= (Family == AnthropicFamily.Opus ? 401 : 405);

    /// <summary>Reads the name, also as Bedrock, Vertex AI and others write it.</summary>
    public static AnthropicModel Of(string name)
    {
        var family = Has("opus") ? AnthropicFamily.Opus : Has("sonnet") ? AnthropicFamily.Sonnet : Has("haiku") ? AnthropicFamily.Haiku : AnthropicFamily.Other;
        var match = VersionInName().Match(name);
        if (!match.Success)
        {
            return new AnthropicModel(Newest, family);
        }

        var minor = match.Groups["minor"] is { Success: true } given ? int.Parse(given.Value, CultureInfo.InvariantCulture) : 0;
        return new AnthropicModel((int.Parse(match.Groups["major"].Value, CultureInfo.InvariantCulture) * 100) + minor, family);

        bool Has(string word) => name.Contains(word, StringComparison.OrdinalIgnoreCase);
    }

    // A date such as 20250219 has more than two digits and is no version.
    [GeneratedRegex(@"claude(-[a-z]+)*-(?<major>\d{1,2})(?!\d)([-.](?<minor>\d{1,2})(?!\d))?", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex VersionInName();
}
