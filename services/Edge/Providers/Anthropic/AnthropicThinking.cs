using System.Text.Json;

namespace Gateway.Edge.Providers.Anthropic;

/// <summary>
/// Whether and how a Claude model is to think, told once for every way to it: the caller's own <c>thinking</c>, or what its
/// <c>reasoning_effort</c> means for that model; and the bound on the output that this needs.
/// </summary>
internal sealed class AnthropicThinking
{
    /// <summary>The fewest tokens to think that Anthropic takes.</summary>
    private const int TokensMin = 1024;

    // A bound must be told. Where neither the caller nor the catalogue has one, the answer gets what every Claude model can give.
    private const int AnswerTokens = 4096;

    private readonly JsonElement given;
    private readonly AnthropicModel model;
    private readonly int budget;
    private readonly string? quiet;

    /// <summary>Reads the request.</summary>
    /// <param name="request">The request in OpenAI's words.</param>
    /// <param name="model">What the model takes.</param>
    /// <param name="outputMax">The model's largest output; null when unknown.</param>
    /// <param name="forcesTool">Whether a tool is to be forced, which a model that thinks refuses.</param>
    /// <param name="dropped">Takes an effort that cannot be said.</param>
    public AnthropicThinking(JsonElement request, AnthropicModel model, int? outputMax, bool forcesTool, DroppedFields dropped)
    {
        this.model = model;
        given = request.Field("thinking"u8);
        var said = request.Field("reasoning_effort"u8).Text();
        var effort = said == "none" ? null : said;
        var stated = ChatRequest.MaxTokens(request) ?? outputMax;
        if (given.ValueKind == JsonValueKind.Object)
        {
            IsOn = !given.Field("type"u8).Is("disabled"u8);
            MaxTokens = stated ?? AnswerTokens + Math.Clamp(given.Field("budget_tokens"u8).Int() ?? 0, 0, 1 << 20);
            if (model.ThinksAdaptively)
            {
                Effort = Word(effort, model);
            }
            else if (effort is not null)
            {
                // It has one number of tokens, and the caller said it.
                dropped.Add("reasoning_effort");
            }

            return;
        }

        MaxTokens = stated ?? AnswerTokens;
        if (said == "none" && model.ThinksUnasked)
        {
            // One that always thinks is told to do little of it.
            quiet = model.QuietWord;
            Effort = quiet is null ? "low" : null;
        }

        if (effort is null)
        {
            return;
        }

        if (model.ThinksAdaptively)
        {
            // Without thinking the effort still says how much to write.
            Effort = Word(effort, model);
            IsOn = !forcesTool || model.RefusesForce;
            return;
        }

        // At least half of a bound is for the answer. The thinking of the turn that called a tool must be there, too.
        budget = Math.Min(Tokens(effort), stated / 2 ?? int.MaxValue);
        if (!model.Thinks || budget < TokensMin || forcesTool || ThinkingBlocks.LastToolCallLacks(request.Field("messages"u8)))
        {
            dropped.Add("reasoning_effort");
            return;
        }

        IsOn = true;
        MaxTokens = stated ?? budget + AnswerTokens;
    }

    /// <summary>Whether the model thinks: then it takes no other temperature than 1 and no forced tool.</summary>
    public bool IsOn { get; }

    /// <summary>Whether it may be made to call a tool.</summary>
    public bool MayForce => !IsOn && !model.RefusesForce;

    /// <summary>The bound on the output: the caller's, else the model's, else one that leaves an answer beside the thinking.</summary>
    public int MaxTokens { get; }

    /// <summary>What stands in <c>output_config.effort</c>; null when nothing is to be said.</summary>
    public string? Effort { get; }

    /// <summary>Whether there is a member <c>thinking</c> to write.</summary>
    public bool IsSaid => IsOn || quiet is not null || given.ValueKind == JsonValueKind.Object;

    /// <summary>Writes the member <c>thinking</c>, when it is to be said.</summary>
    public void Write(Utf8JsonWriter writer)
    {
        if (given.ValueKind == JsonValueKind.Object)
        {
            writer.WriteCopy("thinking"u8, given);
        }
        else if (IsSaid)
        {
            writer.WriteStartObject("thinking"u8);
            writer.WriteString("type"u8, quiet ?? (Effort is null ? "enabled" : "adaptive"));
            if (IsOn && Effort is null)
            {
                writer.WriteNumber("budget_tokens"u8, budget);
            }
            else if (IsOn && model.HidesThoughts)
            {
                writer.WriteString("display"u8, "summarized"u8);
            }

            writer.WriteEndObject();
        }
    }

    private static int Tokens(string effort) => effort switch
    {
        "minimal" or "low" => TokensMin,
        "medium" => 2 * TokensMin,
        "high" => 4 * TokensMin,
        _ => 16 * TokensMin,
    };

    private static string? Word(string? effort, AnthropicModel model) => effort switch
    {
        null => null,
        "minimal" or "low" => "low",
        "xhigh" => model.RefusesSampling ? "xhigh" : "max",
        "medium" or "high" or "max" => effort,
        _ => "high",
    };
}
