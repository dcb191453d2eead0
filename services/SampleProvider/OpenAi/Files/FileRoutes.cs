using System.Globalization;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;
using Microsoft.AspNetCore.Http;

namespace Gateway.SampleProvider.OpenAi.Files;

/// <summary><c>POST /v1/files</c>.</summary>
internal sealed class UploadFile(FileStore files) : KeepingRoute("/v1/files", OpenAiDialect.Instance)
{
    private static readonly TimeSpan BatchFileLifetime = TimeSpan.FromDays(30);
    private static readonly string[] Purposes = ["assistants", "batch", "evals", "fine-tune", "user_data", "vision"];

    public override PreparedReply Reply(HttpRequest request, ReadOnlySpan<byte> body, Script script)
    {
        var form = FormReader.Read(body);
        var purpose = form.GetValueOrDefault("purpose")?.Text;
        var file = form.GetValueOrDefault("file");
        var lifetime = purpose == "batch" ? BatchFileLifetime : (TimeSpan?)null;
        var fault = file is null ? new Fault(400, "Missing required parameter: 'file'.", "file", "missing_required_parameter")
            : purpose is null ? new Fault(400, "Missing required parameter: 'purpose'.", "purpose", "missing_required_parameter")
            : !Purposes.Contains(purpose) ? new Fault(400, $"'{purpose}' is not one of {string.Join(", ", Purposes)} - 'purpose'")
            : purpose == "batch" && !file.FileName.EndsWith(".jsonl", StringComparison.OrdinalIgnoreCase)
                ? new Fault(400, "Invalid file format for Batch API. Must be .jsonl")
            : file.Content.Length == 0 ? new Fault(400, "The file is empty.", "file")
            : !Lifetime(form, ref lifetime) ? new Fault(400, "Invalid 'expires_after': expected the anchor 'created_at' and 3600 to 2592000 seconds.", "expires_after", "invalid_value")
            : null;
        return fault is not null
            ? Dialect.Refuse(fault, "", Script.None)
            : OpenAiObjects.Reply(files.Add(file!.FileName, purpose!, file.Content, lifetime).Object, OpenAiObjects.Default.FileObject, script);
    }

    private static bool Lifetime(Dictionary<string, FormPart> form, ref TimeSpan? lifetime)
    {
        var anchor = form.GetValueOrDefault("expires_after[anchor]")?.Text;
        var asked = form.GetValueOrDefault("expires_after[seconds]")?.Text;
        if (anchor is null && asked is null)
        {
            return true;
        }

        var fits = int.TryParse(asked, NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) && seconds is >= 3_600 and <= 2_592_000;
        lifetime = TimeSpan.FromSeconds(seconds);
        return fits && anchor == "created_at";
    }
}

/// <summary><c>GET /v1/files</c>.</summary>
internal sealed class ListFiles(FileStore files) : KeepingRoute("/v1/files", OpenAiDialect.Instance)
{
    private const int LimitMax = 10_000;

    public override PreparedReply Reply(HttpRequest request, ReadOnlySpan<byte> body, Script script)
    {
        string? purpose = request.Query["purpose"];
        var matching = files.All().Select(static file => file.Object).Where(file => purpose is null || file.Purpose == purpose);
        return ListPage<FileObject>.Of(matching, request, LimitMax, LimitMax, out var fault) is { } page
            ? OpenAiObjects.Reply(page, OpenAiObjects.Default.ListPageFileObject, script)
            : Dialect.Refuse(fault!, "", Script.None);
    }
}

/// <summary>What is done with one file that is there: <c>GET</c> and <c>DELETE /v1/files/{id}</c>, <c>GET /v1/files/{id}/content</c>.</summary>
internal sealed class OneFile(string path, FileStore files, Func<StoredFile, FileStore, Script, PreparedReply> answer) : KeepingRoute(path, OpenAiDialect.Instance)
{
    public static PreparedReply Describe(StoredFile file, FileStore files, Script script) =>
        OpenAiObjects.Reply(file.Object, OpenAiObjects.Default.FileObject, script);

    public static PreparedReply Download(StoredFile file, FileStore files, Script script) =>
        new FrameWriter().Raw(file.Content).Bytes("application/octet-stream", "", script);

    public static PreparedReply Delete(StoredFile file, FileStore files, Script script)
    {
        files.Remove(file.Object.Id);
        return OpenAiObjects.Reply(new DeletedFile(file.Object.Id), OpenAiObjects.Default.DeletedFile, script);
    }

    public override PreparedReply Reply(HttpRequest request, ReadOnlySpan<byte> body, Script script)
    {
        var id = (string)request.RouteValues["id"]!;
        return files.Find(id) is { } file ? answer(file, files, script) : Dialect.Refuse(new Fault(404, $"No such File object: {id}", "id"), "", Script.None);
    }
}
