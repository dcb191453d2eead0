using System.Globalization;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;
using Microsoft.AspNetCore.Http;

namespace Gateway.SampleProvider.OpenAi;

internal sealed class OpenAiDialect : Dialect
{
    public static readonly OpenAiDialect Instance = new();

    public override string? Credential(IHeaderDictionary headers) => headers.Authorization;

    public override void Stamp(IHeaderDictionary headers, long id) =>
        headers["x-request-id"] = string.Create(CultureInfo.InvariantCulture, $"req_{id:x16}");

    public override PreparedReply RefuseCredential(string credential, string model)
    {
        // The real one shows the key's ends as well, to a caller who knows the key.
        var key = credential.StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase) ? credential["Bearer ".Length..] : credential;
        var shown = key.Length > 16 ? $"{key[..3]}*****{key[^4..]}" : "*****";
        return Refuse(
            new(401, $"Incorrect API key provided: {shown}. You can find your API key at https://platform.openai.com/account/api-keys.", null,
                "invalid_api_key"),
            model, Script.None);
    }

    public override PreparedReply Refuse(Fault fault, string model, Script script) =>
        WriteError(new FrameWriter(), fault).Json(model, script, fault.Status);

    public override Fault FaultFor(int status, string model) => status switch
    {
        401 => new(status, "Incorrect API key provided: *****. You can find your API key at https://platform.openai.com/account/api-keys.", null,
            "invalid_api_key"),
        403 => new(status, $"Project does not have access to model `{model}`", null, "model_not_found"),
        404 => new(status, $"The model `{model}` does not exist or you do not have access to it.", null, "model_not_found"),
        429 => new(status, $"Rate limit reached for {model} in organization org-sample on requests per min (RPM): Limit 500, Used 500, Requested 1. "
            + "Please try again in 120ms. Visit https://platform.openai.com/account/rate-limits to learn more.", null, "rate_limit_exceeded"),
        503 => new(status, "The engine is currently overloaded, please try again later"),
        >= 500 => new(status, "The server had an error while processing your request. Sorry about that!"),
        _ => new(status, "The sample provider was told to refuse this request."),
    };

    public static byte[] ErrorFrame { get; } = MakeErrorFrame();

    private static byte[] MakeErrorFrame()
    {
        var writer = new FrameWriter().Raw("data: "u8);
        return WriteError(writer, new(500, "The server had an error while processing your request. Sorry about that!")).Raw("\n\n"u8)
            .Json("", Script.None).Bytes;
    }

    private static FrameWriter WriteError(FrameWriter writer, Fault fault)
    {
        writer.Raw("{\"error\":{\"message\":"u8).Text(fault.Message).Raw(",\"type\":"u8).Text(TypeOf(fault)).Raw(",\"param\":"u8);
        _ = fault.Param is null ? writer.Raw("null"u8) : writer.Text(fault.Param);
        writer.Raw(",\"code\":"u8);
        _ = fault.Code is null ? writer.Raw("null"u8) : writer.Text(fault.Code);
        return writer.Raw("}}"u8);
    }

    private static string TypeOf(Fault fault) => fault.Status switch
    {
        429 => "requests",
        503 => "service_unavailable",
        >= 500 => "server_error",
        _ => "invalid_request_error",
    };
}
