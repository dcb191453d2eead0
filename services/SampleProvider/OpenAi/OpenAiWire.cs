using Gateway.SampleProvider.Answers;
using Gateway.SampleProvider.Delivery;

namespace Gateway.SampleProvider.OpenAi;

/// <summary>The parts of OpenAI's JSON that several of its routes share.</summary>
internal static class OpenAiWire
{
    public static ReadOnlySpan<byte> Done => "data: [DONE]\n\n"u8;

    public static string FinishReason(AnswerEnd end) => end switch
    {
        AnswerEnd.Length => "length",
        AnswerEnd.ToolCall => "tool_calls",
        _ => "stop",
    };

    public static FrameWriter Usage(this FrameWriter writer, Usage usage) => writer
        .Raw("{\"prompt_tokens\":"u8).Number(usage.Input)
        .Raw(",\"completion_tokens\":"u8).Number(usage.Output)
        .Raw(",\"total_tokens\":"u8).Number(usage.Total)
        .Raw(",\"prompt_tokens_details\":{\"cached_tokens\":"u8).Number(usage.CacheRead)
        .Raw(",\"audio_tokens\":0},\"completion_tokens_details\":{\"reasoning_tokens\":"u8).Number(usage.Reasoning)
        .Raw(",\"audio_tokens\":0,\"accepted_prediction_tokens\":0,\"rejected_prediction_tokens\":0}}"u8);
}
