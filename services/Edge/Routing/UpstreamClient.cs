using System.Globalization;
using System.IO.Compression;
using System.Net;

namespace Gateway.Edge.Routing;

/// <summary>
/// The one connection pool to all providers. It states its own rules: no redirect (a credential must not follow one), no cookie, no proxy
/// of the environment, no decompression, no header of one caller for another, and no retry: <see cref="Flow.RequestFlow"/> alone decides that.
/// </summary>
internal sealed class UpstreamClient : HttpMessageInvoker
{
    public UpstreamClient(RoutingTables tables, EdgeLog log)
        : this(new UpstreamAddresses(() => tables.Loaded?.Configuration.General.AllowedUpstreamNetworks ?? [], log.UpstreamAddressRefused))
    {
    }

    public UpstreamClient(UpstreamAddresses addresses)
        : base(MakeHandler(addresses), disposeHandler: true)
    {
    }

    /// <summary>
    /// A reply's body as it can be read. The gateway asks for none, but a provider may compress all the same: usage must be read, and the
    /// client gets what it can read.
    /// </summary>
    public static async Task<Stream> OpenAsync(HttpContent content, CancellationToken cancellation)
    {
        var body = await content.ReadAsStreamAsync(cancellation);
        return !IsEncoded(content) ? body : content.Headers.ContentEncoding.LastOrDefault() switch
        {
            null or "identity" => body,
            "gzip" or "x-gzip" => new GZipStream(body, CompressionMode.Decompress),
            "br" => new BrotliStream(body, CompressionMode.Decompress),
            "deflate" => new ZLibStream(body, CompressionMode.Decompress),
            var other => throw new HttpRequestException($"The provider's reply is compressed in a way that nobody asked for: {other}."),
        };
    }

    /// <summary>How many bytes <see cref="OpenAsync"/> will give, where the provider says so. Its headers are looked at as they came: parsing them has a price.</summary>
    public static long? LengthOf(HttpContent content) =>
        !IsEncoded(content) && content.Headers.NonValidated.TryGetValues("Content-Length", out var values) && long.TryParse(values.ToString(), NumberStyles.None, CultureInfo.InvariantCulture, out var length)
            ? length
            : null;

    private static bool IsEncoded(HttpContent content) => content.Headers.NonValidated.Contains("Content-Encoding");

    private static SocketsHttpHandler MakeHandler(UpstreamAddresses addresses) => new()
    {
        ConnectCallback = addresses.ConnectAsync,
        UseProxy = false,
        UseCookies = false,
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.None,
        EnableMultipleHttp2Connections = true,
        ActivityHeadersPropagator = null,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        // An address that moved is noticed, and connections that a provider closes silently are not kept for ever.
        PooledConnectionLifetime = TimeSpan.FromMinutes(10),
        PooledConnectionIdleTimeout = TimeSpan.FromSeconds(60),
        MaxResponseHeadersLength = 64,
        // An answer that nobody reads any more is not drained: the connection is closed and the provider stops.
        MaxResponseDrainSize = 0,
        ResponseDrainTimeout = TimeSpan.Zero,
    };
}
