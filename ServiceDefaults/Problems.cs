using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.ServiceDefaults;

/// <summary>The error envelope of every route that a team or an admin calls: OpenAI's.</summary>
/// <param name="Error">The error.</param>
public sealed record ErrorEnvelope([property: JsonPropertyName("error")] ErrorBody Error);

/// <summary>An error, as OpenAI's clients read it.</summary>
/// <param name="Message">What happened and how to mend it: no key, prompt, internal address, or another tenant's name or amount.</param>
/// <param name="Type">The family: <c>invalid_request_error</c>, <c>authentication_error</c>, <c>permission_error</c>, …</param>
/// <param name="Param">The field that is wrong.</param>
/// <param name="Code">The stable code of docs/errors.md.</param>
public sealed record ErrorBody(
    [property: JsonPropertyName("message")] string Message,
    [property: JsonPropertyName("type")] string Type,
    [property: JsonPropertyName("param")] string? Param,
    [property: JsonPropertyName("code")] string Code);

[JsonSerializable(typeof(ErrorEnvelope))]
internal sealed partial class ProblemsJson : JsonSerializerContext;

/// <summary>Makes errors.</summary>
public static class Problems
{
    /// <summary>An error as a minimal API's result.</summary>
    public static JsonHttpResult<ErrorEnvelope> Result(int status, string code, string message, string? param = null) =>
        TypedResults.Json(Envelope(status, code, message, param), ProblemsJson.Default.ErrorEnvelope, statusCode: status);

    /// <summary>An error as a value.</summary>
    public static ErrorEnvelope Envelope(int status, string code, string message, string? param = null) =>
        new(new ErrorBody(message, TypeOf(status, code), param, code));

    /// <summary>Writes an error as the whole answer.</summary>
    public static Task WriteAsync(HttpContext context, int status, string code, string message, string? param = null)
    {
        context.Response.StatusCode = status;
        return context.Response.WriteAsJsonAsync(
            Envelope(status, code, message, param), ProblemsJson.Default.ErrorEnvelope, cancellationToken: context.RequestAborted);
    }

    /// <summary>The family of an error: what OpenAI's clients show beside the message.</summary>
    public static string TypeOf(int status, string code) => (status, code) switch
    {
        (429, "budget_exceeded") => "budget_exceeded",
        (401, _) => "authentication_error",
        (403, _) => "permission_error",
        (404, _) => "not_found_error",
        (429, _) => "rate_limit_error",
        (>= 400 and < 500, _) => "invalid_request_error",
        _ => "api_error",
    };

    /// <summary>
    /// Turns what nobody caught, a body that is no JSON and an unknown route into the envelope: an admin's client never sees a page of HTML
    /// and never an exception's text.
    /// </summary>
    public static WebApplication UseProblems(this WebApplication app)
    {
        app.UseExceptionHandler(handler => handler.Run(context =>
        {
            var error = context.Features.Get<Microsoft.AspNetCore.Diagnostics.IExceptionHandlerFeature>()?.Error;
            return error is BadHttpRequestException bad
                ? WriteAsync(context, bad.StatusCode, bad.StatusCode == 413 ? "request_too_large" : "invalid_request", bad.StatusCode == 413
                    ? "The request's body is larger than this route takes."
                    : "The request's body is not the JSON that this route takes.")
                : WriteAsync(context, 500, "internal_error", "The gateway failed to handle this request. The log has the details under the request's trace id.");
        }));
        app.UseStatusCodePages(pages => pages.HttpContext.Response.StatusCode switch
        {
            404 => WriteAsync(pages.HttpContext, 404, "route_not_found", "There is no such route."),
            405 => WriteAsync(pages.HttpContext, 405, "method_not_allowed", "This route does not take this method."),
            415 => WriteAsync(pages.HttpContext, 415, "invalid_request", "Send the body as Content-Type: application/json."),
            _ => Task.CompletedTask,
        });
        return app;
    }
}
