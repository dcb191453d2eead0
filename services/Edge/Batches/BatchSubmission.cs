using System.Text.Json;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Admission.Budgets;
using Gateway.Edge.Chat;
using Gateway.Edge.Files;
using Gateway.Edge.Metering;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;
using Gateway.Pricing;

namespace Gateway.Edge.Batches;

/// <summary>
/// <c>POST /v1/batches</c>: the worst case of all lines is reserved and charged, and what the batch did cost takes its place when it is over
/// (<see cref="BatchSettlement"/>). Made for one request, unlike other operations.
/// The batch is noted at Ledger before its provider is called, and told to be open afterwards. An edge that dies in between leaves one that is
/// <see cref="BatchState.Submitting"/>, and a provider that answers nothing leaves one too; it becomes <see cref="BatchState.Unresolved"/>, with a log and a metric, because nobody can say whether the provider has it. It is charged its
/// estimate if the edge had come as far as its usage record, and nothing otherwise. It is never sent twice.
/// </summary>
internal sealed class BatchSubmission(FileRegistry files, BatchRegistry batches, BatchWatch watch, Settlement settlement, TimeProvider time) : Operation
{
    private ProviderFile file = null!;
    private JsonObject asked = null!;
    private ProviderBatch? noted;
    private bool sent;

    public override string CallType => UsageRecord.BatchCall;

    public override string Name => "batch";

    public override bool OutlivesClient => true;

    public override async ValueTask<GatewayError?> ReadAsync(ChatExchange exchange, long bytesMax) =>
        await base.ReadAsync(exchange, bytesMax) ?? await FindInputAsync(exchange);

    public override long WorstCase(ChatExchange exchange, ModelGroup group) => file.Lines!.WorstCase.NanoDollars;

    // All or nothing: it cannot be watched while it runs.
    public override CostEstimate Cost(ChatExchange exchange, ModelGroup group) => new(WorstCase(exchange, group), WorstCase(exchange, group), Learned: true);

    // Its tokens are used within a day, and no limit per minute is about them.
    public override long Tokens(ChatExchange exchange) => 1;

    public override GatewayError OverBudget(GatewayError refusal) => refusal.Code != "budget_exceeded" ? refusal : refusal with
    {
        Message = $"{refusal.Message} This batch of {file.Lines!.Count} lines may cost up to ${file.Lines.WorstCase.ToDollarText()}, and as much must be left: smaller max_tokens in its lines, or fewer lines, lower that.",
    };

    public override async ValueTask<GatewayError?> BeginAsync(ChatExchange exchange)
    {
        var batch = new ProviderBatch
        {
            Id = BatchRegistry.NewId(), Owner = file.Owner, Model = file.Model, DeploymentId = file.DeploymentId, InputFileId = file.Id, Lines = file.Lines!, CreatedAt = exchange.StartedAt,
        };
        try
        {
            await batches.AddAsync(batch, exchange.Aborted);
            noted = batch;
            return null;
        }
        catch (RegistryAwayException)
        {
            return RegistryAwayException.Error;
        }
    }

    public override HttpRequestMessage MakeRequest(ChatExchange exchange, Deployment target, in ChatCall call, out ReadOnlyMemory<byte> body)
    {
        sent = true;
        body = FileAnswer.Bytes(asked);
        return new HttpRequestMessage(HttpMethod.Post, target.StoreAddress("batches")) { Content = new ReadOnlyMemoryContent(body) { Headers = { ContentType = new("application/json") } } };
    }

    public override bool MayRepeat(ChatExchange exchange) => exchange.FailedAttempts is [.., { Failure: "connection" or "status_429" or "budget" or "credential" }];

    public override async Task<RelayResult> RelayAsync(
        ChatExchange exchange, Deployment target, ChatCall call, HttpResponseMessage reply, long began, CancellationTokenSource timer)
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

        exchange.Units = new CostUnits(ServiceTier.Batch);
        await settlement.SubmitAsync(exchange, target.Price is null ? Money.Zero : file.Lines!.WorstCase);
        var said = BatchLook.Of(answer, noted!);
        await watch.TellAsync(noted!.Id, new BatchChange(BatchState.Open, providerId, exchange.Record, said.ToJsonString(EdgeJson.Writing.Options)), CancellationToken.None);
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

    public override async Task WriteErrorAsync(ChatExchange exchange, GatewayError error)
    {
        if (sent && MayBeThere(exchange, error))
        {
            // Clients would send it again by themselves.
            exchange.Context.Response.Headers["x-should-retry"] = "false";
            error = error with { Message = $"{error.Message} The provider may have taken the batch all the same: ask your platform's administrators before you send it again." };
        }
        else if (noted is not null)
        {
            try
            {
                await batches.RemoveAsync(noted.Id, CancellationToken.None);
            }
            catch (RegistryAwayException)
            {
                // It stays among those that nobody knows of: somebody looks at one too many.
            }
        }

        await base.WriteErrorAsync(exchange, error);
    }

    protected override bool ServedBy(Deployment target) => target.Id == file.DeploymentId && target.StoreAddress("batches") is not null;

    protected override GatewayError? ReadHead(ChatExchange exchange)
    {
        if (ChatRequestHead.TryRead(exchange.Body.Span, out exchange.Head, needsModel: false) is { } wrong)
        {
            return wrong;
        }

        try
        {
            asked = JsonNode.Parse(exchange.Body.Span)!.AsObject();
            return Text("input_file_id") is null ? Missing("input_file_id", "the id of a file that was sent with the purpose batch")
                : Text("endpoint") is null ? Missing("endpoint", $"one of {BatchEndpoint.Paths}")
                : Text("completion_window") is null ? Missing("completion_window", "24h")
                : null;
        }
        catch (Exception broken) when (broken is JsonException or ArgumentException)
        {
            // A field that stands there twice.
            return GatewayError.InvalidJson;
        }
    }

    private async ValueTask<GatewayError?> FindInputAsync(ChatExchange exchange)
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
        exchange.OnlyDeployment = input.DeploymentId;
        exchange.Head.ModelName = input.Model;
        exchange.Head.DisableFallbacks = true;
        asked["input_file_id"] = input.ProviderId;
        asked["endpoint"] = endpoint.Path;
        asked.Remove("model");
        asked.Remove("disable_fallbacks");
        if (asked["metadata"] is JsonObject metadata && metadata["tags"] is JsonArray)
        {
            // For the gateway: OpenAI's own metadata has only texts.
            metadata.Remove("tags");
        }

        return null;
    }

    // Answered with a refusal it is not there; broken off, or answered by something in between, it may be.
    private static bool MayBeThere(ChatExchange exchange, GatewayError error) =>
        error.Code == "internal_error" || exchange.FailedAttempts is [.., { Failure: "timeout" or "broken" or "malformed" or "status_502" or "status_504" or "status_408" }];

    private string? Text(string name) => asked[name] is JsonValue value && value.TryGetValue<string>(out var text) && text.Length is > 0 and <= 256 ? text : null;

    private static GatewayError Missing(string field, string what) => new(400, "invalid_request", $"{field} is missing or no text: {what}.", field);
}
