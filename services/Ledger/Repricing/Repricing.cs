using System.Text.Json;
using System.Text.Json.Serialization;
using Gateway.Ledger.Budgets;
using Gateway.Pricing;
using Gateway.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Gateway.Ledger.Repricing;

/// <summary>The body of <c>POST /budget/reprice</c>.</summary>
internal sealed record RepricingBody
{
    /// <summary>The caller's id of this repricing: the same call again adds nothing. Left out, one is made and told.</summary>
    [JsonPropertyName("id")]
    public Guid? Id { get; init; }

    /// <summary>The first instant of the period.</summary>
    [JsonPropertyName("from")]
    public DateTimeOffset? From { get; init; }

    /// <summary>The first instant after it; now when left out.</summary>
    [JsonPropertyName("to")]
    public DateTimeOffset? To { get; init; }

    /// <summary>Only this provider's requests.</summary>
    [JsonPropertyName("provider")]
    public string? Provider { get; init; }

    /// <summary>Only requests to this model, by its provider's name.</summary>
    [JsonPropertyName("model")]
    public string? Model { get; init; }

    /// <summary>The prices, in the schema of a price file. Requests to models that it does not list stay as they are.</summary>
    [JsonPropertyName("prices")]
    public JsonElement? Prices { get; init; }

    /// <summary>Why. A dry run needs none.</summary>
    [JsonPropertyName("reason")]
    public string? Reason { get; init; }

    /// <summary>Only say what it would come to.</summary>
    [JsonPropertyName("dry_run")]
    public bool DryRun { get; init; }
}

/// <summary><c>POST /budget/reprice</c>: a period at other prices, as new entries of the journal.</summary>
internal static class Repricing
{
    private const int DaysMax = 400;

    // Windows are forgotten while a repricing runs, and it is sent again when it broke off.
    private static readonly TimeSpan ForgettingMargin = TimeSpan.FromDays(2);

    public static WebApplicationBuilder AddRepricing(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<Repricer>();
        return builder;
    }

    public static WebApplication MapRepricing(this WebApplication app)
    {
        app.MapPost("/budget/reprice", RepriceAsync).RequireAdmin();
        return app;
    }

    private static async Task<IResult> RepriceAsync(
        RepricingBody body, HttpContext context, Repricer repricer, IOptions<LedgerOptions> options, TimeProvider clock, CancellationToken cancellation)
    {
        var (asked, refusal) = Read(body, clock.GetUtcNow(), WindowRetention.KeptFor(options.Value) - ForgettingMargin);
        if (asked is null)
        {
            return refusal!;
        }

        var id = body.Id ?? Guid.CreateVersion7();
        try
        {
            return await repricer.RunAsync(id, asked, BudgetAdmin.AuthorOf(context), cancellation) is { } report
                ? TypedResults.Ok(report)
                : Problems.Result(409, "already_exists", $"Repricing {id} was asked for before with another period or other prices. Leave id out, or give another one.", "id");
        }
        catch (Exception error) when (error is HttpRequestException or JsonException || (error is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            return Problems.Result(503, "temporarily_unavailable", $"Metering does not answer, and the tokens of the requests are there. What was booked stays; send the same call again with id {id}.");
        }
    }

    private static (RepricingQuestion? Asked, JsonHttpResult<ErrorEnvelope>? Refusal) Read(RepricingBody body, DateTimeOffset now, TimeSpan windowsStayFor)
    {
        var to = body.To ?? now;
        if (body.From is not { } from || from >= to || to - from > TimeSpan.FromDays(DaysMax))
        {
            return (null, Problems.Result(422, "invalid_request", $"from must be an instant before to, at most {DaysMax} days: 2026-11-01T00:00:00Z.", "from"));
        }

        if (!body.DryRun && from < now - windowsStayFor)
        {
            return (null, Problems.Result(422, "invalid_request", $"from must be at most {windowsStayFor.TotalDays:0} days ago: the windows of older requests are forgotten, or may be while this runs. Ledger:WindowsKeptFor says for how long they are kept. A dry run may ask for older ones.", "from"));
        }

        if (body.Prices is not { ValueKind: JsonValueKind.Object } prices)
        {
            return (null, Problems.Result(422, "invalid_request", "prices is missing: an object in the schema of a price file, such as {\"schema\": 1, \"version\": \"2026-12\", \"prices\": [{\"provider\": \"openai\", \"model\": \"gpt-4\", \"input\": 30, \"output\": 60}]}.", "prices"));
        }

        var text = prices.GetRawText();
        var read = PriceCatalogue.Read(text, "prices");
        if (read.Catalogue is not { } catalogue)
        {
            return (null, Problems.Result(422, "invalid_request", string.Join(" ", read.Errors.Take(10)), "prices"));
        }

        return body.DryRun || (!string.IsNullOrWhiteSpace(body.Reason) && body.Reason.Length <= 1_000 && !body.Reason.Contains('\0', StringComparison.Ordinal))
            ? (new(from.ToUniversalTime(), to.ToUniversalTime(), body.Provider, body.Model, catalogue, text, body.Reason, body.DryRun), null)
            : (null, Problems.Result(422, "invalid_request", "reason is missing: it stands in each entry, in at most 1000 characters. A dry run needs none.", "reason"));
    }
}
