using System.Globalization;
using System.Text.Json;
using Gateway.Auth.Configuration;
using Gateway.Contracts;

namespace Gateway.Auth.Requests;

/// <summary>
/// The JSON object of an admin's request. Each field is read with the value that holds when it is absent; null takes a value away. What is
/// wrong is collected, so that the answer names every wrong field at once; what nobody read becomes a warning.
/// </summary>
internal sealed class RequestBody
{
    private const int BytesMax = 1 << 20;
    private const int DepthMax = 32;
    private const int TextCharactersMax = 512;
    private const int ListItemsMax = 500;
    private const int ObjectCharactersMax = 64 << 10;
    private const decimal DollarsMax = 9_000_000_000m;

    // Fields of LiteLLM's requests without an effect here; anything else that is unknown may be a typing error.
    private static readonly HashSet<string> ElsewhereKnown = new(StringComparer.Ordinal)
    {
        "spend", "budget_id", "guardrails", "permissions", "allowed_cache_controls", "config", "enforced_params", "object_permission", "send_invite_email",
        "auto_rotate", "rotation_interval", "model_rpm_limit", "model_tpm_limit", "grace_period", "policies",
        "prompts", "allowed_passthrough_routes", "invite_user", "team_member_permissions", "tpm_limit_type", "rpm_limit_type", "sso_user_id", "model_aliases",
    };

    private readonly JsonElement root;
    private readonly List<(string Field, string Message)> problems = [];
    private readonly HashSet<string> read = new(StringComparer.Ordinal);
    private readonly List<string> warnings = [];
    private readonly Refusal? unreadable;
    private DeclaredAccessSource? declared;

    private RequestBody(JsonElement root) => this.root = root;

    private RequestBody(Refusal unreadable) => this.unreadable = unreadable;

    /// <summary>Why the request cannot be done: the body is none, or fields are wrong. Ask after the fields were read.</summary>
    public Refusal? Refusal => unreadable ?? (problems.Count == 0
        ? null
        : Requests.Refusal.Invalid(problems[0].Field, string.Join(' ', problems.Select(problem => $"{problem.Field}: {problem.Message}"))));

    public static async ValueTask<RequestBody> BindAsync(HttpContext context)
    {
        if (context.Request.ContentLength > BytesMax)
        {
            return new RequestBody(new Refusal(413, "request_too_large", "The request's body is larger than 1 MiB."));
        }

        try
        {
            using var bytes = new MemoryStream();
            var chunk = new byte[8192];
            for (int count; (count = await context.Request.Body.ReadAsync(chunk, context.RequestAborted)) > 0;)
            {
                if (bytes.Length + count > BytesMax)
                {
                    return new RequestBody(new Refusal(413, "request_too_large", "The request's body is larger than 1 MiB."));
                }

                bytes.Write(chunk, 0, count);
            }

            using var document = JsonDocument.Parse(
                bytes.Length == 0 ? "{}"u8.ToArray() : bytes.ToArray(), new JsonDocumentOptions { MaxDepth = DepthMax, AllowDuplicateProperties = false });
            return document.RootElement.ValueKind == JsonValueKind.Object
                ? new RequestBody(document.RootElement.Clone()) { declared = context.RequestServices.GetRequiredService<DeclaredAccessSource>() }
                : new RequestBody(new Refusal(400, "invalid_json", "The request's body must be a JSON object."));
        }
        catch (JsonException error)
        {
            // The parser's own message would quote the body, which may hold a key.
            return new RequestBody(new Refusal(
                400, "invalid_json", $"The request's body is not valid JSON (line {error.LineNumber + 1}), names a field twice, or is nested deeper than {DepthMax}."));
        }
    }

    /// <summary>A body made of some fields of another and of what <paramref name="write"/> writes.</summary>
    public static RequestBody Of(Action<Utf8JsonWriter> write, RequestBody from, params string[] fields)
    {
        var bytes = new System.Buffers.ArrayBufferWriter<byte>();
        using (var writer = new Utf8JsonWriter(bytes))
        {
            writer.WriteStartObject();
            write(writer);
            foreach (var field in fields)
            {
                if (from.TryGet(field, out var value))
                {
                    writer.WritePropertyName(field);
                    value.WriteTo(writer);
                }
            }

            writer.WriteEndObject();
        }

        using var document = JsonDocument.Parse(bytes.WrittenMemory);
        return new RequestBody(document.RootElement.Clone());
    }

