using System.Net.Http.Headers;
using System.Text.Json.Nodes;
using Gateway.Contracts;
using Gateway.Edge.Admission.Access;
using Gateway.Edge.Batches;
using Gateway.Edge.Operations;
using Gateway.Edge.Providers;
using Gateway.Edge.Routing;

namespace Gateway.Edge.Files;

/// <summary>
/// <c>POST /v1/files</c>: 1. the form, 2. which model it is for, and of a batch's input every line, 3. to the provider, 4. noted whose it is.
/// It costs nothing; what a batch's input can cost is counted here and reserved when the batch is submitted.
/// </summary>
internal sealed class FileUpload(FreeRoute route, RoutingTables tables, ProviderStore providers, FileRegistry files, TimeProvider time) : IDisposable
{
    /// <summary>How many may be under way: each holds up to two files on disk.</summary>
    private const int AtOnceMax = 64;

    /// <summary>How many batches' lines are read at once: it takes a core each, and the others wait.</summary>
    private const int ReadingMax = 2;

    /// <summary>The end of the year 9999, and of what a date can say: beyond it is never.</summary>
    private const long UnixSecondsMax = 253_402_300_799;

    private const string BatchPurpose = "batch";

    /// <summary>A large file takes its time.</summary>
    private static readonly TimeSpan UploadMax = TimeSpan.FromMinutes(10);

    private static readonly string[] Purposes = [BatchPurpose, "user_data", "vision", "assistants", "fine-tune", "evals"];

    private readonly SemaphoreSlim reading = new(ReadingMax);
    private int underWay;

    public Task HandleAsync(HttpContext context) => route.HandleAsync(context, async (_, caller) =>
    {
        try
        {
            return Interlocked.Increment(ref underWay) <= AtOnceMax
                ? await AnswerAsync(context, caller)
                : new GatewayError(503, "temporarily_unavailable", "The gateway takes no more files at the moment. Try again shortly.", RetryAfter: TimeSpan.FromSeconds(5));
        }
        finally
        {
            Interlocked.Decrement(ref underWay);
        }
    });

    public void Dispose() => reading.Dispose();

    private async Task<GatewayError?> AnswerAsync(HttpContext context, Caller caller)
    {
        // 1. The form.
        var (read, broken) = await UploadForm.ReadAsync(context.Request, tables.Current.Configuration.General.MaxFileBytes, context.RequestAborted);
        if (read is null)
        {
            return broken;
        }

        await using var form = read;
        if (form["purpose"] is not { } purpose || !Purposes.Contains(purpose))
        {
            return new GatewayError(400, "invalid_request", $"purpose must be one of {string.Join(", ", Purposes)}.", "purpose");
        }

        // 2. Which model it is for.
        if (purpose != BatchPurpose)
        {
            var (named, model, refusal) = Find(caller, form, context.Request);
            return named is null ? refusal : await SendAsync(context, caller, form, form.File!, model, named, null);
        }

        await using var rewritten = UploadForm.NewFile();
        var input = new BatchInput((model, endpoint) => Choose(caller, model, endpoint.ServedBy, $"batches of {endpoint.Path}"));
        await reading.WaitAsync(context.RequestAborted);
        try
        {
            if (await input.CopyAsync(form.File!, rewritten, context.RequestAborted) is { } wrong)
            {
                return wrong;
            }
        }
        finally
        {
            reading.Release();
        }

        rewritten.Position = 0;
        return await SendAsync(context, caller, form, rewritten, input.Model!, input.Target!, input.Lines);
    }

    private (Deployment? Target, string Model, GatewayError? Error) Find(Caller caller, UploadForm form, HttpRequest request)
    {
        var model = form["model"] ?? form["target_model_names"]?.Split(',', StringSplitOptions.TrimEntries)[0] ?? request.Query["model"].FirstOrDefault();
        if (!string.IsNullOrEmpty(model))
        {
            var (target, error) = Choose(caller, model, static deployment => deployment.StoreAddress("files") is not null, "files");
            return (target, model, error);
        }

        // Where one account alone could be meant, it is.
        var table = tables.Current;
        (string Model, Deployment Target)[] able =
        [
            .. table.PublicNames.Where(caller.MayCall).Select(name => (Name: name, Grant: caller.Find(name, table))).Where(static found => found.Grant is { Granted: true })
                .SelectMany(static found => found.Grant!.Group.Deployments.Select(deployment => (found.Name, deployment))).Where(static pair => pair.deployment.StoreAddress("files") is not null),
        ];
        return able.Select(static pair => ProviderStore.AccountOf(pair.Target)).Distinct().Count() == 1
            ? (able[0].Target, able[0].Model, null)
            : (null, "", new GatewayError(400, "invalid_request", "The gateway has several providers: say for which model the file is, in the field model.", "model"));
    }

