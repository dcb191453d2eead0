using System.Buffers;
using System.Net;
using Gateway.Contracts;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Metering;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using Microsoft.Extensions.ObjectPool;

namespace Gateway.Edge.Flow;

/// <summary>
/// One call to one provider, whatever the operation: 1. its own budgets, 2. the request, 3. the reply's head in time, 4. the answer. Nothing
/// is sent to the client before the provider's first byte is here, so until then another target can take over.
/// </summary>
internal sealed class RequestForwarder(
    UpstreamClient upstream, RoutingTables tables, DefinedBudgets budgets, EdgeMetrics metrics, EdgeLog log, TimeProvider time)
{
    private const int ErrorBytesMax = 64 * 1024;

    private static readonly DefaultObjectPool<CancellationTokenSource> Timers = new(new TimerPolicy(), 256);

    /// <summary>Calls a target. Where it speaks the client's protocol, the client's bytes pass.</summary>
    public async Task<AttemptResult> AttemptAsync(RequestExchange exchange, ModelGroup group, Deployment target)
    {
        exchange.Passed = exchange.Surface is { } surface && target.PassedAddress(surface.Protocol) is not null ? surface.Passed : null;
        var mayRenew = true;
        while (true)
        {
            var result = await CallAsync(exchange, group, target, mayRenew);
            switch (result.Outcome)
            {
                case AttemptOutcome.NoSuchRoute:
                    // A compatible server that has the chat route alone: it is learned once, and the request is said in the hub's words.
                    target.LacksRouteOf(exchange.Surface!.Protocol);
                    exchange.Passed = null;
                    break;
                case AttemptOutcome.CredentialRenewed:
                    mayRenew = false;
                    break;
                default:
                    return result;
            }
        }
    }

    private async Task<AttemptResult> CallAsync(RequestExchange exchange, ModelGroup group, Deployment target, bool mayRenew)
    {
        var router = tables.Current.Configuration.Router;

        // 1. The deployment's and the provider's own budgets: one that is used up leaves the request to the next target.
        exchange.TargetTicket.Settle(Money.Zero);
        var slots = budgets.WithTarget(target.Budgets, exchange, group.Name, target.Provider, target.Id);
        if (slots.Length + exchange.Budgets.Length > BudgetTicket.WindowsMax)
        {
            return new AttemptResult(AttemptOutcome.CallersFault, false, new GatewayError(
                400, "invalid_request", $"With those of its provider and its deployment this request is under more than {BudgetTicket.WindowsMax} budgets: send fewer tags.", "metadata.tags"));
        }

        if (slots.Length > 0 && await ReserveTargetAsync(exchange, group, slots) is { } refusal)
        {
            exchange.Failed(target, "budget");
            return new AttemptResult(AttemptOutcome.Failed, true, exchange.Operation.OverBudget(refusal.ToError(time)));
        }

        // 2. The request. A guarded one is streamed in any case: it must be possible to stop it.
        var operation = exchange.Operation;
        var stream = exchange.Head.Stream || (operation.CanBeGuarded && (exchange.Ticket.Guarded || exchange.TargetTicket.Guarded));
        var call = new ChatCall(
            exchange.Id, exchange.Head.ModelName, target.ProviderModel, stream, exchange.StartedAt.ToUnixTimeSeconds(), target.MaxOutputTokens,
            target.Configuration.DropParams ?? tables.Current.Configuration.LiteLlm.DropParams)
        {
            Losses = exchange.Losses,
            BaseModel = target.Configuration.BaseModel,
        };
        exchange.Losses.Clear();
        HttpRequestMessage request;
        ReadOnlyMemory<byte> body;
        var access = target.Target;
        try
        {
            request = operation.MakeRequest(exchange, target, call, out body);
            UpstreamRequest.AddHeaders(exchange.Context.Request, exchange.Passed, tables.Current.Configuration.General, target, access, request);
            if (!body.IsEmpty)
            {
                target.Protocol.AddHeadersFor(body, request.Headers);
            }
        }
        catch (UntranslatableRequestException error)
        {
            return new AttemptResult(AttemptOutcome.CallersFault, false, new GatewayError(400, "invalid_request", error.Message, error.Param));
        }
        catch (CredentialException)
        {
            return mayRenew && await target.CredentialRenewedAsync(access, exchange.Aborted) ? new AttemptResult(AttemptOutcome.CredentialRenewed) : NoCredential(exchange, target);
        }

        var timer = Timers.Get();
        var began = time.GetTimestamp();
        var tokens = 0L;
        target.Health.Begin();
        using var leaves = exchange.Aborted.UnsafeRegister(static state => ((CancellationTokenSource)state!).Cancel(), timer);
        try
        {
            // 3. The reply's head, in time.
            var total = target.Configuration.Timeout ?? router.Timeout;
            timer.CancelAfter(stream ? target.Configuration.StreamTimeout ?? router.StreamTimeout ?? total : total);
            var several = SeveralCalls.Are(body);
            if (!several)
            {
                await target.Protocol.SignAsync(access, request, body, timer.Token);
            }

            using var reply = target.Configuration.MockResponse is { } fixedAnswer ? MockedReply.To(call, fixedAnswer)
                : several ? await SeveralCalls.SendAsync(upstream, target.Protocol, access, request, body, timer.Token)
                : await upstream.SendAsync(request, timer.Token);
            if (!reply.IsSuccessStatusCode)
            {
                return await RefusedAsync(exchange, target, mayRenew && exchange.Form is null ? access : null, reply, timer.Token);
            }

            // 4. The answer.
            var result = await operation.RelayAsync(exchange, target, call, reply, began, timer);
            tokens = result.Tokens;
            if (result.Refused is { } told)
            {
                return await RefusedAsync(exchange, target, mayRenew && exchange.Form is null ? access : null, told, timer.Token);
            }

            if (result.Failure is { } failure)
            {
                return Failed(exchange, target, failure, new GatewayError(502, "provider_error", "The provider broke off or answered what its protocol does not know."));
            }

            if (exchange.Losses.Names.Count > 0)
            {
                log.ReplyNotWhole(exchange.Id, exchange.Losses.Names);
            }

            return AttemptResult.Answered;
        }
        catch (Exception broken) when (exchange.Form?.Problem is not null && broken is HttpRequestException or IOException or OperationCanceledException)
        {
            // A form is read while it is sent: what is wrong with it is the caller's.
            return new AttemptResult(AttemptOutcome.CallersFault, false, exchange.Form!.Problem);
        }
        catch (OperationCanceledException) when (!exchange.Aborted.IsCancellationRequested)
        {
            return Failed(exchange, target, "timeout", new GatewayError(504, "provider_timeout", "The provider did not answer in time."));
        }
        catch (CredentialException)
        {
            return NoCredential(exchange, target);
        }
        catch (HttpRequestException error)
        {
            return Failed(exchange, target, error.HttpRequestError == HttpRequestError.ConnectionError ? "connection" : "broken", new GatewayError(502, "provider_error", "The provider could not be reached."));
        }
        catch (IOException)
        {
            return Failed(exchange, target, "broken", new GatewayError(502, "provider_error", "The provider broke off before it answered."));
        }
        finally
        {
            target.Health.End(tokens);
            request.Dispose();
            leaves.Dispose();
            Timers.Return(timer);
        }
    }

    // Apart, because asking for the cost again needs an object that calls without such budgets do not.
    private static ValueTask<BudgetRefusal?> ReserveTargetAsync(RequestExchange exchange, ModelGroup group, BudgetSlot[] slots) =>
        exchange.TargetTicket.ReserveAsync(slots, 0, () => exchange.Operation.Cost(exchange, group));

    private async Task<AttemptResult> RefusedAsync(RequestExchange exchange, Deployment target, ProviderTarget? renews, HttpResponseMessage reply, CancellationToken cancellation)
    {
        var status = (int)reply.StatusCode;
        var buffer = ArrayPool<byte>.Shared.Rent(ErrorBytesMax);
        var retryAfter = RetryAfterOf(reply);
        ProviderError error;
        AttemptResult result;
        try
        {
            var length = 0;
            await using var body = await UpstreamClient.OpenAsync(reply.Content, cancellation);
            int read;
            while (length < ErrorBytesMax && (read = await body.ReadAsync(buffer.AsMemory(length, ErrorBytesMax - length), cancellation)) > 0)
            {
                length += read;
            }

            error = target.Protocol.ReadError(status, buffer.AsSpan(0, length));
            if (exchange.Passed is not null && status is 404 or 405 && ErrorText.SaysNoSuchRoute(error.Message))
            {
                return new AttemptResult(AttemptOutcome.NoSuchRoute);
            }

            if (error.Kind == ProviderErrorKind.Authentication && renews is not null && await target.CredentialRenewedAsync(renews, cancellation))
            {
                return new AttemptResult(AttemptOutcome.CredentialRenewed);
            }

            result = AttemptResult.Of(error, status, retryAfter);
            if (exchange.Passed is not null && !target.Protocol.WrapsPassed && result.IsCallersFault && ErrorText.IsFit(buffer.AsSpan(0, length)))
            {
                // Client and provider speak the same: the error passes too.
                result = result with { Error = result.Error! with { Status = status, ProvidersBody = buffer[..length] } };
            }
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }

        var failure = $"status_{status}";
        if (result.Outcome == AttemptOutcome.Failed)
        {
            Failed(exchange, target, failure, result.Error!, error.Kind, retryAfter);
        }

        return result;
    }

    /// <summary>A stream that began with an error: what it means is what such an error's status would mean.</summary>
    private async ValueTask<AttemptResult> RefusedAsync(RequestExchange exchange, Deployment target, ProviderTarget? renews, ProviderError error, CancellationToken cancellation)
    {
        if (error.Kind == ProviderErrorKind.Authentication && renews is not null && await target.CredentialRenewedAsync(renews, cancellation))
        {
            return new AttemptResult(AttemptOutcome.CredentialRenewed);
        }

        var result = AttemptResult.Of(error, 400, retryAfter: null);
        return result.Outcome == AttemptOutcome.Failed ? Failed(exchange, target, "stream_error", result.Error!, error.Kind) : result;
    }

    private AttemptResult NoCredential(RequestExchange exchange, Deployment target) =>
        Failed(exchange, target, "credential", GatewayError.NoCredential, ProviderErrorKind.Authentication);

    private AttemptResult Failed(
        RequestExchange exchange, Deployment target, string failure, GatewayError error, ProviderErrorKind kind = ProviderErrorKind.Failed, TimeSpan? retryAfter = null)
    {
        exchange.Failed(target, failure);
        log.AttemptFailed(target.Id, failure, exchange.Id);
        metrics.AttemptFailed(target, failure);
        var router = tables.Current.Configuration.Router;
        var failures = target.Health.Failed();
        if (!router.DisableCooldowns && Cools(exchange, target, kind, failures, router) is { } rest)
        {
            rest = retryAfter > rest ? retryAfter.Value : rest;
            target.Health.Cool(rest);
            log.DeploymentCooled(target.Id, rest.TotalSeconds, failure);
        }

        return new AttemptResult(AttemptOutcome.Failed, true, error);
    }

    /// <summary>How long the target rests; null for not at all. A lone deployment rests only where the configuration says after how many failures.</summary>
    private static TimeSpan? Cools(RequestExchange exchange, Deployment target, ProviderErrorKind kind, long failures, Configuration.RouterSettings router)
    {
        var alone = exchange.Grant.Group.Deployments.Length == 1;
        var time = target.Configuration.CooldownTime ?? router.CooldownTime;
        if (alone)
        {
            return router.AllowedFailsIsStated && failures > router.AllowedFails ? time : null;
        }

        return kind is ProviderErrorKind.RateLimited or ProviderErrorKind.Authentication || failures > router.AllowedFails ? time : null;
    }

    private TimeSpan? RetryAfterOf(HttpResponseMessage reply) => reply.Headers.RetryAfter switch
    {
        { Delta: { } delta } => Bounded(delta),
        { Date: { } date } => Bounded(date - time.GetUtcNow()),
        _ => null,
    };

    private static TimeSpan Bounded(TimeSpan wait) =>
        wait < TimeSpan.Zero ? TimeSpan.Zero : wait > TimeSpan.FromMinutes(5) ? TimeSpan.FromMinutes(5) : wait;

    private sealed class TimerPolicy : PooledObjectPolicy<CancellationTokenSource>
    {
        public override CancellationTokenSource Create() => new();

        public override bool Return(CancellationTokenSource obj) => obj.TryReset();
    }
}

/// <summary>What relaying an answer gave.</summary>
/// <param name="Tokens">The tokens used.</param>
/// <param name="Failure">Why the client has received nothing and another target may be tried; null when it has its answer.</param>
/// <param name="Refused">The error with which the provider's stream began: the client has received nothing; null when it has its answer.</param>
internal readonly record struct RelayResult(long Tokens, string? Failure = null, ProviderError? Refused = null);
