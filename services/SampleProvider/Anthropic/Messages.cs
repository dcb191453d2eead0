using Gateway.SampleProvider.Answers;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.Anthropic;

/// <summary><c>POST /v1/messages</c>.</summary>
internal sealed class Messages() : Surface("/v1/messages", AnthropicDialect.Instance)
{
    public override PreparedReply Prepare(ReadOnlySpan<byte> body, Script script)
    {
        var ask = ChatAskReader.Read(body, script);
        var fault = Refusal(ask) ?? (ask.TokensMax is null ? new Fault(400, "max_tokens: Field required") : null);
        if (fault is not null)
        {
            return Dialect.Refuse(fault, ask.Model, Script.None);
        }

        var answer = Answers.Answers.For(ask)[0];
        var usage = Usage.Reported(ask.ContentTokens + ask.TemplateTokens, answer.OutputTokens, ask.Script);
        return ask.Stream ? Events(ask, answer, usage) : Message(ask, answer, usage);
    }

    /// <summary>What is wrong with the parts that counting tokens needs too.</summary>
    public static Fault? Refusal(ChatAsk ask) => ask.Fault
        ?? (ask.Model.Length == 0 ? new Fault(400, "model: Field required") : null)
        ?? (ask.HasMessages ? null : new Fault(400, "messages: Field required"))
        ?? (ask.MessageCount > 0 ? null : new Fault(400, "messages: at least one message is required"));

    private static PreparedReply Message(ChatAsk ask, Answer answer, Usage? usage)
    {
        var writer = Opening(new(), ask.Model);
        if (answer.Calls.Length == 0)
        {
            writer.Raw("{\"type\":\"text\",\"text\":"u8).Text(answer.Text).Raw("}"u8);
        }

        foreach (var call in answer.Calls)
        {
            // A call whose arguments were cut is no JSON; the real one leaves out what it could not finish.
            CallHead(writer.Raw(call.Index == 0 ? ""u8 : ","u8), call).Document(answer.End == AnswerEnd.Length ? "{}" : call.Arguments).Raw("}"u8);
        }

        writer.Raw("],\"stop_reason\":"u8).Text(StopReason(answer.End)).Raw(StopTail);
        return Usages(writer, usage, usage?.Output ?? 0).Raw("}"u8).Json(ask.Model, ask.Script);
    }

    private static PreparedReply Events(ChatAsk ask, Answer answer, Usage? usage)
    {
        var writer = Opening(new FrameWriter().Raw("event: message_start\ndata: {\"type\":\"message_start\",\"message\":"u8), ask.Model)
            .Raw("],\"stop_reason\":null"u8).Raw(StopTail);

        // What stands here for output is a first count and not the sum: the last event's number holds.
        Usages(writer, usage, Math.Min(1, usage?.Output ?? 0)).Raw("}}\n\n"u8).EndFrame();
        if (answer.Calls.Length == 0)
        {
            BlockStart(writer, 0).Raw("{\"type\":\"text\",\"text\":\"\"}}\n\n"u8).EndFrame();
            Ping(writer);
            foreach (var piece in answer.Pieces)
            {
                Delta(writer, 0).Raw("{\"type\":\"text_delta\",\"text\":"u8).Text(piece).Raw("}}\n\n"u8).EndFrame(true);
            }

            BlockStop(writer, 0);
        }

        foreach (var call in answer.Calls)
        {
            CallHead(BlockStart(writer, call.Index), call).Raw("{}}}\n\n"u8).EndFrame();
            if (call.Index == 0)
            {
                Ping(writer);
            }

            Delta(writer, call.Index).Raw("{\"type\":\"input_json_delta\",\"partial_json\":\"\"}}\n\n"u8).EndFrame();
            foreach (var piece in call.Pieces)
            {
                Delta(writer, call.Index).Raw("{\"type\":\"input_json_delta\",\"partial_json\":"u8).Text(piece).Raw("}}\n\n"u8).EndFrame(true);
            }

            BlockStop(writer, call.Index);
        }

        for (var times = ask.Script.Usage == UsageReport.Twice ? 2 : 1; times > 0; times--)
        {
            writer.Raw("event: message_delta\ndata: {\"type\":\"message_delta\",\"delta\":{\"stop_reason\":"u8).Text(StopReason(answer.End))
                .Raw(",\"stop_sequence\":null,\"stop_details\":null,\"container\":null}"u8);
            if (usage is { } counts)
            {
                writer.Raw(",\"usage\":{\"input_tokens\":"u8).Number(Fresh(counts))
                    .Raw(",\"cache_creation_input_tokens\":"u8).Number(counts.CacheWrite)
                    .Raw(",\"cache_read_input_tokens\":"u8).Number(counts.CacheRead)
                    .Raw(",\"output_tokens\":"u8).Number(counts.Output)
                    .Raw(",\"output_tokens_details\":{\"thinking_tokens\":"u8).Number(counts.Reasoning)
                    .Raw("},\"server_tool_use\":null}"u8);
            }

            writer.Raw("}\n\n"u8).EndFrame();
        }

        return writer.Raw("event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"u8).EndFrame().Events(ask.Model, ask.Script)
            with { ErrorFrame = AnthropicDialect.ErrorFrame };
    }

