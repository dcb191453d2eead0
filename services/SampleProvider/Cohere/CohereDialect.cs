using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;
using Microsoft.AspNetCore.Http;

namespace Gateway.SampleProvider.Cohere;

internal sealed class CohereDialect : Dialect
{
    public static readonly CohereDialect Instance = new();

    public static byte[] ErrorFrame { get; } =
        new FrameWriter().Raw("event: message-end\ndata: {\"type\":\"message-end\",\"delta\":{\"error\":\"internal server error\",\"finish_reason\":\"ERROR\"}}\n\n"u8)
            .Json("", Script.None).Bytes;

    public override string? Credential(IHeaderDictionary headers) => headers.Authorization;

    public override void Stamp(IHeaderDictionary headers, long id)
    {
        // This provider's id stands in the body.
    }

    public override PreparedReply RefuseCredential(string credential, string model) => Refuse(new(401, "invalid api token"), model, Script.None);

    public override PreparedReply Refuse(Fault fault, string model, Script script) => new FrameWriter()
        .Raw("{\"id\":\""u8).Uuid().Raw("\",\"message\":"u8).Text(fault.Message).Raw("}"u8).Json(model, script, fault.Status);

    public override Fault FaultFor(int status, string model) => new(status, status switch
    {
        401 => "invalid api token",
        403 => "this API key is not allowed to use this endpoint",
        404 => $"model '{model}' not found, make sure the correct model ID was used and that you have access to the model.",
        429 => "You are using a Trial key, which is limited to 40 API calls / minute. You can continue to use the Trial key for free or upgrade to a Production key with higher rate limits.",
        503 => "the service is currently unavailable, please try again later",
        504 => "gateway timeout",
        >= 500 => "internal server error",
        _ => "the sample provider was told to refuse this request",
    });
}
