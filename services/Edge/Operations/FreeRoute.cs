using Gateway.Edge.Admission;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Admission.Rates;
using Gateway.Edge.Chat;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Operations;

/// <summary>
/// A request that costs nothing, such as looking at something that is stored at a provider: who calls, whether the route is granted, and the
/// limits of requests, before anything is looked up: an id that is guessed is a request, too.
/// </summary>
internal sealed class FreeRoute(Authentication authentication, RoutingTables tables)
{
    /// <summary>Answers a request, or says what is wrong with it.</summary>
    /// <param name="context">The request.</param>
    /// <param name="answer">Answers a caller who may ask; the error says what is wrong.</param>
    /// <param name="surface">How its client speaks; null for OpenAI's envelope.</param>
    public async Task HandleAsync(HttpContext context, Func<HttpContext, Caller, Task<GatewayError?>> answer, IChatSurface? surface = null)
    {
        using var gates = new EnteredGates();
        try
        {
            if (await AdmitAsync(context, gates, answer) is { } error)
            {
                await error.WriteAsync(context, surface);
            }
        }
        catch (Exception gone) when (gone is (IOException or OperationCanceledException) && context.RequestAborted.IsCancellationRequested)
        {
            // The client has left, and nothing is owed.
        }
        catch (BadHttpRequestException broken)
        {
            await new GatewayError(broken.StatusCode, "invalid_request", $"The request could not be read: {broken.Message}").WriteAsync(context, surface);
        }
        catch (CredentialException)
        {
            await GatewayError.NoCredential.WriteAsync(context, surface);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or OperationCanceledException)
        {
            if (context.Response.HasStarted)
            {
                context.Abort();
            }
            else
            {
                await new GatewayError(502, "provider_error", "The provider could not be reached.").WriteAsync(context, surface);
            }
        }
    }

    private async Task<GatewayError?> AdmitAsync(HttpContext context, EnteredGates gates, Func<HttpContext, Caller, Task<GatewayError?>> answer)
    {
        var (caller, refusal) = await authentication.AuthenticateAsync(context.Request);
        if (caller is null)
        {
            return refusal;
        }

        if (!RouteGrant.Allows(caller.Snapshot, context.Request.Path))
        {
            return RouteGrant.Denied;
        }

        return await gates.EnterAsync(caller, tables.GatewayGate, context.Response) ?? await answer(context, caller);
    }
}