    /// <summary>What the answer should say of fields without effect; null for nothing.</summary>
    public string[]? Warnings()
    {
        if (root.ValueKind == JsonValueKind.Object)
        {
            warnings.AddRange(root.EnumerateObject()
                .Where(field => !read.Contains(field.Name) && !IsEmpty(field.Value))
                .Take(50)
                .Select(field => ElsewhereKnown.Contains(field.Name)
                    ? $"{field.Name}: accepted, but without effect on this gateway."
                    : $"{(field.Name.Length <= 64 ? field.Name : field.Name[..64])}: unknown field, ignored. Check its spelling."));
        }

        return warnings.Count == 0 ? null : [.. warnings];
    }

    /// <summary>Whether the configuration has a credential of that name.</summary>
    public bool KnowsCredential(string name) => declared?.Current.Credentials.Contains(name) == true;

    public void Warn(string text) => warnings.Add(text);

    public void Problem(string field, string message) => problems.Add((field, message));

    public bool Has(string field) => TryGet(field, out _);

    public string? Text(string field, string? otherwise = null, int charactersMax = TextCharactersMax)
    {
        if (!TryGet(field, out var value))
        {
            return otherwise;
        }

        if (value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.String && value.GetString() is { } text && text.Length <= charactersMax && !text.Any(char.IsControl))
        {
            return text.Length == 0 ? null : text;
        }

        Problem(field, $"must be a text of at most {charactersMax} characters without control characters; it is {Kind(value)}.");
        return otherwise;
    }

    /// <summary>An id: it becomes part of budget names, so its characters are few.</summary>
    public string? Id(string field, string? otherwise = null)
    {
        var id = Text(field, otherwise, 200);
        if (id is null || IsId(id))
        {
            return id;
        }

        Problem(field, "may contain only letters, digits and . _ - @ + : / | = ~ (use the alias for a name in other characters).");
        return otherwise;
    }

    public static bool IsId(string text) => text.Length is > 0 and <= 200 && text.All(one => char.IsAsciiLetterOrDigit(one) || "._-@+:/|=~".Contains(one, StringComparison.Ordinal));

    public string[]? Texts(string field, string[]? otherwise)
    {
        if (!TryGet(field, out var value))
        {
            return otherwise;
        }

        if (value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Array && value.GetArrayLength() <= ListItemsMax
            && value.EnumerateArray().All(item => item.ValueKind == JsonValueKind.String && item.GetString() is { Length: > 0 and <= TextCharactersMax } text && !text.Any(char.IsControl)))
        {
            return [.. value.EnumerateArray().Select(item => item.GetString()!).Distinct(StringComparer.Ordinal)];
        }

        Problem(field, $"must be a list of at most {ListItemsMax} texts, such as [\"gpt-4\"]; it is {Kind(value)}.");
        return otherwise;
    }

    public Money? Dollars(string field, Money? otherwise = null) => TryGet(field, out var value) ? Dollars(field, value, otherwise) : otherwise;

    public long? Count(string field, long? otherwise = null)
    {
        if (!TryGet(field, out var value))
        {
            return otherwise;
        }

        if (value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var number) && number is >= 0 and <= 1_000_000_000_000_000 && number == decimal.Truncate(number))
        {
            return (long)number;
        }

