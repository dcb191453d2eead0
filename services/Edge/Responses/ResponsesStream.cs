using System.Buffers;
using System.Text;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Responses;

/// <summary>
/// Makes the events of OpenAI's Responses of OpenAI's chunks: <c>response.created</c>, items that are added, grow and are done one after the
/// other, <c>response.completed</c> with the whole. Every event has the next sequence number.
/// </summary>
internal sealed class ResponsesStream(RequestExchange exchange) : ChatSurfaceStream(exchange.Losses)
{
    private readonly ResponseDraft response = new(exchange);
    private readonly StreamedCalls calls = new($"call_{exchange.Id:N}");
    private readonly List<ResponseItem> callItems = [];
    private ResponseItem? open;

    /// <summary>The text's signature until the next item begins, or the answer ends: what the text cites may come behind it, while its message is open.</summary>
    private string? signature;

    private long sequence;

    public override void End(TokenUsage usage, Money? cost, IBufferWriter<byte> output)
    {
        Start(output);
        Sign(output);
        if (response.Items.Count == 0)
        {
            // An answer of nothing is a message of nothing: clients look for one.
            Part(output, isRefusal: false);
        }

        Close(open, output, response.Status);
        foreach (var item in callItems)
        {
            Close(item, output, response.Status);
        }

        Event(output, $"response.{response.Status}", json => WriteResponse(json, usage, cost));
    }

    public override void Fail(GatewayError error, IBufferWriter<byte> output) => WriteError(error, sequence++, output);

    /// <summary>The error that ends a stream, as OpenAI describes the event, and in the envelope that its clients throw at.</summary>
    public static void WriteError(GatewayError error, long sequence, IBufferWriter<byte> output) => Write(output, "error", sequence, json =>
    {
        json.WriteString("code"u8, error.Code);
        json.WriteString("message"u8, error.Message);
        json.WriteString("param"u8, error.Param);
        using var envelope = JsonDocument.Parse(error.ToJson());
        json.WriteCopy("error"u8, envelope.RootElement.Field("error"u8));
    });

    public override void Dispose()
    {
        response.Dispose();
        base.Dispose();
    }

    protected override void Take(JsonElement chunk, IBufferWriter<byte> output)
    {
        Start(output);
        var choice = chunk.Field("choices"u8).Items().FirstOrDefault();
        var delta = choice.Field("delta"u8);
        foreach (var block in delta.Field("thinking_blocks"u8).Items())
        {
            Reasoning(output).Seal.Add(block);
        }

        if (ChatRequest.ThoughtsOf(delta).Text() is { Length: > 0 } thought)
        {
            GrowReasoning(thought, output);
        }

        if (delta.Field("content"u8).Text() is { Length: > 0 } text)
        {
            GrowPart(text, isRefusal: false, output);
        }

        if (delta.Field("refusal"u8).Text() is { Length: > 0 } refusal)
        {
            GrowPart(refusal, isRefusal: true, output);
        }

        if (delta.Field("annotations"u8).Items().Any())
        {
            Cite(delta, output);
        }

        signature = TextSignature.In(delta) ?? signature;

        foreach (var call in delta.Field("tool_calls"u8).Items())
        {
            TakeCall(call, output);
        }

        response.FinishReason = FinishReasonOf(choice) ?? response.FinishReason;
    }

    private void Start(IBufferWriter<byte> output)
    {
        if (sequence == 0)
        {
            Event(output, "response.created", json => WriteResponse(json, null));
            Event(output, "response.in_progress", json => WriteResponse(json, null));
        }
    }

    private void WriteResponse(Utf8JsonWriter json, TokenUsage? usage, Money? cost = null)
    {
        json.WritePropertyName("response"u8);
        response.Write(json, usage, cost);
    }

    private ResponseItem Reasoning(IBufferWriter<byte> output)
    {
        if (open is not { Kind: ResponseItemKind.Reasoning })
        {
            Close(open, output, "completed");
            open = Added(response.Add(ResponseItemKind.Reasoning), output);
        }

        return open;
    }

    private void Sign(IBufferWriter<byte> output)
    {
        if (signature is not null)
        {
            Reasoning(output).Signature = TextSignature.Mark(signature);
            signature = null;
        }
    }

    private void GrowReasoning(string thought, IBufferWriter<byte> output)
    {
        var item = Reasoning(output);
        if (item.Text.Length == 0)
        {
            InItem(output, item, "response.reasoning_summary_part.added", "summary_index", 0, json =>
            {
                json.WritePropertyName("part"u8);
                ResponseItem.WriteSummary(json, "");
            });
        }

        item.Text.Append(thought);
        InItem(output, item, "response.reasoning_summary_text.delta", "summary_index", 0, json => json.WriteString("delta"u8, thought));
    }

    /// <summary>The message's part that is open, of this kind.</summary>
    private ResponseItem Part(IBufferWriter<byte> output, bool isRefusal)
    {
        if (open is not { Kind: ResponseItemKind.Message })
        {
            Sign(output);
            Close(open, output, "completed");
            open = Added(response.Add(ResponseItemKind.Message), output);
        }

        if (open.Parts.Count == 0 || open.Parts[^1].IsRefusal != isRefusal)
        {
            ClosePart(open, output);
            open.Parts.Add((isRefusal, new StringBuilder()));
            InItem(output, open, "response.content_part.added", "content_index", open.Parts.Count - 1, json =>
            {
                json.WritePropertyName("part"u8);
                ResponseItem.WritePart(json, isRefusal, "", []);
            });
        }

        return open;
    }

