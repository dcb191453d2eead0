using System.Globalization;
using System.Net;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Gateway.Configuration;
using Gateway.Edge.Providers;
using Gateway.Edge.Providers.Bedrock;

namespace Gateway.Edge.Credentials;

/// <summary>The keys of a role of Amazon's: a pod takes one with its token (IRSA), or a container has one and fetches its keys from an agent (EKS Pod Identity, ECS).</summary>
internal sealed class AwsRole(AwsSecretsSettings settings, HttpMessageInvoker http, TimeProvider time)
{
    private static readonly XNamespace Sts = "https://sts.amazonaws.com/doc/2011-06-15/";

    private readonly StoreCalls tokenService = new("AWS' token service", "AWS_ENDPOINT_URL_STS", http);
    private readonly StoreCalls agent = new("the container's agent", "AWS_CONTAINER_CREDENTIALS_FULL_URI", http);

    /// <summary>Fetches keys; says from when on they are fetched again.</summary>
    /// <exception cref="SecretUnavailableException">There are none.</exception>
    public async Task<(AwsCredentials Value, DateTimeOffset RenewAt)> FetchAsync()
    {
        var (keys, end) = settings.IsPod ? await OfPodAsync() : await OfContainerAsync();
        var now = time.GetUtcNow();
        return (keys, now + ((end - now) * 0.75));
    }

    /// <summary>https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRoleWithWebIdentity.html.</summary>
    private async Task<(AwsCredentials Keys, DateTimeOffset End)> OfPodAsync()
    {
        var region = settings.Region ?? throw new SecretUnavailableException("AWS_REGION_NAME is not set: a pod takes its role in a region.");
        var token = Encoding.UTF8.GetString(await new FileSecrets().ReadAsync(settings.WebIdentityTokenFile!, CancellationToken.None)).Trim();
        List<KeyValuePair<string, string>> form =
        [
            new("Action", "AssumeRoleWithWebIdentity"), new("Version", "2011-06-15"), new("RoleArn", settings.RoleArn!), new("RoleSessionName", settings.RoleSessionName),
            new("WebIdentityToken", token),
        ];
        var (status, body) = await tokenService.SendAsync(
            HttpMethod.Post, (settings.TokenEndpoint ?? AwsSecrets.AddressOf("sts", region)) + "/", request => request.Content = new FormUrlEncodedContent(form), CancellationToken.None);
        if (status != HttpStatusCode.OK)
        {
            throw new SecretUnavailableException($"AWS does not let the pod take its role (status {(int)status}): check AWS_ROLE_ARN and the role's trust policy.");
        }

        try
        {
            using var reader = XmlReader.Create(new MemoryStream(body));
            var keys = XDocument.Load(reader).Descendants(Sts + "Credentials").FirstOrDefault();
            string? Text(string name) => (string?)keys?.Element(Sts + name);
            return Text("AccessKeyId") is { } id && Text("SecretAccessKey") is { } secret
                ? (new AwsCredentials(id, secret, Text("SessionToken")), EndOf(Text("Expiration")))
                : throw new SecretUnavailableException("AWS' token service answers without keys: AWS_ENDPOINT_URL_STS leads to something else.");
        }
        catch (XmlException)
        {
            // Its message may quote the answer.
            throw new SecretUnavailableException("AWS' token service's answer is no XML: AWS_ENDPOINT_URL_STS leads to something else.");
        }
    }

    /// <summary>https://docs.aws.amazon.com/sdkref/latest/guide/feature-container-credentials.html.</summary>
    private async Task<(AwsCredentials Keys, DateTimeOffset End)> OfContainerAsync()
    {
        var token = settings.RoleTokenFile is { } file
            ? Encoding.UTF8.GetString(await new FileSecrets().ReadAsync(file, CancellationToken.None)).Trim()
            : settings.RoleToken?.Reveal();
        var (status, body) = await agent.SendAsync(
            HttpMethod.Get, settings.RoleAddress!,
            request =>
            {
                if (token is not null && !request.Headers.TryAddWithoutValidation("Authorization", token))
                {
                    throw new FormatException();
                }
            },
            CancellationToken.None);
        if (status != HttpStatusCode.OK)
        {
            throw new SecretUnavailableException($"the container's agent gives no keys (status {(int)status}): check that the container has a role.");
        }

        using var document = agent.Parse(body);
        var root = document.RootElement;
        return root.Field("AccessKeyId"u8).Text() is { } id && root.Field("SecretAccessKey"u8).Text() is { } secret
            ? (new AwsCredentials(id, secret, root.Field("Token"u8).Text()), EndOf(root.Field("Expiration"u8).Text()))
            : throw new SecretUnavailableException("the container's agent answers without keys: check that the container has a role.");
    }

    /// <summary>When keys end; those that do not say it are fetched again within the hour.</summary>
    private DateTimeOffset EndOf(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var end) ? end : time.GetUtcNow().AddHours(1);
}
