using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Providers;

namespace Gateway.Edge.Files;

/// <summary>
/// OpenAI's objects as the gateway's clients see them: with the gateway's ids. Format: OpenAI's published API description, "Files"
/// (https://platform.openai.com/docs/api-reference/files).
/// </summary>
internal static class FileAnswer
{
    // A field that stands there twice would be an exception wherever it is looked at.
    private static readonly JsonDocumentOptions Strict = new() { AllowDuplicateProperties = false };

    /// <summary>A provider's file object, with the gateway's id and the name that its owner gave it. What else it says stays.</summary>
    public static JsonObject Of(JsonObject providers, ProviderFile file)
    {
        providers["id"] = file.Id;
        providers["filename"] = file.Filename;
        return providers;
    }

    /// <summary>A file object of what the gateway knows of a file.</summary>
    public static JsonObject Of(ProviderFile file)
    {
        var answer = new JsonObject
        {
            ["id"] = file.Id, ["object"] = "file", ["bytes"] = file.Bytes, ["created_at"] = file.CreatedAt.ToUnixTimeSeconds(), ["filename"] = file.Filename,
            ["purpose"] = file.Purpose, ["status"] = "processed",
        };
        if (file.ExpiresAt is { } expires)
        {
            answer["expires_at"] = expires.ToUnixTimeSeconds();
        }

        return answer;
    }

    /// <summary>OpenAI's page of a list. The first and the last of none are empty: its description has them in every list, as texts, and knows no null there.</summary>
    public static JsonObject Page(IReadOnlyList<JsonObject> items, bool hasMore) => new()
    {
        ["object"] = "list", ["data"] = new JsonArray([.. items]), ["first_id"] = items is [var first, ..] ? (string?)first["id"] : "", ["last_id"] = items is [.., var last] ? (string?)last["id"] : "",
        ["has_more"] = hasMore,
    };

    /// <summary>A provider's answer, which must be an object with an id.</summary>
    /// <exception cref="MalformedReplyException">It is not.</exception>
    public static (JsonObject Answer, string Id) Read(ReadOnlySpan<byte> json)
    {
        try
        {
            if (JsonNode.Parse(json, documentOptions: Strict) is JsonObject answer && Text(answer["id"]) is { } id)
            {
                return (answer, id);
            }
        }
        catch (JsonException)
        {
            // Its message would quote the reply.
        }

        throw new MalformedReplyException("The provider's answer is no JSON object with an id.");
    }

    /// <summary>The objects of a provider's list.</summary>
    /// <exception cref="MalformedReplyException">It is none.</exception>
    public static IReadOnlyList<JsonObject> ReadList(ReadOnlySpan<byte> json)
    {
        try
        {
            if (JsonNode.Parse(json, documentOptions: Strict) is JsonObject list && list["data"] is JsonArray data)
            {
                return [.. data.OfType<JsonObject>()];
            }
        }
        catch (JsonException)
        {
            // Its message would quote the reply.
        }

        throw new MalformedReplyException("The provider's answer is no list.");
    }

    /// <summary>A request's object.</summary>
    /// <exception cref="JsonException">It is none, or a field stands there twice.</exception>
    public static JsonObject ReadAsked(ReadOnlySpan<byte> json) => JsonNode.Parse(json, documentOptions: Strict) as JsonObject ?? throw new JsonException("The body is no object.");

    /// <summary>A short text, such as an id; null for anything else.</summary>
    public static string? Text(JsonNode? node) => node is JsonValue value && value.TryGetValue<string>(out var text) && text.Length is > 0 and <= 256 ? text : null;

    /// <summary>Writes an answer as the whole reply.</summary>
    public static Task WriteAsync(HttpContext context, JsonNode answer) => WriteAsync(context, Bytes(answer));

    /// <summary>Writes an answer as the whole reply.</summary>
    public static async Task WriteAsync(HttpContext context, byte[] body)
    {
        context.Response.StatusCode = 200;
        context.Response.ContentType = "application/json";
        context.Response.ContentLength = body.Length;
        await context.Response.Body.WriteAsync(body, context.RequestAborted);
    }

    /// <summary>An answer's bytes.</summary>
    public static byte[] Bytes(JsonNode answer) => Encoding.UTF8.GetBytes(answer.ToJsonString(EdgeJson.Writing.Options));
}
