using Gateway.Configuration.Yaml;

namespace Gateway.Configuration.Reading;

/// <summary>
/// Reads where a credential is: written out, <c>os.environ/NAME</c>, <c>file/PATH#field</c>, <c>vault/MOUNT/PATH#field</c>, or <c>aws/</c>, <c>google/</c> and
/// <c>azure/</c> with <c>NAME#field</c>.
/// </summary>
/// <param name="findings">What was found.</param>
/// <param name="folder">The folder that relative paths start from.</param>
internal sealed class SecretPlaces(Findings findings, string folder)
{
    /// <summary>The field that LiteLLM reads of a secret in Vault, and the one that is meant where none is named.</summary>
    public const string VaultField = "key";

    private static readonly SecretStoreKind[] Stores = Enum.GetValues<SecretStoreKind>();

    private Func<string, SecretLocation>? placeOf;
    private IReadOnlySet<string>? hosted;

    /// <summary><c>key_management_system</c>: what <c>os.environ/NAME</c> names may stand in a store.</summary>
    /// <param name="place">Where a name is.</param>
    /// <param name="names">The names that are there (<c>hosted_keys</c>); null for those that the environment does not have.</param>
    public void UseStore(Func<string, SecretLocation> place, IReadOnlySet<string>? names)
    {
        placeOf = place;
        hosted = names;
    }

    /// <summary>Whether a text names a place that only credentials of providers can be in.</summary>
    public static bool IsPlace(string text) => StoreOf(text) is not null;

    /// <summary>The credential; null when it is wrong, which is noted, or its variable is not set, which is not.</summary>
    public Secret? Read(YamlScalar scalar, string path, out string? missingVariable)
    {
        missingVariable = null;
        var text = scalar.Value.Trim();
        if (StoreOf(text) is not { } store)
        {
            return Findings.ReferenceIn(text) is { } variable ? OfVariable(variable, out missingVariable) : new Secret(text);
        }

        var (place, field) = Cut(text[(SecretLocation.NameOf(store).Length + 1)..]);
        if (field?.Length == 0 || !Fits(store, place))
        {
            var (message, remedy) = Wrong(store);
            findings.Error(scalar, path, scalar.Value, $"'{scalar.Value}' {message}", remedy);
            return null;
        }

        return new Secret(store switch
        {
            SecretStoreKind.File => new SecretLocation(store, Path.GetFullPath(place, folder), field),
            SecretStoreKind.Vault => new SecretLocation(store, place, field ?? VaultField),
            _ => new SecretLocation(store, place, field),
        });
    }

    /// <summary>The credential that a variable holds; null when it is not set.</summary>
    public Secret? OfVariable(string variable, out string? missing)
    {
        missing = null;
        if (hosted?.Contains(variable) != true && findings.Variable(variable) is { } value)
        {
            return new Secret(value, Findings.EnvironmentPrefix + variable);
        }

        if (placeOf is not null && hosted?.Contains(variable) != false)
        {
            return new Secret(placeOf(variable));
        }

        missing = variable;
        return null;
    }

    private static SecretStoreKind? StoreOf(string text) => text.IndexOf('/', StringComparison.Ordinal) is > 0 and var slash
        ? Stores.Select(static store => (SecretStoreKind?)store).FirstOrDefault(store => SecretLocation.NameOf(store!.Value) == text[..slash])
        : null;

    private static (string Path, string? Field) Cut(string text) => text.LastIndexOf('#') is >= 0 and var at ? (text[..at], text[(at + 1)..]) : (text, null);

    private static bool Fits(SecretStoreKind store, string place) => store switch
    {
        SecretStoreKind.File => place.Length > 0,
        SecretStoreKind.Vault => place.Contains('/', StringComparison.Ordinal) && IsPath(place, "-_.~ @+:"),
        // A name, or an ARN.
        SecretStoreKind.Aws => IsPath(place, "-_.@+=:"),
        SecretStoreKind.Google => IsPath(place, "-_:.") && NameOfGoogle(place) is { } name && IsPath(name, "-_"),
        _ => IsPath(place, "-") && !place.Contains('/', StringComparison.Ordinal),
    };

    private static string? NameOfGoogle(string place) => place.Split('/') switch
    {
        { Length: 1 } => place,
        ["projects", _, "secrets", var name] => name,
        ["projects", _, "secrets", var name, "versions", _] => name,
        _ => null,
    };

    private static bool IsPath(string path, string signs) => path.Split('/').All(part =>
        part is not ("" or "." or "..") && part.All(letter => char.IsAsciiLetterOrDigit(letter) || signs.Contains(letter, StringComparison.Ordinal)));

    private static (string Message, string Remedy) Wrong(SecretStoreKind store) => store switch
    {
        SecretStoreKind.File => ("names no file.", "Write file//run/secrets/openai, or file//run/secrets/all.json#openai for a field of a JSON object."),
        SecretStoreKind.Vault => ("names no secret of Vault.", "Write vault/MOUNT/PATH#field, such as vault/secret/payments/openai#api_key, without 'data' behind the mount."),
        SecretStoreKind.Aws => ("names no secret of AWS Secrets Manager.", "Write aws/NAME or its ARN, such as aws/payments/openai, with #field for a field of a JSON secret."),
        SecretStoreKind.Google => (
            "names no secret of Google Secret Manager.", "Write google/NAME or google/projects/PROJECT/secrets/NAME, with #field for a field of a JSON secret."),
        _ => ("names no secret of Azure Key Vault.", "Write azure/NAME, of letters, digits and '-', with #field for a field of a JSON secret."),
    };
}
