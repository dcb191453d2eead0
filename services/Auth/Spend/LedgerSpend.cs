using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
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

        var query = new AccountsQuery([.. accounts.Distinct(StringComparer.Ordinal)]);
        return await AskAsync("/internal/accounts/spend", query, ContractsJson.Default.AccountsQuery, ContractsJson.Default.AccountsSpend, cancellation) is { } answer
            ? new SpendAnswer(answer.Accounts.ToDictionary(account => account.Account, StringComparer.Ordinal), null)
            : new SpendAnswer(null, NotThere);
    }

    /// <summary>The budgets that every request of a key is under; null while Ledger does not answer.</summary>
    public Task<BudgetState[]?> AboveAsync(AccessSnapshot key, CancellationToken cancellation) => AskAsync(
        "/internal/budgets/above", new BudgetsAbove([.. key.Budgets, .. key.ModelBudgets.Select(static model => model.Budget)], key.Owners(), key.Tags), ContractsJson.Default.BudgetsAbove, ContractsJson.Default.BudgetStateArray, cancellation);

    /// <summary>Sets what an account has spent; null while Ledger does not answer.</summary>
    public Task<AccountReset?> ResetAsync(string account, Money to, string author, CancellationToken cancellation) => AskAsync(
        "/internal/accounts/reset", new ResetAccount(account, to, author), ContractsJson.Default.ResetAccount, ContractsJson.Default.AccountReset, cancellation);

    private async Task<TAnswer?> AskAsync<TQuestion, TAnswer>(
        string path, TQuestion question, JsonTypeInfo<TQuestion> questionType, JsonTypeInfo<TAnswer> answerType, CancellationToken cancellation)
        where TAnswer : class
    {
        try
        {
            using var content = JsonContent.Create(question, questionType);
            using var response = await ledger.PostAsync(path, content, cancellation);
            response.EnsureSuccessStatusCode();
            return await response.Content.ReadFromJsonAsync(answerType, cancellation);
        }
        catch (Exception error) when (error is HttpRequestException or JsonException or OperationCanceledException or InvalidOperationException && !cancellation.IsCancellationRequested)
        {
            logger.SpendNotKnown(error.GetType().Name);
            return null;
        }
    }
}

internal static class SpendServices
{
    public static void AddSpend(this IHostApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SpendResets>();
        builder.Services.AddHttpClient<LedgerSpend>(http =>
            {
                http.BaseAddress = new Uri("http://ledger");
                // One try: an administrator asks again, and the rest of the answer does not depend on it.
                http.Timeout = LedgerSpend.Timeout;
            })
            .AddServiceSecret();
    }
}
