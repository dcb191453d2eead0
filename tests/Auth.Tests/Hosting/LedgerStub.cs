using System.Net.Http.Json;
using Gateway.Contracts;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Gateway.Auth.Tests.Hosting;

/// <summary>A Ledger that says what a test has booked, and counts the questions.</summary>
internal sealed class LedgerStub : IAsyncDisposable
{
    private readonly WebApplication app;
    private int questions;

    private LedgerStub(WebApplication app) => this.app = app;

    public string Address => app.Urls.First();

    public int Questions => questions;

    public Dictionary<string, AccountSpend> Booked { get; } = [];

    /// <summary>What it says of the budgets above a key.</summary>
    public BudgetState[] Above { get; set; } = [];

    /// <summary>The last question for them.</summary>
    public BudgetsAbove? AskedAbove { get; private set; }

    /// <summary>While set, questions wait for it.</summary>
    public Task? Hangs { get; set; }

    public static async Task<LedgerStub> StartAsync()
    {
        var app = WebApplication.CreateBuilder(["--urls=http://127.0.0.1:0"]).Build();
        var ledger = new LedgerStub(app);
        app.MapPost("/internal/accounts/spend", async (HttpContext context) =>
        {
            Interlocked.Increment(ref ledger.questions);
            Assert.NotEmpty(context.Request.Headers[ServiceHeaders.Secret].ToString());
            if (ledger.Hangs is { } hangs)
            {
                await hangs.WaitAsync(context.RequestAborted);
            }

            var query = await context.Request.ReadFromJsonAsync(ContractsJson.Default.AccountsQuery);
            var answer = query!.Accounts.Select(account => ledger.Booked.GetValueOrDefault(account) ?? new AccountSpend(account, Money.Zero, []));
            await context.Response.WriteAsJsonAsync(new AccountsSpend([.. answer]), ContractsJson.Default.AccountsSpend);
        });
        app.MapPost("/internal/budgets/above", async (HttpContext context) =>
        {
            ledger.AskedAbove = await context.Request.ReadFromJsonAsync(ContractsJson.Default.BudgetsAbove);
            await context.Response.WriteAsJsonAsync(ledger.Above, ContractsJson.Default.BudgetStateArray);
        });
        await app.StartAsync();
        return ledger;
    }

    public ValueTask DisposeAsync() => app.DisposeAsync();
}
