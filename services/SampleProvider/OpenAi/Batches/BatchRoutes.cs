using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.OpenAi.Files;
using Gateway.SampleProvider.Scripts;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Mvc;

namespace Gateway.SampleProvider.OpenAi.Batches;

/// <summary><c>GET /v1/batches</c>, newest first.</summary>
internal sealed class ListBatches(BatchStore batches) : KeepingRoute("/v1/batches", OpenAiDialect.Instance)
{
    public override PreparedReply Reply(HttpRequest request, ReadOnlySpan<byte> body, Script script) =>
        ListPage<BatchObject>.Of(batches.All().Select(static batch => batch.Object), request, limitDefault: 20, limitMax: 100, out var fault) is { } page
            ? OpenAiObjects.Reply(page, OpenAiObjects.Default.ListPageBatchObject, script)
            : Dialect.Refuse(fault!, "", Script.None);
}

/// <summary><c>GET /v1/batches/{id}</c> and <c>POST /v1/batches/{id}/cancel</c>.</summary>
internal sealed class OneBatch(string path, BatchStore batches, Func<Batch, Fault?> act) : KeepingRoute(path, OpenAiDialect.Instance)
{
    public static Fault? Describe(Batch batch) => null;

    public static Fault? Cancel(Batch batch) =>
        batch.Cancel() ? null : new Fault(409, $"Cannot cancel a batch with status '{batch.Object.Status}'.");

    public override PreparedReply Reply(HttpRequest request, ReadOnlySpan<byte> body, Script script)
    {
        var id = (string)request.RouteValues["id"]!;
        if (batches.Find(id) is not { } batch)
        {
            return Dialect.Refuse(new Fault(404, $"No batch found with id '{id}'."), "", Script.None);
        }

        return act(batch) is { } fault
            ? Dialect.Refuse(fault, "", Script.None)
            : OpenAiObjects.Reply(batch.Object, OpenAiObjects.Default.BatchObject, script);
    }
}

internal static class BatchRoutes
{
    // A batch's file may have 200 MB; a little more is the form around it.
    private const long UploadBytesMax = 210_000_000;

    public static void MapFilesAndBatches(this WebApplication app)
    {
        var route = app.Services.GetRequiredService<ScriptedRoute>();
        var files = app.Services.GetRequiredService<FileStore>();
        var batches = app.Services.GetRequiredService<BatchStore>();
        RequestDelegate To(ProviderRoute answering) => context => route.Answer(context, answering);
        app.MapPost("/v1/files", To(new UploadFile(files))).WithMetadata(new RequestSizeLimitAttribute(UploadBytesMax));
        app.MapGet("/v1/files", To(new ListFiles(files)));
        app.MapGet("/v1/files/{id}", To(new OneFile("/v1/files/{id}", files, OneFile.Describe)));
        app.MapGet("/v1/files/{id}/content", To(new OneFile("/v1/files/{id}/content", files, OneFile.Download)));
        app.MapDelete("/v1/files/{id}", To(new OneFile("/v1/files/{id}", files, OneFile.Delete)));
        app.MapPost("/v1/batches", To(new CreateBatch(batches, files)));
        app.MapGet("/v1/batches", To(new ListBatches(batches)));
        app.MapGet("/v1/batches/{id}", To(new OneBatch("/v1/batches/{id}", batches, OneBatch.Describe)));
        app.MapPost("/v1/batches/{id}/cancel", To(new OneBatch("/v1/batches/{id}/cancel", batches, OneBatch.Cancel)));

        // The test's own: behind a gateway the provider's ids may be unknown, so there is a way without one.
        app.MapPost("/sample/batches/release", (BatchStore all) =>
        {
            all.All().ForEach(static batch => batch.Release());
            return TypedResults.NoContent();
        });
    }
}
