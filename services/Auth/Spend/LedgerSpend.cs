using System.Text.Json;
using Gateway.Contracts;
using Gateway.ServiceDefaults;

namespace Gateway.Auth.Spend;

/// <summary>What Ledger has booked; without accounts when it did not answer.</summary>
internal sealed record SpendAnswer(IReadOnlyDictionary<string, AccountSpend>? Accounts, string? Error)
{
    public AccountSpend? Of(string account) =>
        Accounts is null ? null : Accounts.GetValueOrDefault(account) ?? new AccountSpend(account, Money.Zero, []);
}

/// <summary>Asks Ledger for what is booked, for many accounts at once. It never makes an answer wait for longer than two seconds.</summary>
internal sealed class LedgerSpend(HttpClient ledger, ILogger<LedgerSpend> logger)
{
    public static readonly TimeSpan Timeout = TimeSpan.FromSeconds(2);

    private const string NotThere = "Ledger does not answer, so the spending is not known now. Ask again in a moment.";

    public async Task<SpendAnswer> OfAsync(IReadOnlyCollection<string> accounts, CancellationToken cancellation)
    {
        if (accounts.Count == 0)
        {
            return new SpendAnswer(new Dictionary<string, AccountSpend>(), null);
        }

        try
        {
            using var content = JsonContent.Create(new AccountsQuery([.. accounts.Distinct(StringComparer.Ordinal)]), ContractsJson.Default.AccountsQuery);
            using var response = await ledger.PostAsync("/internal/accounts/spend", content, cancellation);
            response.EnsureSuccessStatusCode();
            var answer = await response.Content.ReadFromJsonAsync(ContractsJson.Default.AccountsSpend, cancellation);
            return new SpendAnswer(answer!.Accounts.ToDictionary(account => account.Account, StringComparer.Ordinal), null);
        }
        catch (Exception error) when (error is HttpRequestException or JsonException or OperationCanceledException or InvalidOperationException && !cancellation.IsCancellationRequested)
        {
            logger.SpendNotKnown(error.GetType().Name);
            return new SpendAnswer(null, NotThere);
        }
    }
}

internal static class SpendServices
{
    public static void AddSpend(this IHostApplicationBuilder builder) =>
        builder.Services.AddHttpClient<LedgerSpend>(http =>
            {
                http.BaseAddress = new Uri("http://ledger");
                // One try: an administrator asks again, and the rest of the answer does not depend on it.
                http.Timeout = LedgerSpend.Timeout;
            })
            .AddServiceSecret();
}
