using System.Text.RegularExpressions;

namespace Gateway.Edge.Providers.OpenAi;

/// <summary>What a model of OpenAI's can do, told by its name.</summary>
internal static partial class OpenAiModel
{
    /// <summary>Reasons: takes <c>reasoning_effort</c>, and a bound on its output only as <c>max_completion_tokens</c>.</summary>
    public static bool Reasons(string name) => ReasoningName().IsMatch(name);

    /// <summary>Goes on with a text, and does not chat.</summary>
    public static bool Completes(string name) => CompletionName().IsMatch(name);

    [GeneratedRegex("^(ft:)?(gpt-3.5-turbo-instruct|babbage-002|davinci-002)", RegexOptions.CultureInvariant)]
    private static partial Regex CompletionName();

    /// <summary>Whether the name is one of OpenAI's own.</summary>
    public static bool IsOpenAis(string name) => OwnName().IsMatch(name);

    [GeneratedRegex(@"(^|/)(gpt-\d|chatgpt-|o[1-9](-|$)|codex-)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex OwnName();

    /// <summary>Whether its tokens are those of OpenAI's o200k vocabulary. Models before GPT-4o, and those of embeddings, have another.</summary>
    public static bool ReadsO200k(string name) => O200kName().IsMatch(name);

    [GeneratedRegex(@"^(ft:)?(gpt-4o|gpt-4\.[1-9]|gpt-[5-9]|chatgpt-4o|o[1-9](-|$)|codex-)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex O200kName();

    [GeneratedRegex(@"(^|/)(o[1-9](-|$)|gpt-5(?!-chat)|gpt-[6-9]|gpt-oss|codex-)", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex ReasoningName();
}
