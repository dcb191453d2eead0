using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Responses;

/// <summary>A response as it grows: its items, why it ended, and what of the request it repeats.</summary>
internal sealed class ResponseDraft(RequestExchange exchange) : IDisposable
{
    private readonly JsonDocument request = RequestHead.Parse(exchange.Body.Memory);
    private ResponseToolNames? names;

    /// <summary>The output until now.</summary>
    public List<ResponseItem> Items { get; } = [];

    public string? FinishReason { get; set; }

    public string Id { get; } = $"resp_{exchange.Id:N}";

    private string? IncompleteReason => FinishReason switch
    {
        "length" => "max_output_tokens",
        "content_filter" => "content_filter",
        _ => null,
    };

    /// <summary>What the whole answer's status is.</summary>
    public string Status => IncompleteReason is null ? "completed" : "incomplete";

    /// <summary>Adds an item at the end of the output.</summary>
    public ResponseItem Add(ResponseItemKind kind, string callId = "", string name = "", string? space = null)
    {
        var item = new ResponseItem(kind, Items.Count, exchange.Id) { CallId = callId, Name = name, Namespace = space };
        Items.Add(item);
        return item;
    }

    /// <summary>Adds a call of a tool: a custom one has another item, and one of a namespace its own name again.</summary>
    public ResponseItem AddCall(string callId, string name)
    {
        names ??= new ResponseToolNames(ResponseTool.Groups(request.RootElement));
        var tool = names.ToolOf(name);
        return Add(tool.IsCustom ? ResponseItemKind.CustomCall : ResponseItemKind.Call, callId, tool.Name ?? name, tool.Namespace);
    }

    /// <summary>Takes a whole answer of the hub's.</summary>
    public void TakeWhole(JsonElement completion)
    {
        var choice = completion.Field("choices"u8).Items().FirstOrDefault();
        var message = choice.Field("message"u8);
        FinishReason = choice.Field("finish_reason"u8).Text();
        var thinking = message.Field("thinking_blocks"u8);
        var signature = TextSignature.In(message);
        if (ChatRequest.ThoughtsOf(message).Text() is { Length: > 0 } || thinking.Items().Any() || signature is not null)
        {
            var reasoning = Add(ResponseItemKind.Reasoning);
            reasoning.Signature = signature is null ? null : TextSignature.Mark(signature);
            reasoning.Text.Append(ChatRequest.ThoughtsOf(message).Text());
            foreach (var block in thinking.Items())
            {
                reasoning.Seal.Add(block);
            }
        }

        var text = message.Field("content"u8).Text() ?? "";
        var refusal = message.Field("refusal"u8).Text() ?? "";
        var calls = new StreamedCalls($"call_{exchange.Id:N}");
        calls.TakeWhole(message.Field("tool_calls"u8));
        if (text.Length > 0 || refusal.Length > 0 || calls.All.Count == 0)
        {
            var said = Add(ResponseItemKind.Message);
            if (text.Length > 0 || refusal.Length == 0)
            {
                said.Parts.Add((false, new StringBuilder(text)));
                said.Citations.AddRange(PageCitation.In(message, exchange.Losses));
            }

            if (refusal.Length > 0)
            {
                said.Parts.Add((true, new StringBuilder(refusal)));
            }
        }

        foreach (var call in calls.All)
        {
            AddCall(call.Id, call.Name).Text.Append(call.Arguments);
        }
    }

    /// <summary>Writes the response; without usage it is under way.</summary>
    public void Write(Utf8JsonWriter json, TokenUsage? usage, Money? cost = null)
    {
        var status = usage is null ? "in_progress" : Status;
        json.WriteStartObject();
        json.WriteString("id"u8, Id);
        json.WriteString("object"u8, "response"u8);
        // What OpenAI says of programs that its own models are reached by: every response has it.
        json.WriteNull("access_programs"u8);
        json.WriteNumber("created_at"u8, exchange.StartedAt.ToUnixTimeSeconds());
        json.WriteString("status"u8, status);
        json.WriteBoolean("background"u8, false);
        json.WriteNull("error"u8);
        if (usage is not null && IncompleteReason is { } reason)
        {
            json.WriteStartObject("incomplete_details"u8);
            json.WriteString("reason"u8, reason);
            json.WriteEndObject();
        }
        else
        {
            json.WriteNull("incomplete_details"u8);
        }

        json.WriteString("model"u8, exchange.Head.ModelName);
        json.WriteStartArray("output"u8);
        foreach (var item in usage is null ? [] : Items)
        {
            item.Write(json, item == Items[^1] ? status : "completed");
        }

        json.WriteEndArray();
        WriteRequested(json);
        if (usage is not null)
        {
            json.WritePropertyName("usage"u8);
            WriteUsage(json, usage, cost);
        }

        json.WriteEndObject();
    }

    public void Dispose() => request.Dispose();

    /// <summary>What the request asked for, as OpenAI repeats it.</summary>
    private void WriteRequested(Utf8JsonWriter json)
    {
        var asked = request.RootElement;
        Repeat("instructions", "null");
        Repeat("max_output_tokens", "null");
        Repeat("metadata", "{}");
        Repeat("parallel_tool_calls", "true");
        json.WriteNull("previous_response_id"u8);
        Repeat("reasoning", """{"effort":null,"summary":null}""");
        // Nothing is kept here: only a provider that has responses of its own stores them.
        json.WriteBoolean("store"u8, false);
        Repeat("temperature", "1.0");
        Repeat("text", """{"format":{"type":"text"}}""");
        Repeat("tool_choice", "\"auto\"");
        ResponsesTools.WriteRequested(json, asked.Field("tools"u8));
        Repeat("top_p", "1.0");
        Repeat("truncation", "\"disabled\"");
        if (asked.Field("user"u8).Given())
        {
            json.WriteCopy("user"u8, asked.Field("user"u8));
        }

        void Repeat(string name, string otherwise)
        {
            json.WritePropertyName(name);
            json.WriteRawValue(asked.TryGetProperty(name, out var value) && value.Given() ? value.Raw() : Encoding.UTF8.GetBytes(otherwise), skipInputValidation: true);
        }
    }

    private static void WriteUsage(Utf8JsonWriter json, TokenUsage usage, Money? cost)
    {
        json.WriteStartObject();
        json.WriteNumber("input_tokens"u8, usage.PromptTokens);
        json.WriteStartObject("input_tokens_details"u8);
        json.WriteNumber("cached_tokens"u8, usage.CachedInput);
        json.WriteNumber("cache_write_tokens"u8, usage.CacheWrite5m + usage.CacheWrite1h);
        json.WriteEndObject();
        json.WriteNumber("output_tokens"u8, usage.CompletionTokens);
        json.WriteStartObject("output_tokens_details"u8);
        json.WriteNumber("reasoning_tokens"u8, usage.Reasoning);
        json.WriteEndObject();
        json.WriteNumber("total_tokens"u8, usage.PromptTokens + usage.CompletionTokens);
        if (cost is { } amount)
        {
            json.WriteNumber("cost"u8, amount.ToDollars());
        }

        json.WriteEndObject();
    }
}
