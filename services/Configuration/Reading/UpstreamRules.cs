using System.Net;

namespace Gateway.Configuration.Reading;

/// <summary>Reads what an administrator allows by name on the way to providers.</summary>
internal static class UpstreamRules
{
    private static readonly HashSet<string> Credentials = new(StringComparer.OrdinalIgnoreCase)
    {
        "authorization", "x-api-key", "api-key", "x-goog-api-key", "x-litellm-api-key", "ocp-apim-subscription-key", "proxy-authorization", "cookie",
    };

    // What belongs to one hop or to the transport.
    private static readonly HashSet<string> Kept = new(StringComparer.OrdinalIgnoreCase)
    {
        "host", "connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect", "content-length", "content-type", "content-encoding", "accept-encoding",
    };

    /// <summary>Whether a header is one that holds a credential.</summary>
    public static bool IsCredential(string header) => Credentials.Contains(header);

    public static IReadOnlyList<IPNetwork> Networks(Section section, Findings findings)
    {
        var networks = new List<IPNetwork>();
        foreach (var (text, node, path) in section.Texts("allowed_upstream_networks") ?? [])
        {
            if (IPNetwork.TryParse(text, out var network))
            {
                networks.Add(network);
            }
            else
            {
                findings.Error(node, path, text, $"'{text}' is no network.", "Write its first address and its length: 169.254.10.0/24, or one address: 169.254.10.7/32.");
            }
        }

        return networks;
    }

    public static IReadOnlyList<string> Headers(Section section, Findings findings)
    {
        var headers = new List<string>();
        foreach (var (text, node, path) in section.Texts("forwarded_client_headers") ?? [])
        {
            if (Kept.Contains(text) || IsCredential(text) || text.Length == 0 || text.Any(static letter => !char.IsAsciiLetterOrDigit(letter) && letter is not ('-' or '_')))
            {
                findings.Error(node, path, text, $"'{text}' cannot be sent on: it is no header, or holds a credential, or belongs to the connection.", "Remove it.");
            }
            else
            {
                headers.Add(text);
            }
        }

        return headers;
    }
}
