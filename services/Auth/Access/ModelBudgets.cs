using System.Text.Json;
using Gateway.Auth.Requests;
using Gateway.Contracts;

namespace Gateway.Auth.Access;

/// <summary>A budget for one model, or for a pattern of them, of one owner.</summary>
internal sealed record ModelBudgetLimit(string Model, Money MaxBudget, string? BudgetDuration);

/// <summary>
/// LiteLLM's <c>model_max_budget</c>: <c>{"gpt-4": {"max_budget": 5, "budget_duration": "1d"}}</c>; it also says <c>budget_limit</c> and
/// <c>time_period</c>, or the dollars alone. Kept as it was sent, read when edges are told.
/// </summary>
internal static class ModelBudgets
{
    public const string Field = "model_max_budget";
    private const int ModelsMax = 100;
    private const decimal DollarsMax = 9_000_000_000m;

    /// <summary>The stored JSON; what is wrong with a new one is noted on the request.</summary>
    public static string Apply(RequestBody body, string before)
    {
        var after = body.Object(Field, before);
        if (body.Has(Field) && Problem(after) is { } problem)
        {
            body.Problem(Field, problem);
        }

        return after;
    }

    /// <summary>The scope and the owner of a model's budget: <c>team_model/payments:gpt-4</c>.</summary>
    public static string IdOf(string owner, string model) =>
        // A colon in an owner's name must not make two budgets one: the percent sign is in no id.
        BudgetId.Of($"{BudgetId.ScopeOf(owner)}{BudgetId.ModelScopeSuffix}", $"{BudgetId.OwnerOf(owner).Replace(":", "%3A", StringComparison.Ordinal)}:{model}");

    /// <summary>The budgets of a stored JSON.</summary>
    public static IEnumerable<ModelBudgetLimit> Of(string json)
    {
        if (json == "{}")
        {
            yield break;
        }

        foreach (var field in JsonElement.Parse(json).EnumerateObject())
        {
            // What a version before this one took without looking at it may be no budget.
            var duration = Duration(field.Value);
            if (Dollars(field.Value) is >= 0 and <= DollarsMax and var dollars && (duration is null || BudgetPeriod.TryParse(duration, out _)))
            {
                yield return new ModelBudgetLimit(field.Name, Money.FromDollars(dollars), duration);
            }
        }
    }

    private static string? Problem(string json)
    {
        var fields = JsonElement.Parse(json).EnumerateObject().ToArray();
        if (fields.Length > ModelsMax)
        {
            return $"has more than {ModelsMax} models.";
        }

        foreach (var field in fields)
        {
            var name = field.Name.Length <= 64 ? field.Name : field.Name[..64];
            if (field.Name.Length is 0 or > 200 || field.Name.Any(char.IsControl))
            {
                return "has a model without a name, or with one of more than 200 characters or with control characters.";
            }

            if (Dollars(field.Value) is not (>= 0 and <= DollarsMax))
            {
                return $"must say of '{name}' what may be spent, such as {{\"max_budget\": 5, \"budget_duration\": \"1d\"}}, in dollars from 0 to {DollarsMax:0}.";
            }

            if (Duration(field.Value) is { } duration && !BudgetPeriod.TryParse(duration, out _))
            {
                return $"says of '{name}' a budget_duration that is none of 30s 30m 24h 7d 30d 1mo.";
            }
        }

        return null;
    }

    private static decimal? Dollars(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Number when value.TryGetDecimal(out var dollars) => dollars,
        JsonValueKind.Object when Value(value, "max_budget", "budget_limit") is { ValueKind: JsonValueKind.Number } number && number.TryGetDecimal(out var dollars) => dollars,
        _ => null,
    };

    private static string? Duration(JsonElement value) =>
        value.ValueKind == JsonValueKind.Object && Value(value, "budget_duration", "time_period") is { ValueKind: not JsonValueKind.Null } duration
            ? duration.ValueKind == JsonValueKind.String ? duration.GetString() : duration.GetRawText()
            : null;

    private static JsonElement? Value(JsonElement from, string name, string otherName) =>
        from.TryGetProperty(name, out var value) || from.TryGetProperty(otherName, out value) ? value : null;
}
