using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Gateway.Contracts;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Files;

namespace Gateway.Edge.Batches;

/// <summary>Whose each batch is, where it runs and how far the gateway is with it: asked of Ledger. See <see cref="FileRegistry"/>.</summary>
internal sealed class BatchRegistry(HttpClient http)
{
    /// <summary>A new id of a batch: unique and not to be guessed.</summary>
    public static string NewId() => "batch_" + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(16));

    /// <summary>Notes a batch that is about to be submitted, to be looked at after a while if nothing more is heard of it.</summary>
    public Task AddAsync(ProviderBatch batch, TimeSpan lookAfter, CancellationToken cancellation) => RegistryAwayException.GuardAsync(async () =>
    {
        using var reply = await http.PostAsJsonAsync(
            string.Create(CultureInfo.InvariantCulture, $"/internal/batches?lookAfterMilliseconds={lookAfter.TotalMilliseconds:0}"), batch, BatchesJson.Default.ProviderBatch, cancellation);
        return reply.EnsureSuccessStatusCode().IsSuccessStatusCode;
    }, cancellation);

    /// <summary>Notes what became of a batch.</summary>
    public Task ChangeAsync(string id, BatchChange change, CancellationToken cancellation) => RegistryAwayException.GuardAsync(async () =>
    {
        using var reply = await http.PostAsJsonAsync($"/internal/batches/{id}", change, BatchesJson.Default.BatchChange, cancellation);
        return reply.EnsureSuccessStatusCode().IsSuccessStatusCode;
    }, cancellation);

    /// <summary>Forgets a batch that its provider refused.</summary>
    public Task RemoveAsync(string id, CancellationToken cancellation) => RegistryAwayException.GuardAsync(async () =>
    {
        using var reply = await http.DeleteAsync($"/internal/batches/{id}", cancellation);
        return reply.EnsureSuccessStatusCode().IsSuccessStatusCode;
    }, cancellation);

    /// <summary>The caller's batch; null when there is none of that id, or it is another's.</summary>
    public Task<ProviderBatch?> FindAsync(Caller caller, string id, CancellationToken cancellation) => RegistryAwayException.GuardAsync(async () =>
    {
        using var reply = await http.GetAsync($"/internal/batches/{Uri.EscapeDataString(id)}?owner={Uri.EscapeDataString(caller.Owner)}", cancellation);
        return reply.StatusCode == HttpStatusCode.NotFound
            ? null
            : await reply.EnsureSuccessStatusCode().Content.ReadFromJsonAsync(BatchesJson.Default.ProviderBatch, cancellation);
    }, cancellation);

    /// <summary>The caller's batches, no more than <paramref name="most"/>, the newest first.</summary>
    public Task<ProviderBatch[]> ListAsync(Caller caller, string? after, int most, CancellationToken cancellation) => RegistryAwayException.GuardAsync(
        async () => (await http.GetFromJsonAsync(
            $"/internal/batches?owner={Uri.EscapeDataString(caller.Owner)}&limit={most}" + (after is null ? "" : $"&after={Uri.EscapeDataString(after)}"),
            BatchesJson.Default.ProviderBatchArray, cancellation))!,
        cancellation);

    /// <summary>Batches that this edge is to look at, and no other until their next time.</summary>
    public Task<ProviderBatch[]> ClaimAsync(ClaimBatches claim, CancellationToken cancellation) => RegistryAwayException.GuardAsync(async () =>
    {
        using var reply = await http.PostAsJsonAsync("/internal/batches/claim", claim, BatchesJson.Default.ClaimBatches, cancellation);
        return (await reply.EnsureSuccessStatusCode().Content.ReadFromJsonAsync(BatchesJson.Default.ProviderBatchArray, cancellation))!;
    }, cancellation);
}