    private (Deployment? Target, GatewayError? Error) Choose(Caller caller, string model, Predicate<Deployment> serves, string what)
    {
        var table = tables.Current;
        if (caller.Find(model, table) is not { Granted: true } grant)
        {
            return (null, new GatewayError(403, "model_access_denied", $"This key may not use the model '{Shown(model)}', or there is none. GET /v1/models lists the models that it may use.", "model"));
        }

        if (!Array.Exists(grant.Group.Deployments, serves))
        {
            return (null, new GatewayError(400, "operation_unsupported", $"No provider of the model '{Shown(model)}' takes {what}.", "model"));
        }

        if (grant.Group.Callable.Length == 0)
        {
            return (null, new GatewayError(400, "model_unpriced", $"The model '{Shown(model)}' has no price, and this gateway refuses models without one.", "model"));
        }

        var order = Router.Order(grant.Group, table.Strategy, table.Configuration.Router.LatencyTtl, static () => Random.Shared.NextDouble());
        return Array.Find(order, deployment => serves(deployment) && grant.Group.Callable.Contains(deployment)) is { } target
            ? (target, null)
            : (null, new GatewayError(503, "no_healthy_target", $"No provider can take files for '{Shown(model)}' at the moment. Try again shortly.", RetryAfter: TimeSpan.FromSeconds(1)));
    }

    private async Task<GatewayError?> SendAsync(HttpContext context, Caller caller, UploadForm form, Stream bytes, string model, Deployment target, BatchLines? lines)
    {
        // 3. To the provider.
        var length = bytes.Length;
        var (json, error) = await providers.AskAsync(target, HttpMethod.Post, "files", Content(form, bytes), context.RequestAborted, UploadMax);
        if (error is not null)
        {
            return error;
        }

        string id;
        JsonObject answer;
        try
        {
            (answer, id) = FileAnswer.Read(json);
        }
        catch (MalformedReplyException)
        {
            return new GatewayError(502, "provider_error", "The provider answered what its protocol does not know.");
        }

        // 4. Noted whose it is. What cannot be noted is of no use to anybody.
        try
        {
            var file = await files.AddAsync(
                new ProviderFile
                {
                    Id = FileRegistry.NewId(), Owner = caller.Owner, Model = model, DeploymentId = target.Id, ProviderId = id, Purpose = form["purpose"]!, Filename = form.Filename, Bytes = length,
                    CreatedAt = time.GetUtcNow(), Lines = lines,
                    ExpiresAt = answer["expires_at"] is JsonValue expires && expires.TryGetValue<long>(out var seconds) && seconds is > 0 and <= UnixSecondsMax ? DateTimeOffset.FromUnixTimeSeconds(seconds) : null,
                },
                context.RequestAborted);
            await FileAnswer.WriteAsync(context, FileAnswer.Of(answer, file));
            return null;
        }
        catch (RegistryAwayException)
        {
            await providers.AskAsync(target, HttpMethod.Delete, $"files/{Uri.EscapeDataString(id)}", null, context.RequestAborted);
            return RegistryAwayException.Error;
        }
    }

    private static MultipartFormDataContent Content(UploadForm form, Stream bytes)
    {
        var file = new StreamContent(bytes);
        file.Headers.ContentType = MediaTypeHeaderValue.TryParse(form.ContentType, out var type) ? type : new MediaTypeHeaderValue("application/octet-stream");
        var content = new MultipartFormDataContent { { new StringContent(form["purpose"]!), "\"purpose\"" } };
        foreach (var (name, value) in form.Expiry)
        {
            content.Add(new StringContent(value), $"\"{string.Concat(name.Where(char.IsAscii).Where(static character => character is not '"' && !char.IsControl(character)))}\"");
        }

        content.Add(file, "\"file\"", $"\"{form.Filename}\"");
        return content;
    }

    private static string Shown(string name) => name.Length <= 100 ? name : name[..100] + "…";
}
