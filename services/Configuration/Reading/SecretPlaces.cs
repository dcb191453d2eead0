using Gateway.Configuration.Yaml;

namespace Gateway.Configuration.Reading;

/// <summary>Reads where a credential is: written out, <c>os.environ/NAME</c>, <c>file/PATH#field</c> or <c>vault/MOUNT/PATH#field</c>.</summary>
/// <param name="findings">What was found.</param>
/// <param name="folder">The folder that relative paths start from.</param>
internal sealed class SecretPlaces(Findings findings, string folder)
{
    /// <summary>The field that LiteLLM reads of a secret in Vault, and the one that is meant where none is named.</summary>
    public const string VaultField = "key";

    private const string FilePrefix = "file/";
    private const string VaultPrefix = "vault/";

    private string? vaultBase;
    private IReadOnlySet<string>? hosted;

    /// <summary><c>key_management_system: hashicorp_vault</c>: what <c>os.environ/NAME</c> names may stand in Vault.</summary>
    /// <param name="path">The mount and the path below it where the names are.</param>
    /// <param name="names">The names that are there (<c>hosted_keys</c>); null for those that the environment does not have.</param>
    public void UseVault(string path, IReadOnlySet<string>? names)
    {
        vaultBase = path;
        hosted = names;
    }

    /// <summary>Whether a text names a place that only credentials of providers can be in.</summary>
    public static bool IsPlace(string text) => text.StartsWith(FilePrefix, StringComparison.Ordinal) || text.StartsWith(VaultPrefix, StringComparison.Ordinal);

    /// <summary>The credential; null when it is wrong, which is noted, or its variable is not set, which is not.</summary>
    public Secret? Read(YamlScalar scalar, string path, out string? missingVariable)
    {
        missingVariable = null;
        var text = scalar.Value.Trim();
        if (text.StartsWith(FilePrefix, StringComparison.Ordinal))
        {
            var (file, field) = Cut(text[FilePrefix.Length..]);
            return file.Length == 0 || field?.Length == 0
                ? Wrong(scalar, path, "names no file.", "Write file//run/secrets/openai, or file//run/secrets/all.json#openai for a field of a JSON object.")
                : new Secret(new SecretLocation(SecretStoreKind.File, Path.GetFullPath(file, folder), field));
        }

        if (text.StartsWith(VaultPrefix, StringComparison.Ordinal))
        {
            var (secret, field) = Cut(text[VaultPrefix.Length..]);
            return IsVaultPath(secret) && field?.Length != 0
                ? new Secret(new SecretLocation(SecretStoreKind.Vault, secret, field ?? VaultField))
                : Wrong(scalar, path, "names no secret of Vault.", "Write vault/MOUNT/PATH#field, such as vault/secret/payments/openai#api_key, without 'data' behind the mount.");
        }

        return Findings.ReferenceIn(text) is { } variable ? OfVariable(variable, out missingVariable) : new Secret(text);
    }

    /// <summary>The credential that a variable holds; null when it is not set.</summary>
    public Secret? OfVariable(string variable, out string? missing)
    {
        missing = null;
        if (hosted?.Contains(variable) != true && findings.Variable(variable) is { } value)
        {
            return new Secret(value, Findings.EnvironmentPrefix + variable);
        }

        if (vaultBase is not null && hosted?.Contains(variable) != false)
        {
            return new Secret(new SecretLocation(SecretStoreKind.Vault, $"{vaultBase}/{variable}", VaultField));
        }

        missing = variable;
        return null;
    }

    private static (string Path, string? Field) Cut(string text) => text.LastIndexOf('#') is >= 0 and var at ? (text[..at], text[(at + 1)..]) : (text, null);

    private static bool IsVaultPath(string path) =>
        path.Split('/') is { Length: > 1 } parts && parts.All(static part => part is not ("" or "." or "..") && part.All(static letter => char.IsAsciiLetterOrDigit(letter) || letter is '-' or '_' or '.' or '~' or ' ' or '@' or '+' or ':'));

    private Secret? Wrong(YamlScalar scalar, string path, string message, string remedy)
    {
        findings.Error(scalar, path, scalar.Value, $"'{scalar.Value}' {message}", remedy);
        return null;
    }
}
