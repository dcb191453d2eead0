using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.GeminiApi;

/// <summary>Gemini's <c>:generateContent</c> and <c>:streamGenerateContent</c> as surfaces. Format: https://ai.google.dev/api/generate-content, version v1beta.</summary>
/// <param name="streams">Whether it is <c>:streamGenerateContent</c>.</param>
/// <param name="asArray">Whether a stream is one JSON array; else it is server-sent events.</param>
internal sealed class GeminiSurface(bool streams, bool asArray = false) : IChatSurface
{
    public string CallType => streams ? "generate_content_stream" : "generate_content";

    public SurfaceProtocol Protocol => SurfaceProtocol.GeminiGenerate;

    public string StreamType => asArray ? "application/json" : "text/event-stream";

    public bool ShowsPictures => true;

    public IPassedProtocol Passed { get; } = new GeminiPassed(asArray);

    public GatewayError? ReadHead(ReadOnlyMemory<byte> request, out RequestHead head)
    {
        var wrong = RequestHead.TryRead(request.Span, out head, Protocol, needsModel: false);
        head.Stream = streams;
        return wrong;
    }

    public void WriteRequest(ReadOnlyMemory<byte> request, IChatProvider provider, string providerModel, DroppedFields dropped, IBufferWriter<byte> output)
    {
        using var document = ChatRequest.Parse(request);
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        new GeminiAsked(document.RootElement, streams, new SurfaceTarget(provider, providerModel), dropped, json).Write();
    }

    public void WriteReply(RequestExchange exchange, ReadOnlyMemory<byte> completion, TokenUsage usage, IBufferWriter<byte> output)
    {
        using var document = ChatAnswer.Parse(completion.Span, exchange.Losses);
        var choices = document.RootElement.Field("choices"u8);
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        var answer = new GeminiAnswer(json, exchange, new OwnToolNames(exchange.Body.Memory, GeminiAsked.FunctionsOf));
        answer.Start();
        foreach (var choice in choices.Items())
        {
            var message = choice.Field("message"u8);
            var calls = new StreamedCalls(GeminiSurfaceStream.MadeIds(exchange, choice.Field("index"u8).Int() ?? 0));
            calls.TakeWhole(message.Field("tool_calls"u8));
            var seal = new ThinkingSeal();
            foreach (var block in message.Field("thinking_blocks"u8).Items())
            {
                seal.Add(block);
            }

            answer.WriteCandidate(choice.Field("index"u8).Int() ?? 0, choice.Field("logprobs"u8), message, seal, calls.All, ChatAnswer.FinishReason(choice, calls.All.Count > 0) ?? "stop");
        }

        answer.End(usage);
    }

    public ChatSurfaceStream OpenStream(RequestExchange exchange) => new GeminiSurfaceStream(exchange, new GeminiFraming(asArray));

    public void WriteError(GatewayError error, IBufferWriter<byte> output) => GeminiError.Write(error, output);
}
