using System.Globalization;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;
using Microsoft.AspNetCore.Http;

namespace Gateway.SampleProvider.Anthropic;

internal sealed class AnthropicDialect : Dialect
{
    public const string VersionHeader = "anthropic-version";

    public static readonly AnthropicDialect Instance = new();

    public static byte[] ErrorFrame { get; } =
        new FrameWriter().Raw("event: error\ndata: {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\",\"message\":\"Overloaded\"}}\n\n"u8)
            .Json("", Script.None).Bytes;

    public override string? Credential(IHeaderDictionary headers) =>
        headers.TryGetValue("x-api-key", out var key) ? key : headers.Authorization;

    public override void Stamp(IHeaderDictionary headers, long id) =>
        headers["request-id"] = string.Create(CultureInfo.InvariantCulture, $"req_011CSa{id:x16}");

    public override Fault? Check(IHeaderDictionary headers) =>
        headers.ContainsKey(VersionHeader) ? null : new(400, "anthropic-version: header is required");

    public override PreparedReply RefuseCredential(string credential, string model) =>
        Refuse(new(401, "invalid x-api-key"), model, Script.None);

    public override PreparedReply Refuse(Fault fault, string model, Script script) => new FrameWriter()
        .Raw("{\"type\":\"error\",\"error\":{\"type\":"u8).Text(TypeOf(fault.Status))
        .Raw(",\"message\":"u8).Text(fault.Message)
        .Raw("},\"request_id\":\"req_011CSa"u8).Id().Raw("\"}"u8)
        .Json(model, script, fault.Status);

    public override Fault FaultFor(int status, string model) => new(status, status switch
    {
        401 => "invalid x-api-key",
        403 => "Your API key does not have permission to use the specified resource.",
        404 => $"model: {model}",
        413 => "Request exceeds the maximum size",
        429 => "This request would exceed your organization's rate limit of 50 requests per minute. Please reduce the prompt length or the "
            + "maximum tokens requested, or try again later.",
        503 or 529 => "Overloaded",
        504 => "Request timed out",
        >= 500 => "Internal server error",
        _ => "The sample provider was told to refuse this request.",
    });

    private static string TypeOf(int status) => status switch
    {
        401 => "authentication_error",
        402 => "billing_error",
        403 => "permission_error",
        404 => "not_found_error",
        413 => "request_too_large",
        429 => "rate_limit_error",
        504 => "timeout_error",
        503 or 529 => "overloaded_error",
        >= 500 => "api_error",
        _ => "invalid_request_error",
    };
}
