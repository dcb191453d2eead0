namespace Gateway.SampleProvider.OpenAi.Files;

/// <summary>A file: what is said of it, and its bytes.</summary>
internal sealed record StoredFile(FileObject Object, byte[] Content);

/// <summary>OpenAI's <c>file</c> (https://platform.openai.com/docs/api-reference/files/object).</summary>
internal sealed record FileObject(string Id, long Bytes, long CreatedAt, long? ExpiresAt, string Filename, string Purpose) : IListed
{
    public string Object { get; } = "file";

    public string Status { get; } = "processed";

    public string? StatusDetails { get; }
}

/// <summary>What is said of a file that was deleted.</summary>
internal sealed record DeletedFile(string Id)
{
    public string Object { get; } = "file";

    public bool Deleted { get; } = true;
}
