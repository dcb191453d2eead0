using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Flow;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Operations;

/// <summary>
/// What a caller can ask of a model: chat, embeddings, … An operation says only what is its own: how its request is read, what it may
/// cost, who can serve it, how it is sent and how its answer is relayed. Who may, how fast, how much, where to and what is recorded is
/// <see cref="RequestFlow"/>'s, and the same for all. Operations have no state: what is known of a request stands in its exchange. The one
/// exception says so (<see cref="Batches.BatchSubmission"/>).
/// </summary>
internal abstract class Operation
{
    protected Operation() => Serves = ServedBy;

    /// <summary>Whether a deployment's protocol can serve it. Kept as a delegate, for none is made for each request.</summary>
    public Predicate<Deployment> Serves { get; }

    /// <summary>What the usage record calls it (LiteLLM's <c>call_type</c>).</summary>
    public abstract string CallType { get; }

    /// <summary>OpenTelemetry's <c>gen_ai.operation.name</c>.</summary>
    public abstract string Name { get; }

    /// <summary>Whether an answer can be stopped in the middle, at the end of the money.</summary>
    public virtual bool CanBeGuarded => false;

    /// <summary>Whether the whole body is one prompt, which must fit into a model's context. A list of texts need not.</summary>
    public virtual bool IsOnePrompt => false;

    /// <summary>Whether the answer is a stream when the caller asks for one.</summary>
    public virtual bool Streams => false;

    /// <summary>Whether a call goes on though its client has left: what it began at the provider is not undone by that.</summary>
    public virtual bool OutlivesClient => false;

    /// <summary>Reads what is asked for: the body, and of it the head. A JSON object, unless an operation has another form.</summary>
    public virtual async ValueTask<GatewayError?> ReadAsync(RequestExchange exchange, long bytesMax)
    {
        if (await RequestBody.ReadAsync(exchange.Context.Request, bytesMax, exchange.Aborted) is not { } body)
        {
            return GatewayError.TooLarge(bytesMax);
        }

        exchange.Body = body;
        return ReadHead(exchange) ?? (exchange.Head.Stream && !Streams
            ? new GatewayError(400, "invalid_request", "This route's answer comes in one piece: leave stream out.", "stream")
            : null);
    }

    /// <summary>Looks up what a granted request leans on, before it holds anything; the error says why it cannot go on.</summary>
    public virtual ValueTask<GatewayError?> PrepareAsync(RequestExchange exchange) => default;

    /// <summary>The most that it can cost, in nano-dollars: all that is asked while a budget has plenty.</summary>
    public abstract long WorstCase(RequestExchange exchange, ModelGroup group);

    /// <summary>The cost: at worst, and as expected. Asked near a budget's limit.</summary>
    public abstract CostEstimate Cost(RequestExchange exchange, ModelGroup group);

    /// <summary>The tokens expected, for limits on tokens.</summary>
    public abstract long Tokens(RequestExchange exchange);

    /// <summary>What must be done between the reservation and the first call; the error stops the request.</summary>
    public virtual ValueTask<GatewayError?> BeginAsync(RequestExchange exchange) => default;

    /// <summary>Whether the request may be sent again after the attempt that has just failed.</summary>
    public virtual bool MayRepeat(RequestExchange exchange) => true;

    /// <summary>What must be done when no attempt gave an answer, before the request is settled; what its caller is told then.</summary>
    public virtual ValueTask<GatewayError> FailedAsync(RequestExchange exchange, GatewayError error) => new(error);

    /// <summary>A budget's refusal, in words that help with this operation.</summary>
    public virtual GatewayError OverBudget(GatewayError refusal) => refusal;

    /// <summary>Writes one provider's request: its address, its body.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="target">Where to.</param>
    /// <param name="call">What the gateway decided.</param>
    /// <param name="body">The body where it was written here, to be signed; empty where the caller's own is sent.</param>
    /// <exception cref="UntranslatableRequestException">It cannot be said to this provider.</exception>
    public abstract HttpRequestMessage MakeRequest(RequestExchange exchange, Deployment target, in ChatCall call, out ReadOnlyMemory<byte> body);

    /// <summary>Relays an answer with a status of success: settles before the last byte, or says why another target may be tried.</summary>
    /// <param name="exchange">The request.</param>
    /// <param name="target">Who answers.</param>
    /// <param name="call">What the gateway decided.</param>
    /// <param name="reply">The answer's head.</param>
    /// <param name="began">When the call began.</param>
    /// <param name="timer">Ends the call when its time is over.</param>
    public abstract Task<RelayResult> RelayAsync(
        RequestExchange exchange, Deployment target, ChatCall call, HttpResponseMessage reply, long began, CancellationTokenSource timer);

    /// <summary>Writes an error as the whole answer, in the operation's own format.</summary>
    public virtual Task WriteErrorAsync(RequestExchange exchange, GatewayError error) => error.WriteAsync(exchange.Context);

    /// <summary>Reads what must be known of the body.</summary>
    protected virtual GatewayError? ReadHead(RequestExchange exchange) => RequestHead.TryRead(exchange.Body.Span, out exchange.Head, modelInPath: exchange.ModelInPath);

    /// <summary>Whether a deployment's protocol can serve it.</summary>
    protected virtual bool ServedBy(Deployment target) => true;
}
