using System.Globalization;

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

    public bool Remove(string id) => files.Remove(id);

    public List<StoredFile> All() => files.All();
}