    private static ReadOnlySpan<byte> StopTail =>
        ",\"stop_sequence\":null,\"stop_details\":null,\"container\":null,\"diagnostics\":null"u8;

    private static FrameWriter Opening(FrameWriter writer, string model) => writer
        .Raw("{\"model\":"u8).Text(model)
        .Raw(",\"id\":\"msg_01SaMp"u8).Id()
        .Raw("\",\"type\":\"message\",\"role\":\"assistant\",\"content\":["u8);

    /// <summary>Input tokens that went neither from nor to a cache: what this provider calls input.</summary>
    private static int Fresh(Usage usage) => usage.Input - usage.CacheRead - usage.CacheWrite;

    private static FrameWriter Usages(FrameWriter writer, Usage? usage, int output) => usage is not { } counts ? writer : writer
        .Raw(",\"usage\":{\"input_tokens\":"u8).Number(Fresh(counts))
        .Raw(",\"cache_creation_input_tokens\":"u8).Number(counts.CacheWrite)
        .Raw(",\"cache_read_input_tokens\":"u8).Number(counts.CacheRead)
        .Raw(",\"cache_creation\":{\"ephemeral_5m_input_tokens\":"u8).Number(counts.CacheWrite)
        .Raw(",\"ephemeral_1h_input_tokens\":0},\"output_tokens\":"u8).Number(output)
        .Raw(",\"output_tokens_details\":{\"thinking_tokens\":"u8).Number(Math.Min(counts.Reasoning, output))
        .Raw("},\"server_tool_use\":null,\"service_tier\":\"standard\",\"inference_geo\":\"not_available\",\"speed\":\"standard\"}"u8);

    private static FrameWriter CallHead(FrameWriter writer, ToolCall call) => writer
        .Raw("{\"type\":\"tool_use\",\"id\":\"toolu_01SaM"u8).Number(call.Index).Id()
        .Raw("\",\"name\":"u8).Text(call.Name).Raw(",\"caller\":{\"type\":\"direct\"},\"input\":"u8);

    private static FrameWriter BlockStart(FrameWriter writer, int index) => writer
        .Raw("event: content_block_start\ndata: {\"type\":\"content_block_start\",\"index\":"u8).Number(index).Raw(",\"content_block\":"u8);

    private static FrameWriter Delta(FrameWriter writer, int index) => writer
        .Raw("event: content_block_delta\ndata: {\"type\":\"content_block_delta\",\"index\":"u8).Number(index).Raw(",\"delta\":"u8);

    private static void BlockStop(FrameWriter writer, int index) => writer
        .Raw("event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":"u8).Number(index).Raw("}\n\n"u8).EndFrame();

    private static void Ping(FrameWriter writer) => writer.Raw("event: ping\ndata: {\"type\":\"ping\"}\n\n"u8).EndFrame();

    private static string StopReason(AnswerEnd end) => end switch
    {
        AnswerEnd.Length => "max_tokens",
        AnswerEnd.ToolCall => "tool_use",
        _ => "end_turn",
    };
}

/// <summary><c>POST /v1/messages/count_tokens</c>.</summary>
internal sealed class CountTokens() : Surface("/v1/messages/count_tokens", AnthropicDialect.Instance)
{
    public override PreparedReply Prepare(ReadOnlySpan<byte> body, Script script)
    {
        var ask = ChatAskReader.Read(body, script);
        return Messages.Refusal(ask) is { } fault
            ? Dialect.Refuse(fault, ask.Model, Script.None)
            : new FrameWriter().Raw("{\"input_tokens\":"u8).Number(ask.ContentTokens + ask.TemplateTokens).Raw("}"u8).Json(ask.Model, ask.Script);
    }
}

/// <summary><c>GET /v1/models</c> for Anthropic's clients.</summary>
internal sealed class AnthropicModels() : Surface("/v1/models", AnthropicDialect.Instance)
{
    private static readonly (string Id, string Name)[] Listed =
        [("claude-opus-4-5", "Claude Opus 4.5"), ("claude-sonnet-4-5", "Claude Sonnet 4.5"), ("claude-haiku-4-5", "Claude Haiku 4.5")];

    public override PreparedReply Prepare(ReadOnlySpan<byte> body, Script script)
    {
        var writer = new FrameWriter().Raw("{\"data\":["u8);
        for (var i = 0; i < Listed.Length; i++)
        {
            writer.Raw(i == 0 ? "{\"type\":\"model\",\"id\":"u8 : ",{\"type\":\"model\",\"id\":"u8).Text(Listed[i].Id)
                .Raw(",\"display_name\":"u8).Text(Listed[i].Name)
                .Raw(",\"created_at\":\"2026-01-15T00:00:00Z\",\"capabilities\":null,\"lifecycle\":\"active\",\"line\":null"u8)
                .Raw(",\"deprecated_at\":null,\"retires_at\":null,\"max_input_tokens\":200000,\"max_tokens\":64000}"u8);
        }

        return writer.Raw("],\"has_more\":false,\"first_id\":"u8).Text(Listed[0].Id).Raw(",\"last_id\":"u8).Text(Listed[^1].Id).Raw("}"u8)
            .Json("", script);
    }
}
