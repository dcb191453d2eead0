using System.Text.RegularExpressions;

namespace Gateway.Edge.Providers.Ollama;

/// <summary>What a model of Ollama's can do, told by its name: the server would have to be asked for more.</summary>
internal static partial class OllamaModel
{
    /// <summary>Takes a level of thinking. All others that think take yes or no alone, and refuse a level.</summary>
    public static bool TakesLevel(string model) => model.Contains("gpt-oss", StringComparison.OrdinalIgnoreCase);

    /// <summary>Is known not to think: the server refuses to be told that it should.</summary>
    public static bool CannotThink(string model) => NotThinkingName().IsMatch(model);

    [GeneratedRegex(
        @"(^|/)(llama\d|codellama|tinyllama|vicuna|llava|gemma-?[123]|codegemma|mistral|mixtral|ministral|codestral|devstral|qwen-?[12]|qwen2\.5|qwen3-coder|phi-?[123]|phi4(-mini)?(:|$)|falcon|starcoder|command-r(?!.*reasoning)|aya|yi(:|$)|deepseek-(coder|llm|v2))",
        RegexOptions.IgnoreCase | RegexOptions.CultureInvariant)]
    private static partial Regex NotThinkingName();
}
