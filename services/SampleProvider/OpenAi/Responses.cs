using Gateway.SampleProvider.Answers;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.OpenAi;

/// <summary><c>POST /v1/responses</c>. Nothing is stored.</summary>
internal sealed class Responses() : Surface("/v1/responses", OpenAiDialect.Instance)
{
    private static readonly byte[] ErrorFrame = new FrameWriter()
        .Raw("event: error\ndata: {\"type\":\"error\",\"code\":\"server_error\",\"message\":\"The server had an error while processing your request. Sorry about that!\",\"param\":null}\n\n"u8)
        .Json("", Script.None).Bytes;

    public override PreparedReply Prepare(ReadOnlySpan<byte> body, Script script)
    {
        var ask = ChatAskReader.Read(body, script);
        var fault = ask.Fault
            ?? (ask.Model.Length == 0 ? new Fault(400, "Missing required parameter: 'model'.", "model", "missing_required_parameter") : null)
            ?? (ask.HasMessages ? null : new Fault(400, "Missing required parameter: 'input'.", "input", "missing_required_parameter"));
        if (fault is not null)
        {
            return Dialect.Refuse(fault, ask.Model, Script.None);
        }

        var answer = Answers.Answers.For(ask)[0];
        var usage = Usage.Reported(ask.ContentTokens + ask.TemplateTokens, answer.OutputTokens, ask.Script);
        if (ask.Stream)
        {
            return new Events(ask, answer, usage).Write() with { Files = ask.Files };
        }

        var writer = new FrameWriter();
        WriteResponse(writer, ask, answer, usage);
        return writer.Json(ask.Model, ask.Script) with { Files = ask.Files };
    }

    private static string StatusOf(Answer answer) => answer.End == AnswerEnd.Length ? "incomplete" : "completed";

    /// <summary>The response: under way without an answer, whole with one.</summary>
    private static void WriteResponse(FrameWriter writer, ChatAsk ask, Answer? answer, Usage? usage)
    {
        writer.Raw("{\"id\":\"resp_0sAmPlE"u8).Id().Raw("\",\"object\":\"response\",\"created_at\":"u8).UnixSeconds()
            .Raw(",\"status\":"u8).Text(answer is null ? "in_progress" : StatusOf(answer))
            .Raw(",\"background\":false,\"error\":null,\"incomplete_details\":"u8)
            .Raw(answer?.End == AnswerEnd.Length ? "{\"reason\":\"max_output_tokens\"}"u8 : "null"u8)
            .Raw(",\"instructions\":null,\"max_output_tokens\":null,\"model\":"u8).Text(ask.Model).Raw(",\"output\":["u8);
        for (var item = 0; answer is not null && item < Math.Max(1, answer.Calls.Length); item++)
        {
            WriteItem(writer.Raw(item == 0 ? ""u8 : ","u8), answer, item, StatusOf(answer));
        }

        writer.Raw("],\"parallel_tool_calls\":true,\"previous_response_id\":null,\"reasoning\":{\"effort\":null,\"summary\":null},\"service_tier\":\"default\",\"store\":false"u8)
            .Raw(",\"temperature\":1.0,\"text\":{\"format\":{\"type\":\"text\"},\"verbosity\":\"medium\"},\"tool_choice\":\"auto\",\"tools\":[],\"top_p\":1.0"u8)
            .Raw(",\"truncation\":\"disabled\",\"usage\":"u8);
        if (usage is { } counts && answer is not null)
        {
            writer.Raw("{\"input_tokens\":"u8).Number(counts.Input).Raw(",\"input_tokens_details\":{\"cached_tokens\":"u8).Number(counts.CacheRead)
                .Raw("},\"output_tokens\":"u8).Number(counts.Output).Raw(",\"output_tokens_details\":{\"reasoning_tokens\":"u8).Number(counts.Reasoning)
                .Raw("},\"total_tokens\":"u8).Number(counts.Total).Raw("}"u8);
        }
        else
        {
            writer.Raw("null"u8);
        }

        writer.Raw(",\"user\":null,\"metadata\":{}}"u8);
    }

