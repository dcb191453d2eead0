using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Files;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Batches;

/// <summary>What a provider says of a batch.</summary>
/// <param name="Answer">OpenAI's batch object, with the gateway's ids.</param>
/// <param name="Status">How far it is.</param>
/// <param name="OutputFile">The provider's id of its output; null while there is none.</param>
/// <param name="Completed">How many lines it says were answered.</param>
internal sealed record SeenBatch(JsonObject Answer, string Status, string? OutputFile, long Completed)
{
    /// <summary>Whether nothing more will happen to it.</summary>
    public bool IsOver => Status is "completed" or "failed" or "expired" or "cancelled";
}

/// <summary>Asks a provider how far a batch is, notes its output files as its owner's, and says it with the gateway's ids.</summary>
internal sealed class BatchLook(ProviderStore providers, FileRegistry files, BatchRegistry batches, TimeProvider time)
{
    private const int PagesMax = 100;

    /// <summary>How far a provider's clock may be behind.</summary>
    private const int ClockSecondsMax = 3_600;

    /// <summary>Asks (<c>GET</c>) or cancels (<c>POST</c>, <paramref name="action"/> = <c>/cancel</c>).</summary>
    /// <exception cref="MalformedReplyException">The answer is no batch.</exception>
    public async Task<(SeenBatch? Seen, GatewayError? Error)> AskAsync(ProviderBatch batch, Deployment target, HttpMethod method, string action, CancellationToken cancellation)
    {
        var (json, error) = await providers.AskAsync(target, method, $"batches/{Uri.EscapeDataString(batch.ProviderId!)}{action}", null, cancellation);
        if (error is not null)
        {
            return (null, error);
        }

        var (answer, _) = FileAnswer.Read(json);
        var output = FileAnswer.Text(answer["output_file_id"]);
        var seen = new SeenBatch(
            Of(answer, batch, await IdOfAsync(batch, output, "output", cancellation), await IdOfAsync(batch, FileAnswer.Text(answer["error_file_id"]), "error", cancellation)),
            FileAnswer.Text(answer["status"]) ?? "", output, (answer["request_counts"] as JsonObject)?["completed"] is JsonValue completed && completed.TryGetValue<long>(out var count) ? count : 0);
        var said = answer.ToJsonString(EdgeJson.Writing.Options);
        if (said != batch.Answer)
        {
            await batches.ChangeAsync(batch.Id, new BatchChange(Answer: said), cancellation);
        }

        return (seen, null);
    }

    /// <summary>Looks for a batch whose submission was not answered among those that its provider has.</summary>
    /// <returns>The provider's id and its word; no id when it has none such; the error when it cannot be asked.</returns>
    /// <exception cref="MalformedReplyException">The answer is no list.</exception>
    public async Task<(string? ProviderId, JsonObject? Answer, GatewayError? Error)> FindAsync(ProviderBatch batch, Deployment target, CancellationToken cancellation)
    {
        var after = "";
        for (var page = 0; page < PagesMax; page++)
        {
            var (json, error) = await providers.AskAsync(target, HttpMethod.Get, $"batches?limit=100{after}", null, cancellation);
            if (error is not null)
            {
                return (null, null, error);
            }

            var list = FileAnswer.ReadList(json);
            foreach (var item in list)
            {
                if (FileAnswer.Text((item["metadata"] as JsonObject)?[BatchSubmission.IdKey]) == batch.Id && FileAnswer.Text(item["id"]) is { } id)
                {
                    return (id, item, null);
                }
            }

            // The newest come first: what was made before the submission is not it.
            if (list is not [.., var last] || FileAnswer.Text(last["id"]) is not { } lastId
                || (last["created_at"] is JsonValue made && made.TryGetValue<long>(out var seconds) && seconds < batch.CreatedAt.ToUnixTimeSeconds() - ClockSecondsMax))
            {
                return (null, null, null);
            }

            after = $"&after={Uri.EscapeDataString(lastId)}";
        }

        return (null, null, new GatewayError(502, "provider_error", "The provider has more batches than are looked through."));
    }

    /// <summary>A provider's batch object with the gateway's ids. What else it says stays.</summary>
    public static JsonObject Of(JsonObject providers, ProviderBatch batch, string? outputFile = null, string? errorFile = null)
    {
        providers["id"] = batch.Id;
        providers["input_file_id"] = batch.InputFileId;
        providers["output_file_id"] = outputFile;
        providers["error_file_id"] = errorFile;
        if (providers["metadata"] is JsonObject metadata && metadata.Remove(BatchSubmission.IdKey) && metadata.Count == 0)
        {
            providers["metadata"] = null;
        }

        if (providers.ContainsKey("model"))
        {
            providers["model"] = batch.Model;
        }

        return providers;
    }

    /// <summary>A batch of which its provider has said nothing: it is on its way, or was when its edge died.</summary>
    public static JsonObject Of(ProviderBatch batch)
    {
        var lost = batch.State is BatchState.Unresolved or BatchState.Settled;
        return new JsonObject
        {
            ["id"] = batch.Id, ["object"] = "batch", ["endpoint"] = batch.Lines.Endpoint, ["input_file_id"] = batch.InputFileId, ["completion_window"] = "24h",
            ["status"] = lost ? "failed" : "validating", ["created_at"] = batch.CreatedAt.ToUnixTimeSeconds(), ["output_file_id"] = null, ["error_file_id"] = null,
            ["request_counts"] = new JsonObject { ["total"] = batch.Lines.Count, ["completed"] = 0, ["failed"] = 0 },
            ["errors"] = lost
                ? new JsonObject
                {
                    ["object"] = "list",
                    ["data"] = new JsonArray(new JsonObject { ["code"] = "provider_error", ["message"] = batch.State == BatchState.Settled
                        ? "The provider never took this batch, and it cost nothing. Submit it again."
                        : "The gateway does not know whether the provider took this batch. Your platform's administrators can see it there." }),
                }
                : null,
        };
    }

    private async Task<string?> IdOfAsync(ProviderBatch batch, string? providerId, string what, CancellationToken cancellation) => providerId is null ? null : (await files.AddAsync(
        new ProviderFile
        {
            Id = FileRegistry.NewId(), Owner = batch.Owner, Model = batch.Model, DeploymentId = batch.DeploymentId, ProviderId = providerId, Purpose = "batch_output",
            Filename = $"{batch.Id}_{what}.jsonl", CreatedAt = time.GetUtcNow(),
        },
        cancellation)).Id;
}
