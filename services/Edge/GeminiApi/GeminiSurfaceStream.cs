using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.GeminiApi;

/// <summary>Makes Gemini's pieces of OpenAI's chunks. A call of a tool is one part, so it waits for its arguments and comes with the last piece.</summary>
internal sealed class GeminiSurfaceStream(RequestExchange exchange, GeminiFraming framing) : ChatSurfaceStream(exchange.Losses)
{
    private readonly OwnToolNames names = new(exchange.Body.Memory, GeminiAsked.FunctionsOf);
    private readonly SortedDictionary<int, Candidate> candidates = [];

    public override void End(TokenUsage usage, Money? cost, IBufferWriter<byte> output)
    {
        if (candidates.Count == 0)
        {
            candidates[0] = new Candidate(MadeIds(exchange, 0));
        }

        Piece(output, answer =>
        {
            foreach (var (index, candidate) in candidates)
            {
                answer.WriteCandidate(index, default, default, null, candidate.Calls.All, ChatAnswer.FinishReason(candidate.FinishReason, candidate.Calls.All.Count > 0) ?? "stop");
            }

            answer.End(usage, cost);
        });
        framing.Close(output);
    }

    public override void Fail(GatewayError error, IBufferWriter<byte> output) => framing.Fail(error, output);

    protected override void Take(JsonElement chunk, IBufferWriter<byte> output)
    {
        foreach (var choice in chunk.Field("choices"u8).Items())
        {
            Take(choice, choice.Field("delta"u8), output);
        }
    }

    /// <summary>What the ids of one candidate's calls begin with; with the call's number they are no longer than the 40 signs that OpenAI takes.</summary>
    public static string MadeIds(RequestExchange exchange, int candidate) => $"call{candidate}_{exchange.Id:N}";

    private void Take(JsonElement choice, JsonElement delta, IBufferWriter<byte> output)
    {
        var index = choice.Field("index"u8).Int() ?? 0;
        if (!candidates.TryGetValue(index, out var candidate))
        {
            candidates[index] = candidate = new Candidate(MadeIds(exchange, index));
        }

        candidate.Calls.Take(delta.Field("tool_calls"u8));
        candidate.FinishReason = FinishReasonOf(choice) ?? candidate.FinishReason;
        var seal = candidate.Sealed(delta.Field("thinking_blocks"u8));
        if (seal is not null || delta.Field("images"u8).Items().Any() || ChatAnswer.HasText(delta))
        {
            Piece(output, answer =>
            {
                answer.WriteCandidate(index, choice.Field("logprobs"u8), delta, seal, [], null);
                answer.End(usage: null);
            });
        }
    }

    private void Piece(IBufferWriter<byte> output, Action<GeminiAnswer> write)
    {
        framing.Begin(output);
        using (var json = new Utf8JsonWriter(output, Completion.Writing))
        {
            var answer = new GeminiAnswer(json, exchange, names);
            answer.Start();
            write(answer);
        }

        framing.End(output);
    }

    /// <summary>One answer of several, as it grows.</summary>
    private sealed class Candidate(string madeIds)
    {
        private ThinkingSeal thinking = new();

        public StreamedCalls Calls { get; } = new(madeIds);

        public string? FinishReason { get; set; }

        /// <summary>Takes pieces of thinking; gives what is signed with them, which is whole then.</summary>
        public ThinkingSeal? Sealed(JsonElement blocks)
        {
            var isSigned = false;
            foreach (var block in blocks.Items())
            {
                thinking.Add(block);
                isSigned |= !block.Field("signature"u8).RawText().IsEmpty || block.Field("type"u8).Is("redacted_thinking"u8);
            }

            if (!isSigned)
            {
                return null;
            }

            var whole = thinking;
            thinking = new();
            return whole;
        }
    }
}
