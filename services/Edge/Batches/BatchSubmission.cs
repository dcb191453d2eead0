using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Files;
using Gateway.Edge.Flow;
using Gateway.Edge.Metering;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using Gateway.Pricing;

namespace Gateway.Edge.Batches;

/// <summary>
/// <c>POST /v1/batches</c>: the worst case of all lines is reserved and charged, and what the batch did cost takes its place when it is over
/// (<see cref="BatchSettlement"/>). Made for one request, unlike other operations.
/// Before the provider is called the batch is noted at Ledger, with its usage record; afterwards it is told to be open. It is never sent twice. Where
/// no answer came it is charged all the same, and where the edge died it is what Ledger has: <see cref="BatchWatch"/> asks the provider whether it has the batch, by
/// what stands in its metadata, and takes the charge back when it has not.
/// </summary>
internal sealed class BatchSubmission(
    FileRegistry files, BatchRegistry batches, BatchWatch watch, DefinedBudgets budgets, Settlement settlement, TimeProvider time) : Operation
{
    /// <summary>Where a batch has the gateway's id of it, at its provider. Its owner does not see it.</summary>
    public const string IdKey = "gateway_batch_id";

    /// <summary>OpenAI's bound.</summary>
    private const int MetadataMax = 16;

    private ProviderFile file = null!;
    private JsonObject asked = null!;
    private ProviderBatch? noted;
    private bool sent;

    public override string CallType => UsageRecord.BatchCall;

    public override string Name => "batch";

    public override bool OutlivesClient => true;

    public override async ValueTask<GatewayError?> ReadAsync(RequestExchange exchange, long bytesMax) =>
        await base.ReadAsync(exchange, bytesMax) ?? await FindInputAsync(exchange);

    public override long WorstCase(RequestExchange exchange, ModelGroup group) => file.Lines!.WorstCase.NanoDollars;

    // All or nothing: it cannot be watched while it runs.
    public override CostEstimate Cost(RequestExchange exchange, ModelGroup group) => new(WorstCase(exchange, group), WorstCase(exchange, group), Learned: true);

    // Its tokens are used within a day, and no limit per minute is about them.
    public override long Tokens(RequestExchange exchange) => 1;

    public override GatewayError OverBudget(GatewayError refusal) => refusal.Code != "budget_exceeded" ? refusal : refusal with
    {
        Message = $"{refusal.Message} This batch of {file.Lines!.Count} lines may cost up to ${file.Lines.WorstCase.ToDollarText()}, and as much must be left: smaller max_tokens in its lines, or fewer lines, lower that.",
    };

    public override async ValueTask<GatewayError?> BeginAsync(RequestExchange exchange)
    {
        var group = exchange.Grant.Group;
        var target = Array.Find(group.Deployments, Serves)!;
        exchange.Units = new CostUnits(ServiceTier.Batch);
        var batch = new ProviderBatch
        {
            Id = BatchRegistry.NewId(), Owner = file.Owner, Model = file.Model, DeploymentId = file.DeploymentId, InputFileId = file.Id, Lines = file.Lines!, CreatedAt = exchange.StartedAt,
            Submission = settlement.Submission(
                exchange, target, [.. budgets.WithTarget(target.Budgets, exchange, group.Name, target.Provider, target.Id).Select(static slot => slot.Current().Window.Id)],
                target.Price is null ? Money.Zero : file.Lines!.WorstCase),
        };
        if (asked["metadata"] is not JsonObject metadata)
        {
            asked["metadata"] = metadata = [];
        }

        metadata[IdKey] = batch.Id;
        try
        {
            await batches.AddAsync(batch, watch.Every, exchange.Aborted);
            noted = batch;
            return null;
        }
        catch (RegistryAwayException)
        {
            return RegistryAwayException.Error;
        }
    }

    public override HttpRequestMessage MakeRequest(RequestExchange exchange, Deployment target, in ChatCall call, out ReadOnlyMemory<byte> body)
    {
        sent = true;
        body = FileAnswer.Bytes(asked);
        return new HttpRequestMessage(HttpMethod.Post, target.StoreAddress("batches")) { Content = new ReadOnlyMemoryContent(body) { Headers = { ContentType = new("application/json") } } };
    }

    public override bool MayRepeat(RequestExchange exchange) => exchange.FailedAttempts is [.., { Failure: "connection" or "status_429" or "budget" or "credential" }];

    public override async Task<RelayResult> RelayAsync(
        RequestExchange exchange, Deployment target, ChatCall call, HttpResponseMessage reply, long began, CancellationTokenSource timer)
    {
        var body = await ProviderStore.ReadAsync(reply.Content, timer.Token);
        exchange.FirstByteMicroseconds = exchange.UpstreamMicroseconds = (long)time.GetElapsedTime(began).TotalMicroseconds;
        target.Health.Answered(exchange.FirstByteMicroseconds);
        JsonObject answer;
        string providerId;
        try
        {
            (answer, providerId) = FileAnswer.Read(body);
        }
        catch (MalformedReplyException)
        {
            return new RelayResult(0, "malformed");
        }

        settlement.Submit(exchange, noted!.Submission with { DurationMicroseconds = exchange.ElapsedMicroseconds(time), FirstByteMicroseconds = exchange.FirstByteMicroseconds });
        var said = BatchLook.Of(answer, noted);
        await watch.TellAsync(noted.Id, new BatchChange(BatchState.Open, providerId, said.ToJsonString(EdgeJson.Writing.Options)), CancellationToken.None);
        var response = exchange.Context.Response;
        ReplyHeaders.Set(exchange, response);
        response.Headers["x-gateway-cost"] = response.Headers["x-litellm-response-cost"] = exchange.Record!.Cost.ToDollarText();
        try
        {
            await FileAnswer.WriteAsync(exchange.Context, said);
        }
        catch (Exception gone) when (gone is IOException or OperationCanceledException)
        {
            // The client has left: the batch runs, is recorded and charged, and stands in its list.
        }

        return new RelayResult(0);
    }

    public override async ValueTask<GatewayError> FailedAsync(RequestExchange exchange, GatewayError error)
    {
        if (noted is null || exchange.Record is not null)
        {
            return error;
        }

        error = error.Naming(file.ProviderId, file.Id);
        if (sent && MayBeThere(exchange, error))
        {
            // Charged until it is known. Clients would send it again by themselves.
            settlement.Submit(exchange, noted.Submission with { Status = error.Status, Outcome = UsageOutcome.UpstreamCut, FailedAttempts = exchange.FailedAttempts?.ToArray() });
            exchange.Context.Response.Headers["x-should-retry"] = "false";
            return error with { Message = $"{error.Message} It may have the batch {noted.Id} all the same, which is charged until that is known: GET /v1/batches shows it. Look there before you send it again." };
        }

        try
        {
            await batches.RemoveAsync(noted.Id, CancellationToken.None);
        }
        catch (RegistryAwayException)
        {
            // It is asked for at the provider, and not found.
        }

        return error;
    }

    protected override bool ServedBy(Deployment target) => target.Id == file.DeploymentId && target.StoreAddress("batches") is not null;

    protected override GatewayError? ReadHead(RequestExchange exchange)
    {
        if (RequestHead.TryRead(exchange.Body.Span, out exchange.Head, needsModel: false) is { } wrong)
        {
            return wrong;
        }

        try
        {
            asked = FileAnswer.ReadAsked(exchange.Body.Span);
            return Text("input_file_id") is null ? Missing("input_file_id", "the id of a file that was sent with the purpose batch")
                : Text("endpoint") is null ? Missing("endpoint", $"one of {BatchEndpoint.Paths}")
                : Text("completion_window") is null ? Missing("completion_window", "24h")
                : null;
        }
        catch (JsonException)
        {
            return GatewayError.InvalidJson;
        }
    }

    private async ValueTask<GatewayError?> FindInputAsync(RequestExchange exchange)
    {
        ProviderFile? input;
        try
        {
            input = await files.FindAsync(exchange.Caller, Text("input_file_id")!, exchange.Aborted);
        }
        catch (RegistryAwayException)
        {
            return RegistryAwayException.Error;
        }

        if (input is null)
        {
            return FilesRoutes.Unknown("input_file_id");
        }

        if (input.Lines is null)
        {
            return new GatewayError(400, "invalid_request", $"This file was sent with the purpose {input.Purpose}: send it again with the purpose batch.", "input_file_id");
        }

        if (BatchEndpoint.Find(Text("endpoint")) is not { } endpoint || endpoint.Path != input.Lines.Endpoint)
        {
            return new GatewayError(400, "invalid_request", $"endpoint must be {input.Lines.Endpoint}: that is what the lines of the input ask for.", "endpoint");
        }

        file = input;
        exchange.Head.ModelName = input.Model;
        exchange.Head.DisableFallbacks = true;
        asked["input_file_id"] = input.ProviderId;
        asked["endpoint"] = endpoint.Path;
        asked.Remove("model");
        asked.Remove("disable_fallbacks");
        if (asked["metadata"] is not JsonObject metadata)
        {
            return null;
        }

        if (metadata["tags"] is JsonArray)
        {
            // For the gateway: OpenAI's own metadata has only texts.
            metadata.Remove("tags");
        }

        return metadata.Count < MetadataMax ? null : new GatewayError(400, "invalid_request", $"metadata may have {MetadataMax - 1} entries: the gateway adds one.", "metadata");
    }

    // Refused or turned away, it is not there; broken off, failed in the middle, or answered by something in between, it may be.
    private static bool MayBeThere(RequestExchange exchange, GatewayError error) => error.Code == "internal_error" || exchange.FailedAttempts is
    [
        ..,
        {
            Failure: "timeout" or "broken" or "malformed" or "status_408"
                or (['s', 't', 'a', 't', 'u', 's', '_', '5', ..] and not ("status_501" or "status_503" or "status_529")),
        },
    ];

    private string? Text(string name) => FileAnswer.Text(asked[name]);

    private static GatewayError Missing(string field, string what) => new(400, "invalid_request", $"{field} is missing or no text: {what}.", field);
}
