using Gateway.Edge.Streaming;

namespace Gateway.Edge.Credentials;

/// <summary>Secrets in files, as Kubernetes and Docker mount them. The content decides, so a swapped link is seen as well.</summary>
internal sealed class FileSecrets : ISecretStore
{
    private const int BytesMax = 1 << 20;

    public async Task<byte[]> ReadAsync(string path, CancellationToken cancellation)
    {
        try
        {
            await using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
            return await file.ReadAllAsync(BytesMax, cancellation) ?? throw new SecretUnavailableException("the file is larger than 1 MiB. Name the file that holds the secret.");
        }
        catch (Exception wrong) when (wrong is FileNotFoundException or DirectoryNotFoundException)
        {
            throw new SecretUnavailableException("there is no such file. Mount it there, or name another one.");
        }
        catch (Exception wrong) when (wrong is IOException or UnauthorizedAccessException)
        {
            throw new SecretUnavailableException("the file cannot be read. Check its permissions.");
        }
    }
}
