using System.Text.Json;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.Asking;

/// <summary>What the sample needs to know of a chat request, whoever's protocol it came in.</summary>
internal sealed class ChatAsk
{
    public string Model { get; set; } = "";

    public Script Script { get; set; } = Script.None;

    public bool Stream { get; set; }

    public bool IncludeUsage { get; set; }

    /// <summary>Whether a stream ends with its usage: when it was asked for, and unasked as Mistral has it.</summary>
    public bool TellsUsage => IncludeUsage || Model.StartsWith("mistral", StringComparison.Ordinal);

    public int Choices { get; set; } = 1;

    public int? TokensMax { get; set; }

    public List<ToolSpec> Tools { get; } = [];

    public ToolWish ToolWish { get; set; }

    public string? NamedTool { get; set; }

    public bool ParallelTools { get; set; } = true;

    public bool HasMessages { get; set; }

    public int MessageCount { get; set; }

    /// <summary>The text of the last message of the user: what the answer depends on.</summary>
    public string LastUserText { get; set; } = "";

    /// <summary>The conversation ends with a tool's result: it is time for words, not for another call.</summary>
    public bool EndsWithToolResult { get; set; }

    /// <summary>The answer must be a JSON document.</summary>
    public bool WantsJson { get; set; }

    public JsonElement? Schema { get; set; }

    /// <summary>Tokens of the text in the messages, the system prompt and the tools, without what a chat template adds.</summary>
    public int ContentTokens { get; set; }

    /// <summary>Tokens that the chat template adds: 3 for a message, 1 for its role, 1 for a name, 3 that open the answer.</summary>
    public int TemplateTokens => HasMessages ? (4 * MessageCount) + NameCount + 3 : 0;

    public int NameCount { get; set; }

    /// <summary>The files of OpenAI's that it names: <c>file_id</c> and <c>file_ids</c> of content and of tools.</summary>
    public List<string> Files { get; } = [];

    /// <summary>The first thing wrong with the request.</summary>
    public Fault? Fault { get; set; }
}

internal sealed record ToolSpec(string Name, JsonElement Schema);

internal enum ToolWish
{
    Auto,
    None,
    Required,
}

/// <summary>A refusal in no protocol's words yet. <paramref name="Code"/> is OpenAI's.</summary>
internal sealed record Fault(int Status, string Message, string? Param = null, string? Code = null);
