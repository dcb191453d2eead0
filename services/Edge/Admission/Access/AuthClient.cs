using System.Net;
using System.Net.Http.Json;
using System.Runtime.CompilerServices;
using System.Text.Json;
using Gateway.Contracts;

namespace Gateway.Edge.Admission.Access;

/// <summary>Auth, as far as an edge asks it: for a key that it does not know, and for what changes.</summary>
internal sealed class AuthClient(HttpClient http)
{
    /// <summary>The snapshot of a key; null when there is no such key.</summary>
    /// <exception cref="HttpRequestException">Auth does not answer, or not with what it should.</exception>
    public async Task<AccessSnapshot?> ResolveAsync(string key, CancellationToken cancellation)
    {
        using var reply = await http.PostAsJsonAsync("/internal/keys/resolve", new ResolveKey(key), ContractsJson.Default.ResolveKey, cancellation);
        if (reply.StatusCode == HttpStatusCode.NotFound && reply.Content.Headers.ContentType?.MediaType == "application/json")
        {
            var body = await reply.Content.ReadFromJsonAsync(EdgeJson.Default.ErrorEnvelope, cancellation);
            // Only Auth's own word that the key is unknown counts: a wrong address or a proxy in between also answers 404.
            return body?.Error.Code == "invalid_api_key" ? null : throw new HttpRequestException("Auth does not know the route.");
        }

        reply.EnsureSuccessStatusCode();
        return await reply.Content.ReadFromJsonAsync(ContractsJson.Default.AccessSnapshot, cancellation);
    }

    /// <summary>What changed after <paramref name="sequence"/>, as it happens; ends when the connection does.</summary>
    public async IAsyncEnumerable<AccessChange> ChangesAsync(long sequence, [EnumeratorCancellation] CancellationToken cancellation)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/internal/access/changes?after={sequence}");
        using var reply = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellation);
        reply.EnsureSuccessStatusCode();
        using var lines = new StreamReader(await reply.Content.ReadAsStreamAsync(cancellation));
        while (true)
        {
            // A heartbeat comes every second: a connection that is silent for longer is dead, whatever TCP says.
            using var silence = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            silence.CancelAfter(TimeSpan.FromSeconds(5));
            if (await lines.ReadLineAsync(silence.Token) is not { } line)
            {
                yield break;
            }

            if (line.Length > 0 && JsonSerializer.Deserialize(line, ContractsJson.Default.AccessChange) is { } change)
            {
                yield return change;
            }
        }
    }
}
