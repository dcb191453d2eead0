namespace Gateway.Configuration;

/// <summary>
/// A key or password, or the place where it is kept. It prints as <c>***</c>, so that no log, exception or debugger view shows it by accident.
/// </summary>
public sealed class Secret : IEquatable<Secret>
{
    private readonly string? value;

    /// <summary>Wraps <paramref name="value"/>.</summary>
    /// <param name="value">The value.</param>
    /// <param name="origin">Where it comes from; see <see cref="Origin"/>.</param>
    public Secret(string value, string origin = "config")
    {
        this.value = value;
        Origin = origin;
    }

    /// <summary>A secret that is kept elsewhere and changes there.</summary>
    public Secret(SecretLocation location)
    {
        Location = location;
        Origin = location.ToString();
    }

    /// <summary>What people call it by, in logs and reports: <c>os.environ/OPENAI_API_KEY</c>, its place, or <c>config</c> for one that is written out.</summary>
    public string Origin { get; }

    /// <summary>Where it is kept; null for one whose value is known.</summary>
    public SecretLocation? Location { get; }

    /// <summary>What a variable holds; null when it is not set.</summary>
    internal static Secret? OfVariable(Func<string, string?> variable, string name) => variable(name) is { } value ? new Secret(value, $"os.environ/{name}") : null;

    /// <summary>The value itself: for the one place that sends or compares it.</summary>
    /// <exception cref="InvalidOperationException">It is kept elsewhere.</exception>
    public string Reveal() => value ?? throw new InvalidOperationException($"{Origin} has to be read from where it is kept.");

    /// <inheritdoc/>
    public bool Equals(Secret? other) => other is not null && other.value == value && other.Location == Location;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Secret);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(value, Location);

    /// <summary>Never the value.</summary>
    public override string ToString() => "***";
}

/// <summary>Where secrets are kept besides the configuration and the environment.</summary>
public enum SecretStoreKind
{
    /// <summary>A file, as Kubernetes and Docker mount them.</summary>
    File,

    /// <summary>HashiCorp Vault's key-value store, version 2.</summary>
    Vault,

    /// <summary>AWS Secrets Manager.</summary>
    Aws,

    /// <summary>Google Secret Manager.</summary>
    Google,

    /// <summary>Azure Key Vault.</summary>
    Azure,
}

/// <summary>The place of one secret.</summary>
/// <param name="Store">The kind of store.</param>
/// <param name="Path">
/// An absolute path; in Vault the mount and the path below it: <c>secret/payments/openai</c>; in Amazon's store a name or an ARN; in Google's a name, or
/// <c>projects/P/secrets/NAME</c>, with <c>/versions/N</c> or without; in Azure's a name.
/// </param>
/// <param name="Field">The field of a JSON object; null for a secret that is the whole.</param>
public sealed record SecretLocation(SecretStoreKind Store, string Path, string? Field)
{
    /// <summary>How places of a kind of store begin: <c>vault</c>.</summary>
    public static string NameOf(SecretStoreKind store) => store switch
    {
        SecretStoreKind.Vault => "vault",
        SecretStoreKind.Aws => "aws",
        SecretStoreKind.Google => "google",
        SecretStoreKind.Azure => "azure",
        _ => "file",
    };

    /// <summary>As a configuration names it: <c>file//run/secrets/openai</c>, <c>vault/secret/payments/openai#key</c>.</summary>
    public override string ToString() => $"{NameOf(Store)}/{Path}{(Field is null ? "" : "#" + Field)}";
}
