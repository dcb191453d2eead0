using System.Text.RegularExpressions;

namespace Gateway.Pricing;

/// <summary>Names under which a model's price may stand.</summary>
internal static partial class ModelNames
{
    /// <summary>
    /// A name without its date, and the date in a form that sorts: <c>gpt-4o-2024-11-20</c>, <c>claude-sonnet-4-5-20250929</c>,
    /// <c>claude-sonnet-4-5@20250929</c> (Vertex), <c>command-a-03-2025</c>, <c>gpt-4-0613</c>; <c>-latest</c> counts as the newest.
    /// </summary>
    public static (string Stem, string? Date) SplitDate(string model)
    {
        if (model.EndsWith("-latest", StringComparison.OrdinalIgnoreCase))
        {
            // A letter sorts behind every digit.
            return (model[..^"-latest".Length], "latest");
        }

        var match = DateAtEnd().Match(model);
        if (!match.Success)
        {
            return (model, null);
        }

        var date = match.Groups["y"].Success
            ? match.Groups["y"].Value + match.Groups["m"].Value + match.Groups["d"].Value
            : match.Groups["md"].Value;
        return (model[..match.Index], date);
    }

    /// <summary>Where to look, in order: the provider's own list, then the list of whoever made the model.</summary>
    public static IEnumerable<(string Provider, string Model)> Candidates(string provider, string model)
    {
        yield return (provider, model);
        switch (provider)
        {
            case "azure" or "azure_text":
                yield return ("openai", model);

                // Azure's deployments may not have a dot in their name.
                yield return ("openai", model.Replace("gpt-35", "gpt-3.5", StringComparison.Ordinal));
                break;
            case "text-completion-openai":
                yield return ("openai", model);
                break;
            case "vertex_ai":
                yield return (model.StartsWith("claude", StringComparison.Ordinal) ? "anthropic" : "gemini", model);
                break;
            case "bedrock":
                var plain = BedrockPrefix().Replace(model, "");
                yield return ("bedrock", plain);
                if (plain.StartsWith("anthropic.", StringComparison.Ordinal))
                {
                    yield return ("anthropic", BedrockVersion().Replace(plain["anthropic.".Length..], ""));
                }

                break;
            case "openrouter" when model.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash:
                // OpenRouter passes the makers' prices on, and writes claude-sonnet-4.5 for claude-sonnet-4-5.
                var maker = model[..slash];
                var name = model[(slash + 1)..];
                yield return (OpenRouterMakers.GetValueOrDefault(maker, maker), maker == "anthropic" ? name.Replace('.', '-') : name);
                break;
        }
    }

    private static readonly Dictionary<string, string> OpenRouterMakers = new()
    {
        ["google"] = "gemini",
        ["mistralai"] = "mistral",
        ["x-ai"] = "xai",
        ["moonshotai"] = "moonshot",
        ["z-ai"] = "zai",
    };

    // Generated code, which needs no time at the start; none of the three has anything to try twice.
    [GeneratedRegex(
        @"[-@](?:(?<y>20\d\d)-(?<m>\d\d)-(?<d>\d\d)|(?<y>20\d\d)(?<m>[01]\d)(?<d>[0-3]\d)|(?<m>[01]\d)-(?<y>20\d\d)|(?<md>[01]\d[0-3]\d))$",
        RegexOptions.CultureInvariant)]
    private static partial Regex DateAtEnd();

    [GeneratedRegex(@"^(?:converse/|invoke/)?(?:(?:us|eu|apac|jp|au|ca|global|us-gov)\.)?", RegexOptions.CultureInvariant)]
    private static partial Regex BedrockPrefix();

    [GeneratedRegex(@"-v\d+(?::\d+)?$", RegexOptions.CultureInvariant)]
    private static partial Regex BedrockVersion();
}
