using Gateway.Contracts;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Admission.Rates;
using Gateway.Edge.Chat;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using Gateway.Pricing;

namespace Gateway.Edge.Flow;

/// <summary>One request on its way through <see cref="RequestFlow"/>: what is known of it so far.</summary>
internal sealed class RequestExchange(
    HttpContext context, DateTimeOffset startedAt, long startedTimestamp, long startedTicks, Operation operation, IChatSurface? surface, string? modelInPath) : IDisposable
{
    public HttpContext Context { get; } = context;

    /// <summary>What is asked for.</summary>
    public Operation Operation { get; } = operation;

    /// <summary>The model, where the path names it; then the body need not, and has no say.</summary>
    public string? ModelInPath { get; } = modelInPath;

    /// <summary>How the client speaks; null for OpenAI's own words.</summary>
    public IChatSurface? Surface { get; } = surface;

    /// <summary>Set while the target speaks the surface's own protocol: then bytes pass both ways.</summary>
    public IPassedProtocol? Passed { get; set; }

    /// <summary>The gateway's id of the request: the idempotency key of everything that follows.</summary>
    public Guid Id { get; } = RequestId.New(startedAt);

    public DateTimeOffset StartedAt { get; } = startedAt;

    public long StartedTimestamp { get; } = startedTimestamp;

    public long StartedTicks { get; } = startedTicks;

    /// <summary>Cancelled when the client leaves, unless the operation goes on without it.</summary>
    public CancellationToken Aborted => Operation.OutlivesClient ? default : Context.RequestAborted;

    public Caller Caller { get; set; } = null!;

    /// <summary>What was read of <see cref="Body"/>.</summary>
    public RequestHead Head;

    /// <summary>The request as the client sent it.</summary>
    public RequestBody Body;

    /// <summary>What of the reply cannot be said to the client.</summary>
    public ReplyLosses Losses { get; } = new();

    /// <summary>What is billed besides tokens, once it is known.</summary>
    public CostUnits Units;

    /// <summary>The answer says at which service tier it was made.</summary>
    public void ServedAt(ServiceTier? tier) => Units = tier is { } said ? Units with { Service = said } : Units;

    public ModelGrant Grant { get; set; } = null!;

    /// <summary>The key's tags and the request's own.</summary>
    public string[] Tags { get; set; } = [];

    /// <summary>The end user that the caller named.</summary>
    public string? EndUser { get; set; }

    /// <summary>The budgets that the request is under, those of its target left out.</summary>
    public BudgetSlot[] Budgets { get; set; } = [];

    /// <summary>Which deployments can serve it, where it leans on what not all of them have; null for all.</summary>
    public Predicate<Deployment>? Fits { get; private set; }

    /// <summary>What the caller's budgets hold for this request.</summary>
    public BudgetTicket Ticket { get; } = new();

    /// <summary>What the deployment's and the provider's budgets hold for this attempt.</summary>
    public BudgetTicket TargetTicket { get; } = new();

    /// <summary>The rate gates entered, how much was taken, and the gate's mark of the entry.</summary>
    public List<(RateGate Gate, long Amount, long Entry)> Entered { get; } = [];

    /// <summary>The target that is being tried, or was last.</summary>
    public Deployment? Target { get; set; }

    public List<FailedAttempt>? FailedAttempts { get; set; }

    public int Fallbacks { get; set; }

    /// <summary>The code of the error that the caller got; null when it got an answer.</summary>
    public string? Refusal { get; set; }

    /// <summary>Until the provider's first byte; 0 before it.</summary>
    public long FirstByteMicroseconds { get; set; }

    /// <summary>How much of the time the provider took: the rest is the gateway's own.</summary>
    public long UpstreamMicroseconds { get; set; }

    /// <summary>Whether the answer has begun: from then on nothing is tried again.</summary>
    public bool Begun => Context.Response.HasStarted;

    /// <summary>The usage record, once it is written: a request has exactly one.</summary>
    public UsageRecord? Record { get; set; }

    public long ElapsedMicroseconds(TimeProvider time) => (long)time.GetElapsedTime(StartedTimestamp).TotalMicroseconds;

    /// <summary>The request where it is a form, and is read while it is sent.</summary>
    public FormBody? Form { get; set; }

    public void Dispose()
    {
        Body.Dispose();
        Form?.Dispose();
    }

    /// <summary>The request leans on what not every deployment has. False when no deployment of its model has all that it leans on.</summary>
    public bool Narrow(Predicate<Deployment> fits)
    {
        Fits = Fits is { } others ? deployment => others(deployment) && fits(deployment) : fits;
        return Array.Exists(Grant.Group.Deployments, Fits);
    }

    public void Failed(Deployment target, string failure) => (FailedAttempts ??= []).Add(new FailedAttempt(target.Id, failure));
}
