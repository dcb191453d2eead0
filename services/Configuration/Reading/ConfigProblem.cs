using System.Text;

namespace Gateway.Configuration;

/// <summary>One thing to say about a configuration file.</summary>
/// <param name="File">The file.</param>
/// <param name="Line">The line, from 1; 0 when it concerns the file as a whole.</param>
/// <param name="Column">The column, from 1.</param>
/// <param name="Key">The path of the key: <c>model_list[1].litellm_params.model</c>; empty for the file as a whole.</param>
/// <param name="Value">What stands there; secrets are masked.</param>
/// <param name="Message">What is wrong.</param>
/// <param name="Remedy">What to do.</param>
public sealed record ConfigProblem(string File, int Line, int Column, string Key, string? Value, string Message, string Remedy)
{
    /// <summary>One line: file, line, key, message, remedy.</summary>
    public override string ToString()
    {
        var text = new StringBuilder(File);
        if (Line > 0)
        {
            text.Append(':').Append(Line);
        }

        text.Append(": ");
        if (Key.Length > 0)
        {
            text.Append(Key).Append(": ");
        }

        text.Append(Message);
        return Remedy.Length > 0 ? text.Append(' ').Append(Remedy).ToString() : text.ToString();
    }
}

/// <summary>What reading a configuration gave.</summary>
/// <param name="Config">The configuration; null when there was an error.</param>
/// <param name="Errors">Everything that is wrong.</param>
/// <param name="Warnings">What has no effect, or not the one that it may be expected to have.</param>
/// <param name="Notices">What the start should say: stand-ins that Development uses.</param>
public sealed record ConfigResult(
    GatewayConfig? Config,
    IReadOnlyList<ConfigProblem> Errors,
    IReadOnlyList<ConfigProblem> Warnings,
    IReadOnlyList<ConfigProblem> Notices);

/// <summary>What of the process's surroundings a configuration depends on.</summary>
/// <param name="Name">The environment's name (<c>ASPNETCORE_ENVIRONMENT</c>): <c>Development</c> or another.</param>
/// <param name="Variable">An environment variable by name; null when it is not set.</param>
public sealed record ConfigEnvironment(string Name, Func<string, string?> Variable)
{
    /// <summary>Whether stand-ins for missing keys are allowed.</summary>
    public bool IsDevelopment => string.Equals(Name, "Development", StringComparison.OrdinalIgnoreCase);

    /// <summary>This process's environment variables.</summary>
    public static ConfigEnvironment Process(string name) => new(name, Environment.GetEnvironmentVariable);
}