    private void GrowPart(string text, bool isRefusal, IBufferWriter<byte> output)
    {
        var item = Part(output, isRefusal);
        item.Parts[^1].Text.Append(text);
        InItem(output, item, isRefusal ? "response.refusal.delta" : "response.output_text.delta", "content_index", item.Parts.Count - 1, json =>
        {
            json.WriteString("delta"u8, text);
            if (!isRefusal)
            {
                json.WriteStartArray("logprobs"u8);
                json.WriteEndArray();
            }
        });
    }

    private void Cite(JsonElement delta, IBufferWriter<byte> output)
    {
        if (open is not { Kind: ResponseItemKind.Message, Parts: [.., { IsRefusal: false }] } item)
        {
            exchange.Losses.Add("annotations");
            return;
        }

        var before = response.Items.Take(item.Index).SelectMany(static other => other.Parts).Sum(static part => part.Text.ToString().EnumerateRunes().Count());
        foreach (var citation in PageCitation.In(delta, exchange.Losses, before))
        {
            InItem(output, item, "response.output_text.annotation.added", "content_index", item.Parts.Count - 1, json =>
            {
                json.WriteNumber("annotation_index"u8, item.Citations.Count);
                json.WritePropertyName("annotation"u8);
                citation.Write(json);
            });
            item.Citations.Add(citation);
        }
    }

    private void TakeCall(JsonElement piece, IBufferWriter<byte> output)
    {
        var call = calls.Take(piece, out var begins, out var arguments);
        if (begins)
        {
            Sign(output);
            Close(open, output, "completed");
            open = null;
            // Pieces of calls may come mixed, and a call's head before its arguments: it is done when they have come, at the latest at the end.
            foreach (var other in calls.All.Take(call.Index).Where(static other => other.IsWhole))
            {
                Close(callItems[other.Index], output, "completed");
            }

            callItems.Add(Added(response.AddCall(call.Id, call.Name), output));
        }

        var item = callItems[call.Index];
        if (arguments.Length > 0 && !item.Closed)
        {
            item.Text.Append(arguments);
            if (item.Kind == ResponseItemKind.Call)
            {
                InItem(output, item, "response.function_call_arguments.delta", null, 0, json => json.WriteString("delta"u8, arguments));
            }
        }
    }

    private ResponseItem Added(ResponseItem item, IBufferWriter<byte> output)
    {
        Event(output, "response.output_item.added", json =>
        {
            json.WriteNumber("output_index"u8, item.Index);
            json.WritePropertyName("item"u8);
            item.Write(json, "in_progress");
        });
        return item;
    }

    private void Close(ResponseItem? item, IBufferWriter<byte> output, string status)
    {
        if (item is null || item.Closed)
        {
            return;
        }

        item.Closed = true;
        switch (item.Kind)
        {
            case ResponseItemKind.Reasoning when item.Text.Length > 0:
                InItem(output, item, "response.reasoning_summary_text.done", "summary_index", 0, json => json.WriteString("text"u8, item.Text.ToString()));
                InItem(output, item, "response.reasoning_summary_part.done", "summary_index", 0, json =>
                {
                    json.WritePropertyName("part"u8);
                    ResponseItem.WriteSummary(json, item.Text.ToString());
                });
                break;

            case ResponseItemKind.Message:
                ClosePart(item, output);
                break;

            case ResponseItemKind.Call:
                InItem(output, item, "response.function_call_arguments.done", null, 0, json =>
                {
                    json.WriteString("name"u8, item.Name);
                    json.WriteString("arguments"u8, item.Arguments);
                });
                break;

            case ResponseItemKind.CustomCall:
                InItem(output, item, "response.custom_tool_call_input.delta", null, 0, json => json.WriteString("delta"u8, item.Arguments));
                InItem(output, item, "response.custom_tool_call_input.done", null, 0, json => json.WriteString("input"u8, item.Arguments));
                break;
        }

        Event(output, "response.output_item.done", json =>
        {
            json.WriteNumber("output_index"u8, item.Index);
            json.WritePropertyName("item"u8);
            item.Write(json, item == response.Items[^1] ? status : "completed");
        });
    }

    private void ClosePart(ResponseItem item, IBufferWriter<byte> output)
    {
        if (item.Parts.Count == 0)
        {
            return;
        }

        var (isRefusal, grown) = item.Parts[^1];
        var text = grown.ToString();
        InItem(output, item, isRefusal ? "response.refusal.done" : "response.output_text.done", "content_index", item.Parts.Count - 1, json =>
        {
            json.WriteString(isRefusal ? "refusal"u8 : "text"u8, text);
            if (!isRefusal)
            {
                json.WriteStartArray("logprobs"u8);
                json.WriteEndArray();
            }
        });
        InItem(output, item, "response.content_part.done", "content_index", item.Parts.Count - 1, json =>
        {
            json.WritePropertyName("part"u8);
            ResponseItem.WritePart(json, isRefusal, text, item.Citations);
        });
    }

    private void InItem(IBufferWriter<byte> output, ResponseItem item, string name, string? placeName, int place, Action<Utf8JsonWriter> fields) => Event(output, name, json =>
    {
        json.WriteString("item_id"u8, item.Id);
        json.WriteNumber("output_index"u8, item.Index);
        if (placeName is not null)
        {
            json.WriteNumber(placeName, place);
        }

        fields(json);
    });

    private void Event(IBufferWriter<byte> output, string name, Action<Utf8JsonWriter> fields) => Write(output, name, sequence++, fields);

    private static void Write(IBufferWriter<byte> output, string name, long sequence, Action<Utf8JsonWriter> fields)
    {
        output.Write("event: "u8);
        output.Write(Encoding.UTF8.GetBytes(name));
        output.Write("\ndata: "u8);
        using (var json = new Utf8JsonWriter(output, Completion.Writing))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, name);
            json.WriteNumber("sequence_number"u8, sequence);
            fields(json);
            json.WriteEndObject();
        }

        output.Write("\n\n"u8);
    }
}