    private static FrameWriter ItemId(FrameWriter writer, Answer answer, int item) =>
        writer.Raw(answer.Calls.Length == 0 ? "\"msg_0sAmPlE"u8 : "\"fc_0sAmPlE"u8).Number(item).Id().Raw("\""u8);

    /// <summary>An item of the output; one that is in progress has no content yet.</summary>
    private static void WriteItem(FrameWriter writer, Answer answer, int item, string status)
    {
        var begun = status == "in_progress";
        ItemId(writer.Raw("{\"id\":"u8), answer, item).Raw(",\"status\":"u8).Text(status);
        if (answer.Calls.Length == 0)
        {
            writer.Raw(",\"type\":\"message\",\"role\":\"assistant\",\"content\":["u8);
            if (!begun)
            {
                WritePart(writer, answer.Text);
            }

            writer.Raw("]}"u8);
            return;
        }

        var call = answer.Calls[item];
        writer.Raw(",\"type\":\"function_call\",\"call_id\":\"call_sAmPlE"u8).Number(item).Id().Raw("\",\"name\":"u8).Text(call.Name)
            .Raw(",\"arguments\":"u8).Text(begun ? "" : call.Arguments).Raw("}"u8);
    }

    private static void WritePart(FrameWriter writer, string text) =>
        writer.Raw("{\"type\":\"output_text\",\"annotations\":[],\"logprobs\":[],\"text\":"u8).Text(text).Raw("}"u8);

    private sealed class Events(ChatAsk ask, Answer answer, Usage? usage)
    {
        private readonly FrameWriter writer = new();
        private int sequence;

        public PreparedReply Write()
        {
            foreach (var name in (string[])["response.created", "response.in_progress"])
            {
                WriteResponse(Begin(name).Raw(",\"response\":"u8), ask, null, null);
                End();
            }

            for (var item = 0; item < Math.Max(1, answer.Calls.Length); item++)
            {
                WriteItem(Begin("response.output_item.added").Raw(",\"output_index\":"u8).Number(item).Raw(",\"item\":"u8), answer, item, "in_progress");
                End();
                if (answer.Calls.Length == 0)
                {
                    Text();
                }
                else
                {
                    Call(item);
                }

                WriteItem(Begin("response.output_item.done").Raw(",\"output_index\":"u8).Number(item).Raw(",\"item\":"u8), answer, item, StatusOf(answer));
                End();
            }

            WriteResponse(Begin($"response.{StatusOf(answer)}").Raw(",\"response\":"u8), ask, answer, usage);
            End();
            return writer.Events(ask.Model, ask.Script) with { ErrorFrame = ErrorFrame };
        }

        private void Text()
        {
            WritePart(InItem("response.content_part.added", 0, ",\"content_index\":0,\"part\":"u8), "");
            End();
            foreach (var piece in answer.Pieces)
            {
                InItem("response.output_text.delta", 0, ",\"content_index\":0,\"logprobs\":[],\"delta\":"u8).Text(piece);
                End(isContent: true);
            }

            InItem("response.output_text.done", 0, ",\"content_index\":0,\"logprobs\":[],\"text\":"u8).Text(answer.Text);
            End();
            WritePart(InItem("response.content_part.done", 0, ",\"content_index\":0,\"part\":"u8), answer.Text);
            End();
        }

        private void Call(int item)
        {
            foreach (var piece in answer.Calls[item].Pieces)
            {
                InItem("response.function_call_arguments.delta", item, ",\"delta\":"u8).Text(piece);
                End(isContent: true);
            }

            InItem("response.function_call_arguments.done", item, ",\"name\":"u8).Text(answer.Calls[item].Name).Raw(",\"arguments\":"u8).Text(answer.Calls[item].Arguments);
            End();
        }

        private FrameWriter InItem(string name, int item, ReadOnlySpan<byte> rest) =>
            ItemId(Begin(name).Raw(",\"output_index\":"u8).Number(item).Raw(",\"item_id\":"u8), answer, item).Raw(rest);

        private FrameWriter Begin(string name) => writer.Raw("event: "u8).Document(name).Raw("\ndata: {\"type\":"u8).Text(name).Raw(",\"sequence_number\":"u8).Number(sequence++);

        private void End(bool isContent = false) => writer.Raw("}\n\n"u8).EndFrame(isContent);
    }
}
