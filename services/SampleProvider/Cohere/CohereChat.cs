using Gateway.SampleProvider.Answers;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.Cohere;

/// <summary><c>POST /v2/chat</c>.</summary>
internal sealed class CohereChat() : Surface("/v2/chat", CohereDialect.Instance)
{
    private const string ToolPlan = "I will use the tool to find an answer.";

    public override PreparedReply Prepare(ReadOnlySpan<byte> body, Script script)
    {
        var ask = ChatAskReader.Read(body, script);
        var fault = ask.Fault
            ?? (ask.Model.Length == 0 ? new Fault(400, "invalid request: model is required") : null)
            ?? (ask.MessageCount > 0 ? null : new Fault(400, "invalid request: messages must have at least one message"));
        if (fault is not null)
        {
            return Dialect.Refuse(fault, ask.Model, Script.None);
        }

        var answer = Answers.Answers.For(ask)[0];
        if (answer.Calls.Length > 0)
        {
            answer = answer with { OutputTokens = answer.OutputTokens + Tokens.Count(ToolPlan) };
        }

        var usage = Usage.Reported(ask.ContentTokens, answer.OutputTokens, ask.Script);
        return ask.Stream ? Events(ask, answer, usage) : Message(ask, answer, usage);
    }

    private static PreparedReply Message(ChatAsk ask, Answer answer, Usage? usage)
    {
        var writer = new FrameWriter().Raw("{\"id\":\""u8).Uuid().Raw("\",\"finish_reason\":"u8).Text(FinishReason(answer.End))
            .Raw(",\"message\":{\"role\":\"assistant\""u8);
        if (answer.Calls.Length == 0)
        {
            writer.Raw(",\"content\":[{\"type\":\"text\",\"text\":"u8).Text(answer.Text).Raw("}]}"u8);
        }
        else
        {
            writer.Raw(",\"tool_plan\":"u8).Text(ToolPlan).Raw(",\"tool_calls\":["u8);
            foreach (var call in answer.Calls)
            {
                CallHead(writer.Raw(call.Index == 0 ? ""u8 : ","u8), call).Text(call.Arguments).Raw("}}"u8);
            }

            writer.Raw("]}"u8);
        }

        return Usages(writer, usage, ask.TemplateTokens).Raw("}"u8).Json(ask.Model, ask.Script);
    }

    private static PreparedReply Events(ChatAsk ask, Answer answer, Usage? usage)
    {
        var writer = new FrameWriter();
        writer.Raw("event: message-start\ndata: {\"id\":\""u8).Uuid()
            .Raw("\",\"type\":\"message-start\",\"delta\":{\"message\":{\"role\":\"assistant\",\"content\":[],\"tool_plan\":\"\",\"tool_calls\":[],\"citations\":[]}}}\n\n"u8)
            .EndFrame();
        if (answer.Calls.Length == 0)
        {
            writer.Raw("event: content-start\ndata: {\"type\":\"content-start\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"type\":\"text\",\"text\":\"\"}}}}\n\n"u8)
                .EndFrame();
            foreach (var piece in answer.Pieces)
            {
                writer.Raw("event: content-delta\ndata: {\"type\":\"content-delta\",\"index\":0,\"delta\":{\"message\":{\"content\":{\"text\":"u8)
                    .Text(piece).Raw("}}}}\n\n"u8).EndFrame(true);
            }

            writer.Raw("event: content-end\ndata: {\"type\":\"content-end\",\"index\":0}\n\n"u8).EndFrame();
        }
        else
        {
            writer.Raw("event: tool-plan-delta\ndata: {\"type\":\"tool-plan-delta\",\"delta\":{\"message\":{\"tool_plan\":"u8).Text(ToolPlan)
                .Raw("}}}\n\n"u8).EndFrame();
        }

        foreach (var call in answer.Calls)
        {
            writer.Raw("event: tool-call-start\ndata: {\"type\":\"tool-call-start\",\"index\":"u8).Number(call.Index)
                .Raw(",\"delta\":{\"message\":{\"tool_calls\":"u8);
            CallHead(writer, call).Raw("\"\"}}}}}\n\n"u8).EndFrame();
            foreach (var piece in call.Pieces)
            {
                writer.Raw("event: tool-call-delta\ndata: {\"type\":\"tool-call-delta\",\"index\":"u8).Number(call.Index)
                    .Raw(",\"delta\":{\"message\":{\"tool_calls\":{\"function\":{\"arguments\":"u8).Text(piece).Raw("}}}}}\n\n"u8).EndFrame(true);
            }

            writer.Raw("event: tool-call-end\ndata: {\"type\":\"tool-call-end\",\"index\":"u8).Number(call.Index).Raw("}\n\n"u8).EndFrame();
        }

        for (var times = ask.Script.Usage == UsageReport.Twice ? 2 : 1; times > 0; times--)
        {
            writer.Raw("event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"finish_reason\":"u8).Text(FinishReason(answer.End));
            Usages(writer, usage, ask.TemplateTokens).Raw("}}\n\n"u8).EndFrame();
        }

        return writer.Raw("data: [DONE]\n\n"u8).EndFrame().Events(ask.Model, ask.Script) with { ErrorFrame = CohereDialect.ErrorFrame };
    }

    /// <summary>Billed is the text; the other count holds the chat template too.</summary>
    private static FrameWriter Usages(FrameWriter writer, Usage? usage, int templateTokens) => usage is not { } counts ? writer : writer
        .Raw(",\"usage\":{\"billed_units\":{\"input_tokens\":"u8).Number(counts.Input)
        .Raw(",\"output_tokens\":"u8).Number(counts.Output)
        .Raw("},\"tokens\":{\"input_tokens\":"u8).Number(counts.Input == 0 ? 0 : counts.Input + templateTokens)
        .Raw(",\"output_tokens\":"u8).Number(counts.Output)
        .Raw("},\"cached_tokens\":"u8).Number(counts.CacheRead).Raw("}"u8);

    private static FrameWriter CallHead(FrameWriter writer, ToolCall call) => writer
        .Raw("{\"id\":\"call_"u8).Number(call.Index).Raw("_"u8).Id()
        .Raw("\",\"type\":\"function\",\"function\":{\"name\":"u8).Text(call.Name).Raw(",\"arguments\":"u8);

    private static string FinishReason(AnswerEnd end) => end switch
    {
        AnswerEnd.Length => "MAX_TOKENS",
        AnswerEnd.ToolCall => "TOOL_CALL",
        _ => "COMPLETE",
    };
}
