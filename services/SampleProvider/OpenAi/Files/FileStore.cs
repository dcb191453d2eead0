using System.Globalization;
using Gateway.SampleProvider.Asking;
using Gateway.SampleProvider.Delivery;
using Gateway.SampleProvider.Scripts;

namespace Gateway.SampleProvider.OpenAi.Files;

/// <summary>Every file, of whatever key: the sample provider has no accounts.</summary>
internal sealed class FileStore
{
    private const int FilesMax = 2_000;
    private const long BytesMax = 512L * 1024 * 1024;

    private readonly Shelf<StoredFile> files = new(FilesMax, BytesMax, static file => file.Content.Length);

    public StoredFile Add(string name, string purpose, byte[] content, TimeSpan? lifetime)
    {
        var now = TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();
        var id = string.Create(CultureInfo.InvariantCulture, $"file-sAmPlE{Delivery.Delivery.NextId():x16}");
        var expiresAt = lifetime is { } time ? now + (long)time.TotalSeconds : (long?)null;
        var file = new StoredFile(new(id, content.Length, now, expiresAt, name, purpose), content);
        files.Add(id, file);
        return file;
    }

    public StoredFile? Find(string id) => files.Find(id);

    /// <summary>The refusal of a request that names a file which is not there; null when all are.</summary>
    public PreparedReply? Refusal(Dialect dialect, PreparedReply reply) => reply.Files.FirstOrDefault(id => Find(id) is null) is { } unknown
        ? dialect.Refuse(new Fault(404, $"No such File object: {unknown}", "file_id"), reply.Model, Script.None)
        : null;

    public bool Remove(string id) => files.Remove(id);

    public List<StoredFile> All() => files.All();
}
