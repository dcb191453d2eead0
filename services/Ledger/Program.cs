using Gateway.Contracts;
using Gateway.Ledger;
using Gateway.Ledger.Accounts;
using Gateway.Ledger.Budgets;
using Gateway.Ledger.Edges;
using Gateway.Ledger.Journal;
using Gateway.Ledger.Leases;
using Gateway.ServiceDefaults;
using Microsoft.Extensions.Hosting;

var builder = WebApplication.CreateBuilder(args);
builder.AddServiceDefaults();
builder.AddNpgsqlDataSource("ledger");
builder.AddRedisClient("redis");
builder.AddLedgerOptions();
builder.AddJournal();
builder.AddLeases();
builder.AddBudgets();
builder.AddAccounts();

var app = builder.Build();
app.UseProblems();
app.MapDefaultEndpoints();
app.MapBudgets();
app.MapAccounts();
app.MapEdges();
await app.PrepareDatabaseAsync();
await app.RunAsync();
