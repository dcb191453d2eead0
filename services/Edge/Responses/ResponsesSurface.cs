using System.Buffers;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.Edge.Chat;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.OpenAi;
using StackExchange.Redis;

namespace Gateway.Edge.Responses;

/// <summary>OpenAI's Responses as a surface. Format: OpenAI's published API description, "Responses".</summary>
internal sealed class ResponsesSurface(StoredResponses stored) : IChatSurface
{
    public string CallType => "responses";

    public SurfaceProtocol Protocol => SurfaceProtocol.Responses;

    public bool ShowsCitations => true;

    public IPassedProtocol Passed { get; } = new ResponsesPassed(stored);

    public GatewayError? ReadHead(ReadOnlyMemory<byte> request, out RequestHead head) => RequestHead.TryRead(request.Span, out head, Protocol);

    /// <summary>A response that is gone on from must be the caller's own, and is where it was stored.</summary>
    public async ValueTask<GatewayError?> PrepareAsync(RequestExchange exchange)
    {
        if (exchange.Head.PreviousResponse is not { } previous || !Array.Exists(exchange.Grant.Group.Deployments, static deployment => deployment.PassedAddress(SurfaceProtocol.Responses) is not null))
        {
            return null;
        }

        try
        {
            if (await stored.FindAsync(exchange.Caller, previous) is not { } response)
            {
                return StoredResponsesRoutes.UnknownResponse("previous_response_id");
            }

            exchange.Narrow(deployment => deployment.Id == response.DeploymentId);
            return null;
        }
        catch (Exception away) when (away is RedisException or TimeoutException)
        {
            return GatewayError.StoreUnavailable;
        }
    }

    public void WriteRequest(ReadOnlyMemory<byte> request, IChatProvider provider, string providerModel, DroppedFields dropped, IBufferWriter<byte> output)
    {
        using var document = ChatRequest.Parse(request);
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        ResponsesRequest.Write(document.RootElement, new SurfaceTarget(provider, providerModel), dropped, json);
    }

    public void WriteReply(RequestExchange exchange, ReadOnlyMemory<byte> completion, TokenUsage usage, IBufferWriter<byte> output)
    {
        using var document = ChatAnswer.Parse(completion.Span, exchange.Losses);
        using var response = new ResponseDraft(exchange);
        response.TakeWhole(document.RootElement);
        using var json = new Utf8JsonWriter(output, Completion.Writing);
        response.Write(json, usage);
    }

    public ChatSurfaceStream OpenStream(RequestExchange exchange) => new ResponsesStream(exchange);

    public void WriteError(GatewayError error, IBufferWriter<byte> output) => output.Write(error.ToJson());
}
