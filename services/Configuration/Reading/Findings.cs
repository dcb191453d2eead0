using System.Security.Cryptography;
using System.Text;
using Gateway.Configuration.Yaml;

namespace Gateway.Configuration.Reading;

/// <summary>What a reading has found so far, and the surroundings that it reads in.</summary>
internal sealed class Findings
{
    /// <summary>How many problems of one sort are kept: a file of nonsense must not make a message of megabytes.</summary>
    public const int ProblemsMax = 1_000;

    /// <summary>What a reference to an environment variable begins with.</summary>
    public const string EnvironmentPrefix = "os.environ/";

    private readonly string fileName;
    private readonly ConfigEnvironment environment;
    private readonly Dictionary<string, string> stated = new(StringComparer.Ordinal);

    /// <param name="path">The file: messages have its name, and relative paths start from its folder.</param>
    /// <param name="environment">The surroundings.</param>
    public Findings(string path, ConfigEnvironment environment)
    {
        fileName = Path.GetFileName(path);
        this.environment = environment;
        Places = new SecretPlaces(this, Path.GetDirectoryName(Path.GetFullPath(path))!);
    }

    /// <summary>Where credentials are.</summary>
    public SecretPlaces Places { get; }

    public List<ConfigProblem> Errors { get; } = [];

    public List<ConfigProblem> Warnings { get; } = [];

    public List<ConfigProblem> Notices { get; } = [];

    /// <summary>The keys that the reader asked for, as <c>title.key</c>: a test checks that each key of the schema is read.</summary>
    public HashSet<string> Asked { get; } = [];

    /// <summary>The version of all text that was read: of the file and of the price file that it names.</summary>
    public string Version { get; private set; } = "";

    public bool IsDevelopment => environment.IsDevelopment;

    public string EnvironmentName => environment.Name;

    public string FileName => fileName;

    public void Covers(string text) =>
        Version = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Version + text)))[..16];

    public void Error(YamlNode at, string path, string? value, string message, string remedy) =>
        Add(Errors, at.Line, at.Column, path, value, message, remedy);

    public void Warn(YamlNode at, string path, string? value, string message, string remedy) =>
        Add(Warnings, at.Line, at.Column, path, value, message, remedy);

    public void Notice(string path, string message) => Add(Notices, 0, 0, path, null, message, "");

    public void Add(List<ConfigProblem> list, int line, int column, string path, string? value, string message, string remedy)
    {
        if (list.Count < ProblemsMax)
        {
            list.Add(new ConfigProblem(fileName, line, column, path, value, message, remedy));
        }
    }

    /// <summary>An environment variable: what <c>environment_variables</c> states wins. An empty one counts as not set.</summary>
    public string? Variable(string name)
    {
        var value = stated.GetValueOrDefault(name) ?? environment.Variable(name);
        return string.IsNullOrWhiteSpace(value) ? null : value.Trim();
    }

    public void State(string name, string value) => stated[name] = value;

    /// <summary>The variable that a value names; null when it is no reference.</summary>
    public static string? ReferenceIn(string value) =>
        value.StartsWith(EnvironmentPrefix, StringComparison.Ordinal) ? value[EnvironmentPrefix.Length..].Trim() : null;

    /// <summary>The value, or what its reference stands for; null (and an error) when that variable is not set.</summary>
    public string? Resolve(YamlScalar scalar, string path)
    {
        if (ReferenceIn(scalar.Value) is not { } name)
        {
            return scalar.Value;
        }

        if (Variable(name) is { } value)
        {
            return value;
        }

        Error(
            scalar, path, scalar.Value, $"the environment variable {name} is not set.",
            $"Set it, or write the value here, or put it under environment_variables.");
        return null;
    }

    public void Missing(YamlNode at, string path, string remedy) => Error(at, path, null, "it is missing.", remedy);
}
