using Gateway.Contracts;
using Gateway.Ledger.Budgets;
using Gateway.Ledger.Leases;
using Gateway.ServiceDefaults;
using Npgsql;
using StackExchange.Redis;

namespace Gateway.Ledger.Accounts;

/// <summary>What is booked on accounts, and how their budgets stand.</summary>
internal sealed class AccountTable(NpgsqlDataSource database, BudgetTable budgets, LeaseStore store, TimeProvider clock)
{
    public const int AccountsMax = 1_000;

    /// <summary>Booked so far for each account asked for; 0 for an unknown one.</summary>
    public async Task<AccountsSpend> SpendAsync(string[] accounts, CancellationToken cancellation)
    {
        var spent = await SpentAsync(accounts, cancellation);
        var windows = await OpenWindowsAsync(accounts, cancellation);
        return new([.. accounts.Select(account => new AccountSpend(
            account, new(spent.GetValueOrDefault(account)), [.. windows.Where(window => window.BudgetId == account).Select(window => window.State)]))]);
    }

    /// <summary>The windows that are open now of the budgets named like the accounts.</summary>
    public async Task<List<(string BudgetId, BudgetWindow Window, WindowState State)>> OpenWindowsAsync(string[] accounts, CancellationToken cancellation)
    {
        return await OpenWindowsAsync((await budgets.OfAsync(accounts, cancellation)).Select(row => row.Definition), cancellation);
    }

    /// <summary>The windows of these budgets that are open now.</summary>
    public async Task<List<(string BudgetId, BudgetWindow Window, WindowState State)>> OpenWindowsAsync(IEnumerable<BudgetDefinition> definitions, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var open = definitions.Select(definition => (Definition: definition, Window: definition.WindowAt(now))).ToArray();
        if (open.Length == 0)
        {
            return [];
        }

        var booked = new Dictionary<string, long>(StringComparer.Ordinal);
        await using (var command = database.CreateCommand("select window_id, spent_nano from windows where window_id = any($1)"))
        {
            command.Parameters.AddWithValue(open.Select(pair => pair.Window.Id).ToArray());
            await using var reader = await command.ExecuteReaderAsync(cancellation);
            while (await reader.ReadAsync(cancellation))
            {
                booked[reader.GetString(0)] = reader.GetInt64(1);
            }
        }

        var leased = await Task.WhenAll(open.Select(pair => LeasedAsync(pair.Window.Id)));
        return [.. open.Zip(leased, (pair, lease) => (
            pair.Definition.Id, pair.Window, new WindowState(pair.Window.Id, pair.Definition.LimitAt(now), new(booked.GetValueOrDefault(pair.Window.Id)), new(lease))))];
    }

    private async Task<Dictionary<string, long>> SpentAsync(string[] accounts, CancellationToken cancellation)
    {
        await using var command = database.CreateCommand("select account, sum(spent_nano)::bigint from account_days where account = any($1) group by account");
        command.Parameters.AddWithValue(accounts);
        await using var reader = await command.ExecuteReaderAsync(cancellation);
        var spent = new Dictionary<string, long>(StringComparer.Ordinal);
        while (await reader.ReadAsync(cancellation))
        {
            spent[reader.GetString(0)] = reader.GetInt64(1);
        }

        return spent;
    }

    // What edges hold is Redis' knowledge alone; while it is away the answer is what is booked.
    private async Task<long> LeasedAsync(string windowId)
    {
        try
        {
            return (await store.ReadAsync(windowId))?.Leased ?? 0;
        }
        catch (Exception error) when (error is RedisException or TimeoutException)
        {
            return 0;
        }
    }
}

/// <summary>Auth asks for what <c>/key/info</c> and its like show.</summary>
internal static class AccountSpendEndpoint
{
    public static WebApplicationBuilder AddAccounts(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<AccountTable>();
        builder.Services.AddSingleton<SpendReset>();
        return builder;
    }

    public static WebApplication MapAccounts(this WebApplication app)
    {
        app.MapPost("/internal/accounts/spend", SpendAsync).RequireService();
        return app;
    }

    private static async Task<IResult> SpendAsync(AccountsQuery query, AccountTable accounts, CancellationToken cancellation) =>
        query.Accounts is { Length: <= AccountTable.AccountsMax }
            ? TypedResults.Json(await accounts.SpendAsync(query.Accounts, cancellation), ContractsJson.Default.AccountsSpend)
            : Problems.Result(422, "invalid_request", $"accounts must hold at most {AccountTable.AccountsMax} names.", "accounts");
}
