using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.OllamaApi;

/// <summary>Makes Ollama's lines of OpenAI's chunks. A call of a tool is one line, so it waits for its arguments.</summary>
internal sealed class OllamaSurfaceStream(RequestExchange exchange, bool generates, TimeProvider time) : ChatSurfaceStream(exchange.Losses)
{
    private readonly StreamedCalls calls = new($"call_{exchange.Id:N}");
    private string? finishReason;

    public override void End(TokenUsage usage, Money? cost, IBufferWriter<byte> output)
    {
        foreach (var call in calls.All)
        {
            Line(output, default, default, [call]);
        }

        Line(output, line =>
        {
            line.WriteSaid(default, []);
            line.WriteEnd(ChatAnswer.FinishReason(finishReason, calls.All.Count > 0), usage, streamed: true, cost);
        });
    }

    public override void Fail(GatewayError error, IBufferWriter<byte> output)
    {
        OllamaLine.WriteError(error, output);
        output.Write("\n"u8);
    }

    protected override void Take(JsonElement chunk, IBufferWriter<byte> output)
    {
        var choice = chunk.Field("choices"u8).Items().FirstOrDefault();
        var delta = choice.Field("delta"u8);
        calls.Take(delta.Field("tool_calls"u8));
        if (ChatAnswer.HasText(delta))
        {
            Line(output, delta, choice, []);
        }

        finishReason = FinishReasonOf(choice) ?? finishReason;
    }

    private void Line(IBufferWriter<byte> output, JsonElement delta, JsonElement choice, IReadOnlyList<StreamedCall> said) => Line(output, line =>
    {
        line.WriteSaid(delta, said);
        line.WriteLogprobs(choice);
        line.WriteMore();
    });

    private void Line(IBufferWriter<byte> output, Action<OllamaLine> write)
    {
        using (var json = new Utf8JsonWriter(output, Completion.Writing))
        {
            var line = new OllamaLine(json, exchange, generates, time);
            line.Start();
            write(line);
        }

        output.Write("\n"u8);
    }
}
