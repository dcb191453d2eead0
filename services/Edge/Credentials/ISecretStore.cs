namespace Gateway.Edge.Credentials;

/// <summary>Reads secrets from where they are kept. A cloud's store is one more of these.</summary>
internal interface ISecretStore
{
    /// <summary>Reads what stands at a path: the secret itself, or a JSON object of several.</summary>
    /// <param name="path">The path, in the store's own form.</param>
    /// <param name="cancellation">Ends the reading.</param>
    /// <exception cref="SecretUnavailableException">It cannot be read.</exception>
    Task<byte[]> ReadAsync(string path, CancellationToken cancellation);
}

/// <summary>A secret cannot be read.</summary>
/// <param name="message">Why, and what to do; without the secret.</param>
internal sealed class SecretUnavailableException(string message) : Exception(message);
