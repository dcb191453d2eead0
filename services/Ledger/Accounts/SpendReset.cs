using Gateway.Contracts;
using Gateway.Ledger.Journal;
using Gateway.ServiceDefaults;
using Npgsql;

namespace Gateway.Ledger.Accounts;

/// <summary>
/// Takes off what an account has spent, by entries: the journal is never edited. What is booked after the look at the totals counts after
/// the reset, so it is in order with whatever settles meanwhile; two resets at once take turns.
/// </summary>
internal sealed class SpendReset(NpgsqlDataSource database, AccountTable accounts, Posting posting, TimeProvider clock) : IDisposable
{
    // Each holds a connection while the journal is written; its writer must always find one.
    private readonly SemaphoreSlim turns = new(2);

    private const string Reason = "reset_spend";

    public async Task<AccountReset> ResetAsync(ResetAccount asked, CancellationToken cancellation)
    {
        await turns.WaitAsync(cancellation);
        try
        {
            return await InTurnAsync(asked, cancellation);
        }
        finally
        {
            turns.Release();
        }
    }

    public void Dispose() => turns.Dispose();

    private async Task<AccountReset> InTurnAsync(ResetAccount asked, CancellationToken cancellation)
    {
        await using var connection = await database.OpenConnectionAsync(cancellation);
        await using var transaction = await connection.BeginTransactionAsync(cancellation);
        await using (var turn = new NpgsqlCommand("select pg_advisory_xact_lock(hashtextextended('reset_spend ' || $1, 0))", connection))
        {
            turn.Parameters.AddWithValue(asked.Account);
            await turn.ExecuteNonQueryAsync(cancellation);
        }

        var spent = (await accounts.SpendAsync([asked.Account], cancellation)).Accounts[0].Spent;
        var open = await accounts.OpenWindowsAsync([asked.Account], cancellation);
        var entries = new List<JournalEntry>();
        // An account with periods keeps what it spent since ever: its windows are what starts again.
        if (open.All(window => window.Window.Period is null))
        {
            Add(spent, [asked.Account], []);
        }

        foreach (var (_, window, state) in open)
        {
            Add(state.Spent, [], [window.Id]);
        }

        await posting.WriteAsync(entries, patient: false, cancellation);
        await transaction.CommitAsync(cancellation);
        return new(open.Count == 0 ? spent : new Money(open.Max(window => window.State.Spent.NanoDollars)), [.. (await accounts.OpenWindowsAsync([asked.Account], cancellation)).Select(window => window.State)]);

        void Add(Money from, string[] counted, string[] windows)
        {
            if (from > asked.To)
            {
                entries.Add(JournalRules.Adjustment(Guid.CreateVersion7(), clock.GetUtcNow(), asked.Account, asked.To - from, windows, Reason, asked.Author) with { Accounts = counted });
            }
        }
    }
}

/// <summary>Auth asks for it.</summary>
internal static class SpendResetEndpoint
{
    public static WebApplication MapSpendReset(this WebApplication app)
    {
        app.MapPost("/internal/accounts/reset", async (ResetAccount asked, SpendReset reset, CancellationToken cancellation) =>
            asked.Account is { Length: > 2 and <= 1_024 } && asked.To >= Money.Zero && asked.Author is { Length: > 0 and <= 512 }
                ? TypedResults.Json(await reset.ResetAsync(asked, cancellation), ContractsJson.Default.AccountReset)
                : Problems.Result(422, "invalid_request", "account, to (0 or more) and author are needed.", "account") as IResult).RequireService();
        return app;
    }
}
