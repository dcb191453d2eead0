using Gateway.ServiceDefaults;

namespace Gateway.Auth.Requests;

/// <summary>Why a request was not done, as the caller is told.</summary>
internal sealed record Refusal(int Status, string Code, string Message, string? Param = null)
{
    public static Refusal Invalid(string param, string message) => new(422, "invalid_request", message, param);

    public static Refusal NotFound(string what, string param) =>
        new(404, $"{what}_not_found", $"There is no such {what}. GET /{what}/list shows those that exist.", param);

    public static Refusal Exists(string what, string param, string remedy) =>
        new(409, "already_exists", $"There is already a {what} with this {param}. {remedy}", param);

    public static Refusal Denied() =>
        new(403, "route_access_denied", "This key may see only what is its own. The rest is for the platform's administrators: call it with the master key.");

    public IResult ToResult() => Problems.Result(Status, Code, Message, Param);
}

/// <summary>What a request led to: a value, or the refusal.</summary>
internal readonly record struct Outcome<T>(T? Value, Refusal? Refusal)
    where T : class
{
    public static implicit operator Outcome<T>(T value) => new(value, null);

    public static implicit operator Outcome<T>(Refusal refusal) => new(null, refusal);

    public IResult ToResult(System.Text.Json.Serialization.Metadata.JsonTypeInfo<T> json) =>
        Refusal is null ? TypedResults.Json(Value!, json) : Refusal.ToResult();
}
