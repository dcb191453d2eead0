using Gateway.Configuration.Schema;
using Gateway.Configuration.Yaml;

namespace Gateway.Configuration.Reading;

/// <summary>Reads <c>credential_list</c>.</summary>
internal sealed class CredentialListReader(Findings findings)
{
    private readonly Dictionary<string, int> lines = new(StringComparer.Ordinal);

    /// <summary>The credentials by name, and for each name of a wrong entry null: what refers to it is not wrong as well.</summary>
    public Dictionary<string, NamedCredential?> Read(YamlNode? list)
    {
        var credentials = new Dictionary<string, NamedCredential?>(StringComparer.Ordinal);
        foreach (var (node, path) in Values.List(findings, list, "credential_list"))
        {
            if (Section.Of(findings, node, path, ConfigSchema.CredentialEntry) is not { } entry)
            {
                continue;
            }

            var name = entry.Required("credential_name", "payments-openai");
            if (name is not null && !lines.TryAdd(name, entry.Value("credential_name")!.Line))
            {
                findings.Error(entry.Value("credential_name")!, entry.PathOf("credential_name"), name, $"the credential '{name}' stands on line {lines[name]} already.", "Give it another name.");
                continue;
            }

            if (entry.Value("credential_values") is null)
            {
                findings.Missing(entry.Node, entry.PathOf("credential_values"), "Write it with 'api_key: os.environ/NAME' below it.");
            }

            var values = entry.Child("credential_values", ConfigSchema.CredentialValues);
            _ = entry.Value("credential_info");
            var credential = values is null ? null : ReadValues(values, name ?? "");
            if (name is not null)
            {
                credentials[name] = credential;
            }
        }

        return credentials;
    }

    private NamedCredential? ReadValues(Section values, string name)
    {
        var errorsBefore = findings.Errors.Count;
        string? missing = null;
        var key = values.Scalar("api_key") is { Value.Length: > 0 } scalar ? findings.Places.Read(scalar, values.PathOf("api_key"), out missing) : null;
        if (missing is not null && !findings.IsDevelopment)
        {
            findings.Error(values.Value("api_key")!, values.PathOf("api_key"), null, $"the environment variable {missing} is not set.", "Set it, or name another place.");
        }

        var credential = new NamedCredential
        {
            Name = name,
            ApiKey = key,
            ApiBase = values.Url("api_base"),
            ApiVersion = values.Text("api_version"),
            Organization = values.Text("organization"),
            Aws = new AwsSettings(values.Text("aws_region_name"), values.Credential("aws_access_key_id"), values.Credential("aws_secret_access_key"), values.Credential("aws_session_token")) is var aws
                && aws == new AwsSettings(null, null, null, null) ? null : aws,
            Vertex = new VertexSettings(values.Text("vertex_project"), values.Text("vertex_location"), values.Credential("vertex_credentials")) is var vertex
                && vertex == new VertexSettings(null, null, null) ? null : vertex,
            MissingVariable = missing,
        };
        if (findings.Errors.Count > errorsBefore)
        {
            return null;
        }

        if (missing is null && credential is { ApiKey: null, Aws: not { AccessKeyId: not null, SecretAccessKey: not null }, Vertex: not { Credentials: not null } })
        {
            findings.Error(
                values.Node, values.Path, null, "it holds no credential.", "Write api_key, or aws_access_key_id with aws_secret_access_key, or vertex_credentials.");
            return null;
        }

        return credential;
    }
}
