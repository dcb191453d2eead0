using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Contracts;
using Gateway.ServiceDefaults;

namespace Gateway.Metering.Reports;

/// <summary>
/// A caller names a key by its id or by the key itself. Only Auth can tell which id a key has. The key is sent in a body, and is in no log.
/// </summary>
internal sealed class KeyLookup(HttpClient auth, ILogger<KeyLookup> logger)
{
    private const int IdLength = 64;

    public static IServiceCollection Add(IServiceCollection services)
    {
        // One try within a short time: a person waits, and can ask again.
        services.AddHttpClient<KeyLookup>(client =>
        {
            client.BaseAddress = new Uri("http://auth");
            client.Timeout = TimeSpan.FromSeconds(5);
        }).AddServiceSecret();
        return services;
    }

    /// <summary>The filter with the key's id in place of the key. An unknown key has no rows; Auth being away is an error.</summary>
    public async Task<(ReportFilter Filter, IResult? Refusal)> ResolveAsync(ReportFilter filter, CancellationToken cancellation)
    {
        if (filter.KeyId is not { } key)
        {
            return (filter, null);
        }

        if (key.Length == IdLength && key.All(char.IsAsciiHexDigit))
        {
            return (filter with { KeyId = key.ToLowerInvariant() }, null);
        }

        try
        {
            using var content = JsonContent.Create(new ResolveKey(key), ContractsJson.Default.ResolveKey);
            using var response = await auth.PostAsync("/internal/keys/resolve", content, cancellation);
            if (response.StatusCode == HttpStatusCode.NotFound)
            {
                // No name of ours has this form: nothing matches.
                return (filter with { KeyId = "unknown key" }, null);
            }

            response.EnsureSuccessStatusCode();
            var snapshot = await response.Content.ReadFromJsonAsync(ContractsJson.Default.AccessSnapshot, cancellation);
            return (filter with { KeyId = snapshot?.KeyId ?? "unknown key" }, null);
        }
        catch (Exception error) when (error is HttpRequestException or JsonException || (error is TaskCanceledException && !cancellation.IsCancellationRequested))
        {
            logger.KeyLookupFailed(error.GetType().Name);
            return (filter, Problems.Result(
                503, "temporarily_unavailable", "The service that knows keys does not answer. Try again, or give the key's id (64 hexadecimal digits).", "api_key"));
        }
    }
}
