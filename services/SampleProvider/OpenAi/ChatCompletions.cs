using Gateway.SampleProvider.Answers;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.OpenAi;

/// <summary><c>POST /v1/chat/completions</c>.</summary>
internal sealed class ChatCompletions() : Surface("/v1/chat/completions", OpenAiDialect.Instance)
{
    private const int ChoicesMax = 128;

    public override PreparedReply Prepare(ReadOnlySpan<byte> body, Script script)
    {
        var ask = ChatAskReader.Read(body, script);
        var fault = ask.Fault
            ?? (ask.Model.Length == 0 ? new Fault(400, "you must provide a model parameter") : null)
            ?? (ask.HasMessages ? null : new Fault(400, "Missing required parameter: 'messages'.", "messages", "missing_required_parameter"))
            ?? (ask.MessageCount > 0 ? null : new Fault(400,
                "Invalid 'messages': empty array. Expected an array with minimum length 1, but got an empty array instead.", "messages",
                "empty_array"))
            ?? (ask.Choices <= ChoicesMax ? null : new Fault(400,
                $"Invalid 'n': integer above maximum value. Expected a value <= {ChoicesMax}, but got {ask.Choices} instead.", "n",
                "integer_above_max_value"));
        if (fault is not null)
        {
            return Dialect.Refuse(fault, ask.Model, Script.None);
        }

        var answers = Answers.Answers.For(ask);
        var usage = Usage.Reported(ask.ContentTokens + ask.TemplateTokens, answers.Sum(answer => answer.OutputTokens), ask.Script);
        return (ask.Stream ? Events(ask, answers, usage) : Completion(ask, answers, usage)) with { Files = ask.Files };
    }

    private static PreparedReply Completion(ChatAsk ask, Answer[] answers, Usage? usage)
    {
        var writer = new FrameWriter();
        Opening(writer, ask.Model, "chat.completion").Raw(",\"choices\":["u8);
        for (var choice = 0; choice < answers.Length; choice++)
        {
            var answer = answers[choice];
            writer.Raw(choice == 0 ? "{\"index\":"u8 : ",{\"index\":"u8).Number(choice).Raw(",\"message\":{\"role\":\"assistant\",\"content\":"u8);
            if (answer.Calls.Length == 0)
            {
                writer.Text(answer.Text);
            }
            else
            {
                writer.Raw("null,\"tool_calls\":["u8);
                foreach (var call in answer.Calls)
                {
                    writer.Raw(call.Index == 0 ? "{"u8 : ",{"u8);
                    CallHead(writer, call).Text(call.Arguments).Raw("}}"u8);
                }

                writer.Raw("]"u8);
            }

            writer.Raw(",\"refusal\":null,\"annotations\":[]},\"logprobs\":null,\"finish_reason\":"u8)
                .Text(OpenAiWire.FinishReason(answer.End)).Raw("}"u8);
        }

        writer.Raw("]"u8);
        if (usage is { } counts)
        {
            writer.Raw(",\"usage\":"u8).Usage(counts);
        }

        return writer.Raw(",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_5a3c7b1e09\"}"u8).Json(ask.Model, ask.Script);
    }

    private static PreparedReply Events(ChatAsk ask, Answer[] answers, Usage? usage)
    {
        var writer = new FrameWriter();
        var stream = new ChunkWriter(writer, ask.Model, ask.TellsUsage && usage is not null);
        for (var choice = 0; choice < answers.Length; choice++)
        {
            stream.Begin(choice).Raw(answers[choice].Calls.Length == 0
                ? "{\"role\":\"assistant\",\"content\":\"\",\"refusal\":null}"u8
                : "{\"role\":\"assistant\",\"content\":null,\"refusal\":null}"u8);
            stream.End(null);
        }

        // Several choices come interleaved, as they do from the real one.
        var longest = answers.Max(answer => answer.Pieces.Length);
        for (var piece = 0; piece < longest; piece++)
        {
            for (var choice = 0; choice < answers.Length; choice++)
            {
                if (piece < answers[choice].Pieces.Length)
                {
                    stream.Begin(choice).Raw("{\"content\":"u8).Text(answers[choice].Pieces[piece]).Raw("}"u8);
                    stream.End(null, isContent: true);
                }
            }
        }

        for (var choice = 0; choice < answers.Length; choice++)
        {
            foreach (var call in answers[choice].Calls)
            {
                stream.Begin(choice).Raw("{\"tool_calls\":[{\"index\":"u8).Number(call.Index).Raw(","u8);
                CallHead(writer, call).Raw("\"\"}}]}"u8);
                stream.End(null);
                foreach (var piece in call.Pieces)
                {
                    stream.Begin(choice).Raw("{\"tool_calls\":[{\"index\":"u8).Number(call.Index).Raw(",\"function\":{\"arguments\":"u8).Text(piece)
                        .Raw("}}]}"u8);
                    stream.End(null, isContent: true);
                }
            }
        }

        for (var choice = 0; choice < answers.Length; choice++)
        {
            stream.Begin(choice).Raw("{}"u8);
            stream.End(OpenAiWire.FinishReason(answers[choice].End));
        }

        if (ask.TellsUsage && usage is { } counts)
        {
            for (var times = ask.Script.Usage == UsageReport.Twice ? 2 : 1; times > 0; times--)
            {
                stream.Usage(counts);
            }
        }

        return writer.Raw(OpenAiWire.Done).EndFrame().Events(ask.Model, ask.Script) with { ErrorFrame = OpenAiDialect.ErrorFrame };
    }

    private static FrameWriter Opening(FrameWriter writer, string model, string kind) => writer
        .Raw("{\"id\":\"chatcmpl-CsAmPlE7qWx2Z"u8).Id()
        .Raw("\",\"object\":"u8).Text(kind)
        .Raw(",\"created\":"u8).UnixSeconds()
        .Raw(",\"model\":"u8).Text(model);

    private static FrameWriter CallHead(FrameWriter writer, ToolCall call) => writer
        .Raw("\"id\":\"call_sAmPlE0"u8).Number(call.Index).Id()
        .Raw("\",\"type\":\"function\",\"function\":{\"name\":"u8).Text(call.Name)
        .Raw(",\"arguments\":"u8);

    private sealed class ChunkWriter(FrameWriter writer, string model, bool includeUsage)
    {
        public FrameWriter Begin(int choice) => Head().Raw(",\"choices\":[{\"index\":"u8).Number(choice).Raw(",\"delta\":"u8);

        public void End(string? finishReason, bool isContent = false)
        {
            writer.Raw(",\"logprobs\":null,\"finish_reason\":"u8);
            _ = finishReason is null ? writer.Raw("null"u8) : writer.Text(finishReason);
            writer.Raw(includeUsage ? "}],\"usage\":null}\n\n"u8 : "}]}\n\n"u8).EndFrame(isContent);
        }

        public void Usage(Usage usage) => Head().Raw(",\"choices\":[],\"usage\":"u8).Usage(usage).Raw("}\n\n"u8).EndFrame();

        private FrameWriter Head() => Opening(writer.Raw("data: "u8), model, "chat.completion.chunk")
            .Raw(",\"service_tier\":\"default\",\"system_fingerprint\":\"fp_5a3c7b1e09\""u8);
    }
}
