using System.Net;

namespace Gateway.Edge.Routing;

/// <summary>
/// The one connection pool to all providers. It states its own rules: no redirect (a credential must not follow one), no cookie, no proxy
/// of the environment, no decompression, no header of one caller for another, and no retry: <see cref="Chat.ChatFlow"/> alone decides that.
/// </summary>
internal sealed class UpstreamClient : HttpMessageInvoker
{
    public UpstreamClient()
        : base(MakeHandler(), disposeHandler: true)
    {
    }

    private static SocketsHttpHandler MakeHandler() => new()
    {
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
