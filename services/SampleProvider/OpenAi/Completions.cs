using System.Text.Json;
using Gateway.SampleProvider.Answers;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.OpenAi;

/// <summary><c>POST /v1/completions</c>, the older route: a prompt or several, no conversation.</summary>
internal sealed class Completions() : Surface("/v1/completions", OpenAiDialect.Instance)
{
    // The route's own default, which the chat route does not have.
    private const int TokensMaxDefault = 16;

    public override PreparedReply Prepare(ReadOnlySpan<byte> body, Script script)
    {
        var ask = ChatAskReader.Read(body, script);
        var inputs = ask.Fault is null ? TextInputs.Read(body, "prompt") : [];
        var fault = ask.Fault
            ?? (ask.Model.Length == 0 ? new Fault(400, "you must provide a model parameter") : null)
            ?? (inputs is null ? new Fault(400, "Invalid type for 'prompt': expected a string, an array of strings, or tokens.", "prompt", "invalid_type") : null);
        if (fault is not null || inputs is null)
        {
            return Dialect.Refuse(fault!, ask.Model, Script.None);
        }

        // No prompt at all is allowed here: it means the start of a new document.
        var prompts = inputs.Count == 0 ? [new TextInput("", 0)] : inputs;
        var answers = prompts
            .SelectMany(prompt => Enumerable.Range(0, ask.Choices)
                .Select(choice => Answers.Answers.Text(ask.Model, prompt.Text, choice, ask.TokensMax ?? TokensMaxDefault, ask.Script)))
            .ToArray();
        var usage = Usage.Reported(prompts.Sum(prompt => prompt.Tokens), answers.Sum(answer => answer.OutputTokens), ask.Script);
        return ask.Stream ? Events(ask, answers, usage) : Completion(ask, answers, usage);
    }

    private static PreparedReply Completion(ChatAsk ask, Answer[] answers, Usage? usage)
    {
        var writer = Opening(new(), ask.Model).Raw(",\"choices\":["u8);
        for (var index = 0; index < answers.Length; index++)
        {
            writer.Raw(index == 0 ? ""u8 : ","u8);
            Choice(writer, index, answers[index].Text, OpenAiWire.FinishReason(answers[index].End));
        }

        writer.Raw("]"u8);
        if (usage is { } counts)
        {
            writer.Raw(",\"usage\":"u8).Usage(counts);
        }

        return writer.Raw("}"u8).Json(ask.Model, ask.Script);
    }

    private static PreparedReply Events(ChatAsk ask, Answer[] answers, Usage? usage)
    {
        var writer = new FrameWriter();
        for (var index = 0; index < answers.Length; index++)
        {
            foreach (var piece in answers[index].Pieces)
            {
                Choice(Opening(writer.Raw("data: "u8), ask.Model).Raw(",\"choices\":["u8), index, piece, null).Raw("]}\n\n"u8).EndFrame(true);
            }

            Choice(Opening(writer.Raw("data: "u8), ask.Model).Raw(",\"choices\":["u8), index, "", OpenAiWire.FinishReason(answers[index].End))
                .Raw("]}\n\n"u8).EndFrame();
        }

        if (ask.IncludeUsage && usage is { } counts)
        {
            for (var times = ask.Script.Usage == UsageReport.Twice ? 2 : 1; times > 0; times--)
            {
                Opening(writer.Raw("data: "u8), ask.Model).Raw(",\"choices\":[],\"usage\":"u8).Usage(counts).Raw("}\n\n"u8).EndFrame();
            }
        }

        return writer.Raw(OpenAiWire.Done).EndFrame().Events(ask.Model, ask.Script) with { ErrorFrame = OpenAiDialect.ErrorFrame };
    }

    private static FrameWriter Opening(FrameWriter writer, string model) => writer
        .Raw("{\"id\":\"cmpl-CsAmPlE7qWx2Z"u8).Id()
        .Raw("\",\"object\":\"text_completion\",\"created\":"u8).UnixSeconds()
        .Raw(",\"model\":"u8).Text(model);

    private static FrameWriter Choice(FrameWriter writer, int index, string text, string? finishReason)
    {
        writer.Raw("{\"text\":"u8).Text(text).Raw(",\"index\":"u8).Number(index).Raw(",\"logprobs\":null,\"finish_reason\":"u8);
        _ = finishReason is null ? writer.Raw("null"u8) : writer.Text(finishReason);
        return writer.Raw("}"u8);
    }
}
