using System.Net.Http.Json;
using Gateway.Contracts;

namespace Gateway.Edge.Admission.Budgets;

/// <summary>Ledger, as far as an edge asks it: never on the warm path.</summary>
internal sealed class LedgerClient(HttpClient http)
{
    /// <summary>Opens windows in Redis. It answers within the client's timeout or throws <see cref="HttpRequestException"/>.</summary>
    public async Task<EnsuredBudgets> EnsureAsync(EnsureBudgets budgets, CancellationToken cancellation)
    {
        using var reply = await http.PostAsJsonAsync("/internal/budgets/ensure", budgets, ContractsJson.Default.EnsureBudgets, cancellation);
        reply.EnsureSuccessStatusCode();
        return await reply.Content.ReadFromJsonAsync(ContractsJson.Default.EnsuredBudgets, cancellation)
            ?? throw new HttpRequestException("Ledger answered nothing.");
    }

    /// <summary>The budgets that administrators made.</summary>
    public async Task<BudgetDefinition[]> DefinitionsAsync(CancellationToken cancellation) =>
        await http.GetFromJsonAsync("/internal/budgets/definitions", ContractsJson.Default.BudgetDefinitionArray, cancellation)
            ?? throw new HttpRequestException("Ledger answered nothing.");

    /// <summary>Says that an edge process is gone and that all its records are delivered.</summary>
    public async Task CloseEdgeAsync(string edgeId, CancellationToken cancellation)
    {
        using var reply = await http.PostAsJsonAsync(
            $"/internal/edges/{Uri.EscapeDataString(edgeId)}/closed", new EdgeClosed(edgeId), ContractsJson.Default.EdgeClosed, cancellation);
        reply.EnsureSuccessStatusCode();
    }
}
