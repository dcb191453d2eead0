using System.Buffers;
using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using Gateway.Contracts;
using Gateway.Edge.Admission.Access;

namespace Gateway.Edge.Files;

/// <summary>Whose each file is that went through the gateway, and where it lies: asked of Ledger, by these routes alone.</summary>
/// <remarks>Every method throws <see cref="HttpRequestException"/>, or is cancelled by its client's timeout, while Ledger does not answer; <see cref="RegistryAwayException"/> says so.</remarks>
internal sealed class FileRegistry(HttpClient http)
{
    /// <summary>What each id begins with. Azure's are <c>file-</c> and 32 hexadecimal digits, OpenAI's <c>file-</c> and fewer characters: in a request the gateway's are told from both.</summary>
    public const string IdPrefix = "file-gw";

    private const int IdDigits = 32;
    private static readonly SearchValues<byte> Digits = SearchValues.Create("0123456789abcdef"u8);

    /// <summary>A new id of a file: unique and not to be guessed.</summary>
    public static string NewId() => IdPrefix + Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdDigits / 2));

    /// <summary>Whether a text has the form of an id of the gateway's.</summary>
    public static bool IsId(ReadOnlySpan<byte> text) =>
        text.Length == IdPrefix.Length + IdDigits && text.StartsWith("file-gw"u8) && !text[IdPrefix.Length..].ContainsAnyExcept(Digits);

    /// <summary>Notes a file; what comes back has the id that it is known by.</summary>
    public Task<ProviderFile> AddAsync(ProviderFile file, CancellationToken cancellation) => RegistryAwayException.GuardAsync(async () =>
    {
        using var reply = await http.PostAsJsonAsync("/internal/files", file, BatchesJson.Default.ProviderFile, cancellation);
        reply.EnsureSuccessStatusCode();
        return (await reply.Content.ReadFromJsonAsync(BatchesJson.Default.ProviderFile, cancellation))!;
    }, cancellation);

    /// <summary>The caller's file; null when there is none of that id, or it is another's.</summary>
    public Task<ProviderFile?> FindAsync(Caller caller, string id, CancellationToken cancellation) => RegistryAwayException.GuardAsync(async () =>
    {
        using var reply = await http.GetAsync($"/internal/files/{Uri.EscapeDataString(id)}?owner={Uri.EscapeDataString(caller.Owner)}", cancellation);
        return reply.StatusCode == HttpStatusCode.NotFound
            ? null
            : await reply.EnsureSuccessStatusCode().Content.ReadFromJsonAsync(BatchesJson.Default.ProviderFile, cancellation);
    }, cancellation);

    /// <summary>The caller's files, no more than <paramref name="most"/>.</summary>
    public Task<ProviderFile[]> ListAsync(Caller caller, string? purpose, string? after, bool oldestFirst, int most, CancellationToken cancellation) => RegistryAwayException.GuardAsync(
        async () => (await http.GetFromJsonAsync(
            $"/internal/files?owner={Uri.EscapeDataString(caller.Owner)}&limit={most}&oldestFirst={(oldestFirst ? "true" : "false")}"
            + (purpose is null ? "" : $"&purpose={Uri.EscapeDataString(purpose)}") + (after is null ? "" : $"&after={Uri.EscapeDataString(after)}"),
            BatchesJson.Default.ProviderFileArray, cancellation))!,
        cancellation);

    /// <summary>Forgets a file that its provider has deleted.</summary>
    public Task RemoveAsync(ProviderFile file, CancellationToken cancellation) => RegistryAwayException.GuardAsync(async () =>
    {
        using var reply = await http.DeleteAsync($"/internal/files/{file.Id}?owner={Uri.EscapeDataString(file.Owner)}", cancellation);
        return reply.StatusCode == HttpStatusCode.NotFound || reply.EnsureSuccessStatusCode().IsSuccessStatusCode;
    }, cancellation);
}

/// <summary>Ledger does not answer: nobody can say whose a file or a batch is.</summary>
internal sealed class RegistryAwayException(Exception why) : Exception("Ledger does not say whose files and batches are.", why)
{
    /// <summary>For the caller.</summary>
    public static readonly GatewayError Error = new(503, "temporarily_unavailable", "The gateway cannot look up files and batches at the moment. Try again shortly.", RetryAfter: TimeSpan.FromSeconds(1));

    /// <summary>Asks; a Ledger that does not answer is this exception, whatever went wrong.</summary>
    public static async Task<T> GuardAsync<T>(Func<Task<T>> ask, CancellationToken cancellation)
    {
        try
        {
            return await ask();
        }
        catch (Exception away) when (away is HttpRequestException or System.Text.Json.JsonException || (away is OperationCanceledException && !cancellation.IsCancellationRequested))
        {
            throw new RegistryAwayException(away);
        }
    }
}
