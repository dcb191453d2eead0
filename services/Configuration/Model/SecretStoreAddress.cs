namespace Gateway.Configuration;

/// <summary>Checks the addresses of stores, which come from the environment.</summary>
internal static class SecretStoreAddress
{
    /// <summary>What is wrong with an address; null when it is none or a good one.</summary>
    public static string? Problem(string variable, string? address, string example) =>
        address is null || (Uri.TryCreate(address, UriKind.Absolute, out var uri) && (uri.Scheme is "http" or "https"))
            ? null
            : $"{variable} is no address: write it as {example}.";
}
