using Gateway.Contracts;
using Gateway.Edge.Admission;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Admission.Rates;
using Gateway.Edge.Chat;
using Gateway.Edge.Metering;
using Gateway.Edge.Operations;
using Gateway.Edge.Routing;
using Gateway.Pricing;

namespace Gateway.Edge.Flow;

/// <summary>
/// How a request to a model is handled, from top to bottom, whatever it asks of the model (<see cref="Operation"/>):
/// 1. who calls, 2. what is asked for, 3. whether it is granted, 4. how fast and how much, 5. route and forward, 6. settle.
/// After step 4 the request holds money and slots; step 6 gives them back on every way out.
/// </summary>
internal sealed class RequestFlow(
    Authentication authentication,
    RoutingTables tables,
    ChatOperation chat,
    RequestForwarder forwarder,
    DefinedBudgets budgets,
    Settlement settlement,
    Spool spool,
    EdgeMetrics metrics,
    EdgeLog log,
    TimeProvider time)
{
    /// <summary>The most calls to providers for one request, whatever retries and fallbacks are configured.</summary>
    private const int AttemptsMax = 12;

    /// <summary>Handles <c>POST /v1/chat/completions</c>.</summary>
    public Task HandleAsync(HttpContext context) => HandleAsync(context, chat);

    /// <summary>Handles a request for chat on another surface.</summary>
    public Task HandleAsync(HttpContext context, IChatSurface surface) => HandleAsync(context, chat, surface);

    /// <summary>Handles a request.</summary>
    /// <param name="context">The request.</param>
    /// <param name="operation">What it asks for.</param>
    /// <param name="surface">How its client speaks of chat; null for OpenAI's own words.</param>
    /// <param name="modelInPath">The model, where the path names it and not the body.</param>
    public async Task HandleAsync(HttpContext context, Operation operation, IChatSurface? surface = null, string? modelInPath = null)
    {
        var exchange = new RequestExchange(context, time.GetUtcNow(), time.GetTimestamp(), Environment.TickCount64, operation, surface, modelInPath);
        using var span = EdgeTracing.Start(operation);
        GatewayError? error;
        try
        {
            error = await AdmitAsync(exchange) ?? await operation.BeginAsync(exchange);
            if (error is null)
            {
                // 5. Route and forward.
                error = await ForwardAsync(exchange);
            }
        }
        catch (OperationCanceledException) when (exchange.Aborted.IsCancellationRequested)
        {
            // The client has left before an answer began: nobody is there to be told.
            error = null;
            settlement.Abandon(exchange);
        }
        catch (BadHttpRequestException broken)
        {
            // The request itself is broken, or its client left while it was sent.
            error = new GatewayError(broken.StatusCode, "invalid_request", $"The request could not be read: {broken.Message}");
        }
        catch (Exception failure) when (failure is not OutOfMemoryException)
        {
            log.RequestFailed(exchange.Id, failure);
            error = new GatewayError(500, "internal_error", $"The gateway failed to handle this request ({exchange.Id}).");
        }

        try
        {
            if (error is not null)
            {
                error = await operation.FailedAsync(exchange, exchange.Head.Files?.Named(error) ?? error);

                // 6. Settle: what was reserved goes back, and a request that reached a provider is recorded before its answer.
                settlement.Refuse(exchange, error);
                if (!exchange.Begun)
                {
                    context.Response.Headers["x-gateway-request-id"] = exchange.Id.ToString();
                    if (error.Code == "budget_exceeded" || exchange.FailedAttempts is { Count: > 1 })
                    {
                        // OpenAI's and Anthropic's clients obey: what was tried several times here is not multiplied by what they would try.
                        context.Response.Headers["x-should-retry"] = "false";
                    }

                    await operation.WriteErrorAsync(exchange, error);
                }
                else
                {
                    context.Abort();
                }
            }
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // The client has left.
        }
        finally
        {
            exchange.Dispose();
            metrics.Handled(exchange, time);
            EdgeTracing.End(span, exchange, error);
        }
    }

    private async ValueTask<GatewayError?> AdmitAsync(RequestExchange exchange)
    {
        var context = exchange.Context;
        if (spool.Full || !budgets.Known)
        {
            return spool.Full ? GatewayError.SpoolFull : GatewayError.BudgetsUnknown;
        }

        // 1. Who calls.
        var (caller, refusal) = await authentication.AuthenticateAsync(context.Request);
        if (caller is null)
        {
            return refusal;
        }

        exchange.Caller = caller;
        if (!RouteGrant.Allows(caller.Snapshot, context.Request.Path))
        {
            return RouteGrant.Denied;
        }

        // 2. What is asked for.
        var table = tables.Current;
        if (await exchange.Operation.ReadAsync(exchange, table.Configuration.General.MaxRequestBytes) is { } wrong)
        {
            return wrong;
        }

        if (RequestLabels.Read(exchange, table.Configuration.General) is { } unfit)
        {
            return unfit;
        }

        // 3. Whether it is granted. An unknown name is told apart only for whoever may call every model: no one can probe for names.
        if (caller.Find(exchange.Head.ModelName, table) is not { } grant)
        {
            return caller.MayCall(exchange.Head.ModelName)
                ? new GatewayError(404, "model_not_found", $"There is no model '{Shown(exchange.Head.ModelName)}'. GET /v1/models lists yours.", "model")
                : Denied(exchange.Head.ModelName);
        }

        if (!grant.Granted)
        {
            return Denied(exchange.Head.ModelName);
        }

        exchange.Grant = grant;
        if (!Array.Exists(grant.Group.Deployments, exchange.Operation.Serves))
        {
            return new GatewayError(
                400, "operation_unsupported", $"No provider of the model '{Shown(exchange.Head.ModelName)}' can serve this route ({exchange.Operation.CallType}).", "model");
        }

        if (await exchange.Operation.PrepareAsync(exchange) is { } missing)
        {
            return missing;
        }

        // 4. How fast and how much.
        return await EnterGatesAsync(exchange) ?? await ReserveAsync(exchange, grant.Group);
    }

    private async ValueTask<GatewayError?> EnterGatesAsync(RequestExchange exchange)
    {
        foreach (var gate in exchange.Caller.Gates)
        {
            if (await EnterAsync(exchange, gate) is { } refusal)
            {
                return refusal;
            }
        }

        return tables.GatewayGate is { } all ? await EnterAsync(exchange, all) : null;
    }

    private static async ValueTask<GatewayError?> EnterAsync(RequestExchange exchange, RateGate gate)
    {
        var amount = gate.Definition.Kind == LimitKind.TokensPerMinute ? exchange.Operation.Tokens(exchange) : 1;
        var decision = await gate.EnterAsync(amount);
        if (!decision.Allowed)
        {
            return RateRefusal.Of(gate, decision, exchange.Context.Response);
        }

        exchange.Entered.Add((gate, amount, decision.Entry));
        return null;
    }

    private async ValueTask<GatewayError?> ReserveAsync(RequestExchange exchange, ModelGroup group)
    {
        if (group.Callable.Length == 0)
        {
            return new GatewayError(400, "model_unpriced", $"The model '{Shown(group.Name)}' has no price, and this gateway refuses models without one.", "model");
        }

        var asked = group == exchange.Grant.Group ? exchange.Head.ModelName : group.Name;
        var slots = budgets.With(exchange.Caller.BudgetsFor(asked, group.Name), exchange, group.Name);
        slots = tables.GatewayBudget is { } gateway ? [gateway, .. slots] : slots;
        exchange.Budgets = slots;
        if (slots.Length == 0)
        {
            return null;
        }

        if (slots.Length > BudgetTicket.BudgetsMax)
        {
            return new GatewayError(400, "invalid_request", $"This request is under more than {BudgetTicket.BudgetsMax} budgets: send fewer tags.", "metadata.tags");
        }

        var want = exchange.Operation.WorstCase(exchange, group);
        if (want == 0)
        {
            // A free model is not stopped by a budget that is used up.
            return null;
        }

        var taken = exchange.Ticket.TryReserve(slots, want);
        return taken == slots.Length ? null : await ReserveNearLimitAsync(exchange, group, slots, taken);
    }

    // Apart, because asking for the cost again needs an object that the warm path does not.
    private async ValueTask<GatewayError?> ReserveNearLimitAsync(RequestExchange exchange, ModelGroup group, BudgetSlot[] slots, int taken)
    {
        var refusal = await exchange.Ticket.ReserveAsync(slots, taken, () => exchange.Operation.Cost(exchange, group));
        if (refusal is null)
        {
            return null;
        }

        BudgetHeaders.Set(slots, exchange.Context.Response.Headers);
        return exchange.Operation.OverBudget(refusal.ToError(time));
    }

    private async ValueTask<GatewayError?> ForwardAsync(RequestExchange exchange)
    {
        var group = exchange.Grant.Group;
        var attempts = 0;
        var (error, kind) = await TryGroupAsync(exchange, group, attempts);
        if (error is null || exchange.Begun || exchange.Head.DisableFallbacks)
        {
            return error;
        }

        var names = kind switch
        {
            AttemptOutcome.ContextWindow => group.ContextWindowFallbacks,
            AttemptOutcome.ContentPolicy => group.ContentPolicyFallbacks,
            AttemptOutcome.CallersFault => [],
            _ => group.Fallbacks,
        };
        foreach (var name in names.Take(tables.Current.Configuration.Router.MaxFallbacks))
        {
            // A fallback never leads to a model that the caller may not use, nor to one that cannot do what is asked for or lacks what the request leans on.
            if (exchange.Caller.Find(name, tables.Current) is not { Granted: true } fallback || !Array.Exists(fallback.Group.Deployments, exchange.Operation.Serves)
                || (exchange.Fits is { } fits && !Array.Exists(fallback.Group.Deployments, fits)))
            {
                continue;
            }

            attempts = exchange.FailedAttempts?.Count ?? 0;
            if (attempts >= AttemptsMax)
            {
                break;
            }

            exchange.Ticket.Settle(Money.Zero);
            if (await ReserveAsync(exchange, fallback.Group) is { } refusal)
            {
                return refusal;
            }

            exchange.Fallbacks++;
            (error, _) = await TryGroupAsync(exchange, fallback.Group, attempts);
            if (error is null || exchange.Begun)
            {
                return error;
            }
        }

        return error;
    }

    private async ValueTask<(GatewayError? Error, AttemptOutcome Outcome)> TryGroupAsync(RequestExchange exchange, ModelGroup group, int attemptsBefore)
    {
        var table = tables.Current;
        var router = table.Configuration.Router;
        var order = Router.Order(group, table.Strategy, router.LatencyTtl, static () => Random.Shared.NextDouble());
        if (!Array.TrueForAll(order, exchange.Operation.Serves))
        {
            order = Array.FindAll(order, exchange.Operation.Serves);
        }

        if (Fitting(exchange, group, router, out var unfit) is not { } fitting)
        {
            return unfit;
        }

        if (fitting.Length != group.Deployments.Length)
        {
            order = Array.FindAll(order, fitting.Contains);
        }

        if (exchange.Fits is { } fits)
        {
            order = Array.FindAll(order, fits);
        }

        if (order.Length == 0)
        {
            return (new GatewayError(
                503,
                "no_healthy_target",
                $"No provider can take requests for '{Shown(group.Name)}' at the moment. Try again shortly.",
                RetryAfter: Router.CoolingFor(group) ?? TimeSpan.FromSeconds(1)), AttemptOutcome.Failed);
        }

        var tries = AttemptsMax - attemptsBefore;
        AttemptResult result = default;
        for (var i = 0; i < tries; i++)
        {
            var target = order[i % order.Length];
            if (i >= order.Length)
            {
                if (!Array.Exists(order, static deployment => !deployment.Health.Cooling))
                {
                    break;
                }

                if (target.Health.Cooling)
                {
                    continue;
                }

                // Every target was tried once: a pause before the next round, a little longer each time.
                var pause = TimeSpan.FromMilliseconds(Math.Min(2_000, 50 << Math.Min(6, i - order.Length)));
                await Task.Delay(pause > router.RetryAfter ? pause : router.RetryAfter, time, exchange.Aborted);
            }

            exchange.Target = target;
            result = await forwarder.AttemptAsync(exchange, group, target);
            if (result.Outcome == AttemptOutcome.Answered)
            {
                return (null, AttemptOutcome.Answered);
            }

            if (exchange.Begun || i >= group.Retries.After(result) || !exchange.Operation.MayRepeat(exchange))
            {
                break;
            }
        }

        return (result.Error, result.Outcome);
    }

    /// <summary>The deployments that may take this request at all; null with the reason when there is none.</summary>
    private static Deployment[]? Fitting(RequestExchange exchange, ModelGroup group, Configuration.RouterSettings router, out (GatewayError, AttemptOutcome) unfit)
    {
        unfit = default;
        var tagged = Eligibility.ByTags(group.Callable, router, exchange.Tags);
        if (tagged.Length == 0)
        {
            unfit = (new GatewayError(
                400, "invalid_request", $"No deployment of '{Shown(group.Name)}' has the tags of this request ({Shown(string.Join(", ", exchange.Tags))}), and none is the default one.",
                "metadata.tags"), AttemptOutcome.CallersFault);
            return null;
        }

        var tokens = router.EnablePreCallChecks && exchange.Operation.IsOnePrompt ? Estimates.Input(exchange) : 0;
        var fitting = Eligibility.ByContext(tagged, router, tokens);
        if (fitting.Length == 0)
        {
            unfit = (new GatewayError(
                400, "provider_context_length_exceeded", $"The prompt has about {tokens} tokens, and no deployment of '{Shown(group.Name)}' takes so many. Shorten it, or ask for another model.",
                "messages"), AttemptOutcome.ContextWindow);
            return null;
        }

        return fitting;
    }

    private static GatewayError Denied(string model) => new(
        403, "model_access_denied", $"This key may not use the model '{Shown(model)}'. GET /v1/models lists the models that it may use.", "model");

    // A name is the caller's own text: shown, but not at any length.
    private static string Shown(string name) => name.Length <= 100 ? name : name[..100] + "…";
}
