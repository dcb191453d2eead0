using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;

namespace Gateway.Edge.OllamaApi;

/// <summary>Ollama's chat and generate as surfaces. Format: https://github.com/ollama/ollama/blob/main/docs/api.md.</summary>
/// <param name="generates">Whether it is <c>/api/generate</c>, which goes on from one prompt; else <c>/api/chat</c>.</param>
/// <param name="time">Tells how long an answer took, which Ollama says of each.</param>
internal sealed class OllamaSurface(bool generates, TimeProvider time) : IChatSurface
{
    public string CallType => generates ? "ollama_generate" : "ollama_chat";

    public SurfaceProtocol Protocol => generates ? SurfaceProtocol.OllamaGenerate : SurfaceProtocol.OllamaChat;

    public string StreamType => "application/x-ndjson";

    public IPassedProtocol Passed { get; } = new OllamaPassed();

    public GatewayError? ReadHead(ReadOnlyMemory<byte> request, out RequestHead head) => RequestHead.TryRead(request.Span, out head, Protocol);

    public void WriteRequest(ReadOnlyMemory<byte> request, IChatProvider provider, string providerModel, DroppedFields dropped, IBufferWriter<byte> output)
    {
        using var document = ChatRequest.Parse(request);
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        new OllamaAsked(document.RootElement, generates, new SurfaceTarget(provider, providerModel), dropped, json).Write();
    }

    public void WriteReply(RequestExchange exchange, ReadOnlyMemory<byte> completion, TokenUsage usage, IBufferWriter<byte> output)
    {
        using var document = ChatAnswer.Parse(completion.Span, exchange.Losses);
        var choice = document.RootElement.Field("choices"u8).Items().FirstOrDefault();
        var message = choice.Field("message"u8);
        var calls = new StreamedCalls($"call_{exchange.Id:N}");
        calls.TakeWhole(message.Field("tool_calls"u8));
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        var line = new OllamaLine(json, exchange, generates, time);
        line.Start();
        line.WriteSaid(message, calls.All);
        line.WriteLogprobs(choice);
        line.WriteEnd(ChatAnswer.FinishReason(choice, calls.All.Count > 0), usage, streamed: false);
    }

    public ChatSurfaceStream OpenStream(RequestExchange exchange) => new OllamaSurfaceStream(exchange, generates, time);

    public void WriteError(GatewayError error, IBufferWriter<byte> output) => OllamaLine.WriteError(error, output);
}
