using Gateway.Edge.Admission;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Admission.Rates;
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
    public async Task HandleAsync(HttpContext context, Func<HttpContext, Caller, Task<GatewayError?>> answer)
    {
        using var gates = new EnteredGates();
        try
        {
            if (await AdmitAsync(context, gates, answer) is { } error)
            {
                await error.WriteAsync(context);
            }
        }
        catch (Exception gone) when (gone is (IOException or OperationCanceledException) && context.RequestAborted.IsCancellationRequested)
        {
            // The client has left, and nothing is owed.
        }
        catch (BadHttpRequestException broken)
        {
            await new GatewayError(broken.StatusCode, "invalid_request", $"The request could not be read: {broken.Message}").WriteAsync(context);
        }
        catch (CredentialException)
        {
            await GatewayError.NoCredential.WriteAsync(context);
        }
        catch (Exception failure) when (failure is HttpRequestException or IOException or OperationCanceledException)
        {
            if (context.Response.HasStarted)
            {
                context.Abort();
            }
            else
            {
                await new GatewayError(502, "provider_error", "The provider could not be reached.").WriteAsync(context);
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