        Problem(field, $"must be a whole number of at least 0, or null for no limit; it is {Kind(value)}.");
        return otherwise;
    }

    public bool Flag(string field, bool otherwise = false)
    {
        if (!TryGet(field, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return otherwise;
        }

        if (value.ValueKind is JsonValueKind.True or JsonValueKind.False)
        {
            return value.GetBoolean();
        }

        Problem(field, $"must be true or false; it is {Kind(value)}.");
        return otherwise;
    }

    /// <summary>An object that is kept as it is, as JSON.</summary>
    public string Object(string field, string otherwise)
    {
        if (!TryGet(field, out var value))
        {
            return otherwise;
        }

        if (value.ValueKind == JsonValueKind.Null)
        {
            return "{}";
        }

        // PostgreSQL's JSON cannot hold the character U+0000.
        if (value.ValueKind == JsonValueKind.Object && value.GetRawText() is var text && text.Length <= ObjectCharactersMax && !text.Contains("\\u0000", StringComparison.Ordinal))
        {
            return text;
        }

        Problem(field, $"must be an object of at most {ObjectCharactersMax / 1024} KiB without U+0000; it is {Kind(value)}.");
        return otherwise;
    }

    public string? Period(string field, string? otherwise = null)
    {
        var text = Text(field, otherwise);
        if (text is null || BudgetPeriod.TryParse(text, out _))
        {
            return text;
        }

        Problem(field, "must be a period such as 30s, 30m, 24h, 7d, 30d or 1mo.");
        return otherwise;
    }

    /// <summary>An instant in ISO 8601; without an offset it is UTC.</summary>
    public DateTimeOffset? Instant(string field, DateTimeOffset? otherwise = null)
    {
        if (!Has(field))
        {
            return otherwise;
        }

        var text = Text(field);
        if (text is null)
        {
            return null;
        }

        if (DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out var instant) && instant.Year is > 2000 and < 3000)
        {
            // PostgreSQL keeps microseconds: what is answered is what is kept.
            return new DateTimeOffset(instant.Ticks / 10 * 10, TimeSpan.Zero);
        }

        Problem(field, "must be an instant such as 2030-01-31T18:00:00Z.");
        return otherwise;
    }

    /// <summary>The objects of a list (or the one object that stands there instead of a list).</summary>
    public IReadOnlyList<RequestBody>? Objects(string field)
    {
        if (!TryGet(field, out var value) || value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        var items = value.ValueKind == JsonValueKind.Object ? [value] : value.ValueKind == JsonValueKind.Array && value.GetArrayLength() <= ListItemsMax ? value.EnumerateArray().ToArray() : null;
        if (items is not null && items.All(item => item.ValueKind == JsonValueKind.Object))
        {
            return [.. items.Select(item => new RequestBody(item))];
        }

        Problem(field, $"must be a list of at most {ListItemsMax} objects; it is {Kind(value)}.");
        return null;
    }

    /// <summary>Takes over what is wrong with an object inside of this one.</summary>
    public void Adopt(string field, RequestBody inner) =>
        problems.AddRange(inner.problems.Select(problem => ($"{field}.{problem.Field}", problem.Message)));

    private static bool IsEmpty(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Null or JsonValueKind.False or JsonValueKind.Undefined => true,
        JsonValueKind.String => value.ValueEquals(""),
        JsonValueKind.Array => value.GetArrayLength() == 0,
        JsonValueKind.Object => !value.EnumerateObject().Any(),
        JsonValueKind.Number => value.TryGetDecimal(out var number) && number == 0,
        _ => false,
    };

    private static string Kind(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => "another text",
        JsonValueKind.Number => "another number",
        JsonValueKind.True or JsonValueKind.False => "a boolean",
        JsonValueKind.Array => "a list",
        JsonValueKind.Object => "an object",
        _ => "null",
    };

    private bool TryGet(string field, out JsonElement value)
    {
        read.Add(field);
        value = default;
        return root.ValueKind == JsonValueKind.Object && root.TryGetProperty(field, out value);
    }

    private Money? Dollars(string field, JsonElement value, Money? otherwise)
    {
        if (value.ValueKind == JsonValueKind.Null)
        {
            return null;
        }

        if (value.ValueKind == JsonValueKind.Number && value.TryGetDecimal(out var dollars) && dollars is >= 0 and <= DollarsMax)
        {
            return Money.FromDollars(dollars);
        }

        Problem(field, $"must be a number of dollars from 0 to {DollarsMax:0}, such as 10.5, or null for no limit; it is {Kind(value)}.");
        return otherwise;
    }
}
