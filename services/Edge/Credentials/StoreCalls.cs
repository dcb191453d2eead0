using System.Net;
using System.Text.Json;
using Gateway.Edge.Streaming;

namespace Gateway.Edge.Credentials;

/// <summary>Calls of one store over HTTP: bounded in time and size, and whatever goes wrong is said without the secret.</summary>
/// <param name="name">What people call the store.</param>
/// <param name="variable">The variable that has its address.</param>
/// <param name="http">Sends.</param>
internal sealed class StoreCalls(string name, string variable, HttpMessageInvoker http)
{
    private const int BytesMax = 1 << 20;

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    /// <summary>Sends a request and reads its answer, whatever its status.</summary>
    /// <param name="method">The method.</param>
    /// <param name="address">The address.</param>
    /// <param name="prepare">Adds headers and body.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <exception cref="SecretUnavailableException">There was no answer.</exception>
    public async Task<(HttpStatusCode Status, byte[] Body)> SendAsync(HttpMethod method, string address, Action<HttpRequestMessage> prepare, CancellationToken cancellation)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        limit.CancelAfter(Limit);
        using var request = new HttpRequestMessage(method, address);
        var at = request.RequestUri!.GetLeftPart(UriPartial.Authority);
        try
        {
            prepare(request);
            using var reply = await http.SendAsync(request, limit.Token);
            await using var stream = await reply.Content.ReadAsStreamAsync(limit.Token);
            return (reply.StatusCode, await stream.ReadAllAsync(BytesMax, limit.Token) ?? throw new SecretUnavailableException($"{name}'s answer is larger than 1 MiB: {variable} leads to something else."));
        }
        catch (FormatException)
        {
            // Its message would quote the token.
            throw new SecretUnavailableException($"what is sent to {name} in a header, such as its token, has a line break in it.");
        }
        catch (Exception away) when (away is HttpRequestException or IOException)
        {
            throw new SecretUnavailableException($"{name} cannot be reached at {at}. Check {variable} and the network between.");
        }
        catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
        {
            throw new SecretUnavailableException($"{name} at {at} did not answer in {Limit.TotalSeconds:0} s.");
        }
    }

    /// <summary>An answer that has to be JSON.</summary>
    public JsonDocument Parse(byte[] body)
    {
        try
        {
            return JsonDocument.Parse(body);
        }
        catch (JsonException)
        {
            throw new SecretUnavailableException($"{name}'s answer is no JSON: {variable} leads to something else.");
        }
    }
}
